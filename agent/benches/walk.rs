//! How long does the kernel walk one byte of a path under 16, 256 and 1,000 rules?
//!
//! `cargo bench -p tyr-agent --bench walk`, as root. Compare figures of one run only. The row of 0 rules is what a judgement costs
//! without a walk; it is taken off the others.
#![expect(clippy::print_stdout, reason = "a benchmark's output is its result")]

use std::fmt::Write;
use std::time::{Duration, Instant};

use tyr_agent::kernel::Rehearsal;
use tyr_policy::{Action, Effective, Image, Layer, Policy};

#[path = "../../policy/benches/realistic/patterns.rs"]
mod realistic;

const PATHS: [&str; 3] = [
    "/home/dev/work/zeta3/deploy/tokens/prod/east/a.secret",
    "/home/dev/project/node_modules/typescript/lib/lib.dom.d.ts",
    "/usr/lib/x86_64-linux-gnu/gconv/subdirectory/gconv-modules.cache.d/with/a/rather/long/path/of/libc.so.6",
];
const ROUNDS: u32 = 1_000_000;
/// The median of so many is told.
const REPEATS: usize = 5;

fn image(rules: usize) -> (Image, Duration) {
    let mut yaml = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: b}\nspec:\n".to_owned();
    yaml.push_str(if rules == 0 { "  rules: []\n" } else { "  rules:\n" });
    for (at, pattern) in realistic::patterns(rules).iter().enumerate() {
        writeln!(yaml, "  - {{name: r{at}, action: file_read, resource_pattern: '{pattern}', verdict: deny}}")
            .expect("writing to a String");
    }
    let policy = Policy::parse(&yaml).expect("a policy").policy;
    let effective = Effective::new(vec![Layer { version: 1, agent_type: None, policy }]);
    let start = Instant::now();
    let image = Image::new(&effective).expect("fits");
    (image, start.elapsed())
}

fn main() {
    let mut rehearsal = Rehearsal::load().expect("root, and a kernel that loads the walk");
    println!("{:>6} {:>10} {:>10}   ns for each path, and ns for each byte", "rules", "compile", "bytes");
    let mut base = [0.0; PATHS.len()];
    for rules in [0, 16, 256, 1000] {
        let (image, compile) = image(rules);
        rehearsal.publish(&image).expect("published");
        print!("{rules:>6} {compile:>10.1?} {:>10}", image.rows().len() * 4);
        for (path, base) in PATHS.iter().zip(&mut base) {
            let mut times: Vec<f64> = (0..REPEATS)
                .map(|_| rehearsal.time(0, Action::FileRead, path.as_bytes(), ROUNDS).expect("the walk runs"))
                .map(|time| time.as_secs_f64() * 1e9)
                .collect();
            times.sort_by(f64::total_cmp);
            let time = times[REPEATS / 2];
            if rules == 0 {
                *base = time;
                print!("   {time:>6.0}      ");
            } else {
                let bytes = f64::from(u32::try_from(path.len()).expect("a path is short"));
                print!("   {time:>6.0} {:>5.2}", (time - *base) / bytes);
            }
        }
        println!();
    }
}
