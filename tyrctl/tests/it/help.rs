//! The help of every command, as somebody with an ordinary terminal reads it.

use clap::{Command, CommandFactory};
use tyrctl::args::Cli;
use unicode_width::UnicodeWidthStr;

/// Places that every terminal has.
const WIDTH: usize = 80;

/// Every command with its words, those that only hold others too.
fn each(look: &mut impl FnMut(&[String], &mut Command)) {
    fn walk(command: &mut Command, path: &[String], look: &mut impl FnMut(&[String], &mut Command)) {
        look(path, command);
        for sub in command.get_subcommands_mut() {
            let path = [path, &[sub.get_name().to_owned()]].concat();
            walk(sub, &path, look);
        }
    }
    let mut root = Cli::command();
    root.build();
    walk(&mut root, &[], look);
}

#[test]
fn no_line_of_help_is_wider_than_a_terminal() {
    let mut wide = Vec::new();
    each(&mut |path, command| {
        // What clap would wrap is looked at before it does: examples that are wrapped can't be copied.
        let written = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        for help in [command.render_long_help().to_string(), command.render_help().to_string(), written] {
            for line in help.lines().filter(|line| line.width() > WIDTH) {
                wide.push(format!("{}: {line}", path.join(" ")));
            }
        }
    });
    assert_eq!(wide, Vec::<String>::new());
}

#[test]
fn every_command_has_examples_that_begin_with_it() {
    let mut without = Vec::new();
    each(&mut |path, command| {
        if command.has_subcommands() && !path.is_empty() && command.is_subcommand_required_set() {
            return;
        }
        let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        let examples = help.split_once("Examples:\n").map(|(_, examples)| examples).unwrap_or_default();
        let last = path.last().map_or("tyrctl", String::as_str);
        if !examples.split([' ', '\n']).any(|word| word == last) {
            without.push(path.join(" "));
        }
    });
    assert_eq!(without, Vec::<String>::new());
}
