//! What does an open cost a process, governed or not, under 1,000 rules that are enforced?
//!
//! `cargo bench -p tyr-agent --bench open`, after `cargo build --workspace --bins` and with the guests' kernels (`./dev test` fetches
//! them). It measures in a guest whose clock counts instructions, so the ratios hold whatever else the machine does; `TYR_BENCH_HERE=1`
//! measures here instead, as root, where BPF LSM loads. Compare figures of one run only.
#![expect(clippy::print_stdout, reason = "a benchmark's output is its result")]

use std::ffi::CString;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::process::{Command, Stdio};
use std::time::Instant;

use tyr_agent::fingerprints::Fingerprints;
use tyr_agent::kernel::{Comparison, Kernel, Options};
use tyr_e2e::guest::{Guest, Machine, Release, Running};
use tyr_policy::{Effective, Image, Layer, Policy};

#[path = "../../policy/benches/realistic/patterns.rs"]
mod realistic;

const ROUNDS: u32 = 4_000;
const REPEATS: usize = 5;
/// 51 bytes.
const NAME: &str = "/tmp/tyr-bench/a/folder/and/another/one/of/them/file";
/// Tells the process that it is the one to be measured.
const OPENS: &str = "TYR_BENCH_OPENS";
/// Name of the rule with a condition.
const HELD: &str = "held";
/// Says that no guest is needed.
const HERE: &str = "TYR_BENCH_HERE";

/// As many rules as said, and one with a condition.
fn policy(rules: usize) -> Effective {
    let mut yaml = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: b}\nspec:\n  rules:\n".to_owned();
    for (at, pattern) in realistic::patterns(rules).iter().enumerate() {
        writeln!(yaml, "  - {{name: r{at}, action: file_read, resource_pattern: '{pattern}', verdict: deny}}")
            .expect("writing to a String");
    }
    writeln!(yaml, "  - {{name: {HELD}, action: file_read, resource_pattern: '/etc/{HELD}/**', verdict: deny, condition: 'context.uid == 0'}}")
        .expect("writing to a String");
    let policy = Policy::parse(&yaml).expect("a policy").policy;
    Effective::new(vec![Layer { version: 1, agent_type: None, policy }])
}

/// The process that is measured: waits for a line, and prints nanoseconds for each open and close.
fn measured() {
    let name = CString::new(NAME).expect("no NUL");
    let mut line = [0];
    std::io::stdin().read_exact(&mut line).expect("a line");
    let mut times: Vec<u128> = (0..REPEATS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..ROUNDS {
                // SAFETY: the name ends in NUL; the descriptor is this call's own.
                unsafe { libc::close(libc::open(name.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC)) };
            }
            start.elapsed().as_nanos() / u128::from(ROUNDS)
        })
        .collect();
    times.sort_unstable();
    println!("{}", times[REPEATS / 2]);
}

/// Nanoseconds for each open of a process, which is governed by a kernel or is not, and held to a rule or to none.
fn measure(governed_by: Option<&Kernel>, held_to: Option<u64>) -> f64 {
    let own = std::env::current_exe().expect("a program");
    let mut child =
        Command::new(own).env(OPENS, "1").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    if let Some(kernel) = governed_by {
        let tree = kernel.mark(child.id(), "bench").expect("marked");
        if let Some(rule) = held_to {
            assert_eq!(kernel.hold(child.id(), tree, rule).expect("held"), 1);
        }
    }
    child.stdin.take().expect("piped").write_all(b"\n").expect("it waits");
    let output = child.wait_with_output().expect("it ends");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number")
}

fn main() {
    if std::env::var_os(OPENS).is_some() {
        measured();
    } else if std::env::var_os(HERE).is_some() {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let _entered = runtime.enter();
        compare();
    } else {
        for release in [Release::V6_1, Release::V6_12] {
            in_guest(release);
        }
    }
}

/// Runs this program in a guest.
fn in_guest(release: Release) {
    let own = std::fs::read(std::env::current_exe().expect("a program")).expect("readable");
    let guest = Guest::boot(Machine { counts: true, ..Machine::new(release) }).expect("a guest");
    guest.write("/root/bench", &own, 0o755).expect("written");
    let output = guest.start(&["/root/bench"], &[(HERE, "1")], &[]).and_then(Running::finish).expect("it ran");
    println!("Linux {}, a nanosecond is an instruction", release.name());
    print!("{}", output.text().expect("success"));
}

fn compare() {
    std::fs::create_dir_all("/tmp/tyr-bench/a/folder/and/another/one/of/them").expect("writable");
    std::fs::write(NAME, "x").expect("writable");
    let none = measure(None, None);
    println!("no program       {none:>8.0} ns");
    let told = |name: &str, time: f64| println!("{name:<16} {time:>8.0} ns, {:.3} of no program", time / none);
    // It compares its thread with one number: what it costs that any program is called at all.
    let least = Comparison::load().expect("a kernel that takes programs of LSM");
    told("any program", measure(None, None));
    drop(least);
    let policy = policy(1000);
    let image = Image::new(&policy).expect("fits");
    let rule = policy.rules().find(|r| r.rule.name == HELD).expect("the last").identity();
    for (merge_allowed, governed) in [(false, "governed, told"), (true, "governed, merged")] {
        let options = Options {
            scope: None,
            fingerprints: Fingerprints::default(),
            merge_opens: true,
            merge_allowed,
            pins: None,
            without: Vec::new(),
        };
        let mut kernel = Kernel::load(options).expect("root, and a kernel that loads the programs");
        let mut events = kernel.events();
        tokio::spawn(async move { while events.recv().await.is_some() {} });
        println!("posture: {:?}", kernel.posture());
        kernel.publish(&image).expect("published");
        told("not governed", measure(None, None));
        told(governed, measure(Some(&kernel), None));
        told("the same, held", measure(Some(&kernel), Some(rule)));
    }
}
