//! What every command that asks a server prints, in one look. Those that ask none have tests of their own.

use std::fmt::Write;

use insta::assert_snapshot;

use crate::double::{Answers, Double};
use crate::exit_codes::{CHANGERS, READERS};

#[test]
fn every_command_prints_what_it_printed() {
    let double = Double::start(Answers::everything());
    let mut printed = String::new();
    for arguments in READERS.iter().chain(CHANGERS) {
        let said = double.run_with_input(arguments, "a good password\n");
        writeln!(printed, "$ tyrctl {}\n{}\n", arguments.join(" "), said.trim_end()).expect("writing to a String");
    }
    assert_snapshot!("outputs", printed);
}
