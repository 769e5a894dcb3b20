//! Man pages and a Markdown reference, made from the definition of a command line.
//!
//! clap knows the flags, what they mean, and the examples below each help text. What it can't know (files, exit codes, further
//! variables) a program says in its [`Program`]. All programs of Tyr go through here, so that their pages look the same.

mod arguments;
pub mod lint;
mod markdown;
mod page;
mod text;

use clap::Command;

pub use markdown::markdown;

/// Day of the release, as man pages show it: that of the Debian changelog.
pub const RELEASED: &str = "2026-11-22";

/// What the pages of a program say beyond its command line.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// Section of the manual: `1` for what anybody runs, `8` for what runs as a service.
    pub section: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Path and meaning of the files that it reads or writes.
    pub files: &'static [(&'static str, &'static str)],
    /// Name and meaning of variables that stand for no flag.
    pub environment: &'static [(&'static str, &'static str)],
    /// Code and meaning.
    pub exit_status: &'static [(&'static str, &'static str)],
    /// Other programs' pages, e.g. `tyrd(8)`.
    pub see_also: &'static [&'static str],
}

/// All pages with their file names, `NAME.SECTION`: the program's own first, then one for each of its commands.
pub fn pages(program: &Program, command: Command) -> Vec<(String, String)> {
    let root = built(command);
    let mut pages = Vec::new();
    collect(program, &root, &[], &mut pages);
    pages
}

/// With everything filled in that clap fills in before it reads a command line, and without `help` as a command.
fn built(command: Command) -> Command {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    command
}

fn collect(program: &Program, command: &Command, above: &[&str], pages: &mut Vec<(String, String)>) {
    let path: Vec<&str> = above.iter().copied().chain([command.get_name()]).collect();
    pages.push((format!("{}.{}", path.join("-"), program.section), page::render(program, command, &path)));
    for sub in visible(command) {
        collect(program, sub, &path, pages);
    }
}

/// The commands below this one that users shall know of.
fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set())
}

#[cfg(test)]
mod tests;
