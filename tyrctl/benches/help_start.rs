//! How long from the start of `tyrctl --help` to its first byte?
//!
//! `cargo bench -p tyrctl --bench help_start`. From before the fork to the first byte in a pipe.

mod common;

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Instant;

use common::{say, size, spread};

fn main() {
    if common::only_listed() {
        return;
    }
    for arguments in [&["--help"][..], &["top", "--help"], &["--version"]] {
        let mut times = Vec::new();
        for _ in 0..size("RUNS", 200) {
            let start = Instant::now();
            let mut child = Command::new(env!("CARGO_BIN_EXE_tyrctl"))
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .spawn()
                .expect("started");
            let mut out = child.stdout.take().expect("a pipe");
            out.read_exact(&mut [0]).expect("a byte");
            times.push(start.elapsed());
            out.read_to_end(&mut Vec::new()).expect("the rest");
            assert!(child.wait().expect("it ends").success());
        }
        say(&format!("tyrctl {} -> first byte: {} (aim: 15 ms)", arguments.join(" "), spread(&mut times)));
    }
}
