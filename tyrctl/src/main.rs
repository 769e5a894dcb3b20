//! `tyrctl`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tyrctl::run()
}
