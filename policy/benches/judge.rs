//! How long to compile, and to judge one path under, 16, 256 and 1,000 rules?
//!
//! `cargo bench -p tyr-policy`. Compare figures of one run only.
#![expect(clippy::print_stdout, reason = "a benchmark's output is its result")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use tyr_policy::{Automaton, Glob};

#[path = "realistic/patterns.rs"]
mod realistic;

const PATHS: [&str; 6] = [
    "/usr/lib/x86_64-linux-gnu/libc.so.6",
    "/home/dev/project/node_modules/typescript/lib/lib.dom.d.ts",
    "/home/dev/.ssh/id_ed25519",
    "/srv/kappa9/www/index.html",
    "/proc/self/status",
    "/home/dev/work/zeta3/deploy/tokens/prod.secret",
];

fn main() {
    println!(
        "{:>6} {:>12} {:>8} {:>10} {:>14} {:>14}",
        "rules", "compile", "states", "bytes", "walk ns/byte", "plain ns/byte"
    );
    for count in [16, 256, 1000] {
        let globs: Vec<Glob> = realistic::patterns(count).iter().map(|p| Glob::parse(p).expect("a pattern")).collect();
        let start = Instant::now();
        let automaton = Automaton::split(&globs, 10_000).expect("within the limit");
        let compile = start.elapsed();
        let walk = per_byte(100_000, |path| automaton.run(path));
        let plain = per_byte(200, |path| globs.iter().position(|glob| glob.matches(path)));
        println!(
            "{count:>6} {compile:>12.1?} {:>8} {:>10} {walk:>14.2} {plain:>14.1}",
            automaton.states(),
            automaton.table().len() * 4
        );
    }
}

fn per_byte(rounds: u32, judge: impl Fn(&[u8]) -> Option<usize>) -> f64 {
    let start = Instant::now();
    for _ in 0..rounds {
        for path in PATHS {
            black_box(judge(black_box(path.as_bytes())));
        }
    }
    let bytes: usize = PATHS.iter().map(|path| path.len()).sum();
    let elapsed: Duration = start.elapsed();
    elapsed.as_secs_f64() * 1e9 / f64::from(rounds) / f64::from(u32::try_from(bytes).expect("a few hundred"))
}
