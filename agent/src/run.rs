//! `tyrd run`: becomes a command that is governed from its first instruction.
//!
//! The process asks the running `tyrd` to mark *itself*, and only then executes the command: the mark is kept over exec, so
//! there is no moment at which the command runs without it.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::args::RunArgs;
use crate::config::Config;
use crate::control::{Question, client};
use crate::fault::Fault;

/// Becomes the command; returns only when that fails, with the exit status that shells use: 127 for a command that is not
/// there, 126 for one that can't be executed, 1 where it wasn't tried.
///
/// To be called while the process has one thread, as it is the calling process that is marked.
pub fn run(config: &Config, args: &RunArgs) -> (Fault, u8) {
    let agent_type = args.agent_type.to_string();
    if let Err(fault) = client::ask(&config.data_dir, &Question::Govern { agent_type }) {
        return (fault, 1);
    }
    let (program, arguments) = args.command.split_first().expect("clap asks for one");
    let error = Command::new(program).args(arguments).exec();
    let fault = Fault::new(format!("can't execute `{}`", program.display())).because(&error);
    (fault, if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 })
}
