//! The tests of `kernel::lsm` where their rules are enforced: this very program is put into guests and runs them there.

use std::io::{self, Write};
use std::process::Command;
use std::time::Duration;

use tyr_e2e::guest::{Guest, Machine, Release, kernel};
use tyr_e2e::wait_for;

/// Where this program is in the guest.
const PROGRAM: &str = "/usr/bin/kernel-tests";
/// Longest that all of them may take; each loads the programs anew, of which the verifier makes some seconds.
const LIMIT: Duration = Duration::from_mins(8);
/// What makes a test fail where it lacks something.
const REQUIRED: [(&str, &str); 2] = [("TYR_KERNEL_TESTS", "required"), ("TYR_LSM_TESTS", "required")];

/// This program without its debugging information, which is most of it.
fn own_program() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let stripped = folder.path().join("stripped");
    let own = std::env::current_exe().expect("the test has a program");
    let status = Command::new("strip").arg("-o").arg(&stripped).arg(own).status().expect("strip starts");
    assert!(status.success(), "strip: {status}");
    std::fs::read(stripped).expect("written")
}

fn rules_are_enforced(release: Release, skipped: &[&str]) {
    if kernel::find(release).is_none() {
        return;
    }
    let guest = Guest::boot(Machine { one_thread: true, ..Machine::new(release) }).expect("a guest");
    guest.write(PROGRAM, &own_program(), 0o755).expect("room for a program");
    let mut command = vec![PROGRAM, "kernel::lsm::"];
    command.extend(skipped.iter().flat_map(|test| ["--skip", test]));
    let mut running = guest.start(&command, &REQUIRED, &[]).expect("it starts");
    let mut told = 0;
    wait_for("the end of the tests in the guest", LIMIT, || {
        let ended = running.has_ended();
        // For whoever asks how long each took, or reads of one that doesn't end.
        let said = &running.so_far().stdout.as_bytes()[told..];
        io::stderr().write_all(said).expect("standard error takes text");
        told += said.len();
        ended.then_some(())
    });
    let output = running.finish().expect("it ended");
    assert!(output.status.success(), "{}: {}", output.status, output.stderr);
    assert!(!output.stdout.contains("running 0 tests"), "the tests have other names now");
}

#[test]
fn linux_6_1() {
    // That one loads the programs for each hook, a minute and a half in all, and what it asks is the same on each kernel.
    rules_are_enforced(Release::V6_1, &["a_missing_hook_is_told"]);
}

#[test]
fn linux_6_12() {
    rules_are_enforced(Release::V6_12, &[]);
}
