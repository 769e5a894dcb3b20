//! The reference of a whole program as one Markdown page.

use std::fmt::Write as _;

use clap::{Arg, Command};

use crate::arguments::{self, Group, choices, default, flags, groups, help, variable};
use crate::text::{Notes, is_aligned, sentence};
use crate::{built, visible};

/// A heading for each command, with what it does, its flags, and its examples. Groups of flags that several commands share are written
/// once, at the end.
pub fn markdown(command: Command, preface: &str) -> String {
    let root = built(command);
    let mut page = format!("# {}\n\n{preface}\n", root.get_name());
    let mut shared: Vec<(String, String)> = Vec::new();
    let mut commands = Vec::new();
    collect(&root, &[], &mut commands);
    page.push('\n');
    for (path, command) in commands.iter().skip(1) {
        let indent = "  ".repeat(path.len() - 2);
        let name = path.join(" ");
        let about = about(command);
        let _ = writeln!(page, "{indent}- [`{name}`](#{}): {}", anchor(&name), about.trim_end_matches('.'));
    }
    for (path, command) in &commands {
        section(&mut page, &path.join(" "), command, &mut shared);
    }
    for (heading, text) in shared {
        let _ = write!(page, "\n## {heading}\n\n{text}");
    }
    page
}

fn collect<'a>(command: &'a Command, above: &[&'a str], all: &mut Vec<(Vec<&'a str>, &'a Command)>) {
    let path: Vec<&str> = above.iter().copied().chain([command.get_name()]).collect();
    all.push((path.clone(), command));
    for sub in visible(command) {
        collect(sub, &path, all);
    }
}

fn about(command: &Command) -> String {
    sentence(&command.get_about().map(ToString::to_string).unwrap_or_default())
}

/// Where a heading can be linked to.
fn anchor(heading: &str) -> String {
    heading.to_lowercase().replace(' ', "-")
}

fn section(page: &mut String, name: &str, command: &Command, shared: &mut Vec<(String, String)>) {
    let notes = Notes::of(command);
    let long = command.get_long_about().map_or_else(|| about(command), |long| sentence(&long.to_string()));
    let _ = write!(page, "\n## {name}\n\n{long}\n");
    let aliases: Vec<_> = command.get_visible_aliases().map(|alias| format!("`{alias}`")).collect();
    if !aliases.is_empty() {
        let _ = write!(page, "\nShort: {}.\n", aliases.join(", "));
    }
    let groups = groups(command);
    let _ = write!(page, "\n```text\n{}\n```\n", usage(name, command, &groups));
    for paragraph in &notes.paragraphs {
        if is_aligned(paragraph) {
            let _ = write!(page, "\n```text\n{}\n```\n", paragraph.join("\n"));
        } else {
            let _ = write!(page, "\n{}\n", paragraph.join("\n"));
        }
    }
    let mut links = Vec::new();
    for group in groups {
        let mut text = String::new();
        for argument in group.arguments.iter().filter(|argument| argument.get_id() != "help") {
            option(&mut text, argument);
        }
        match group.heading {
            None if text.is_empty() => {}
            None => page.extend(["\n", &text]),
            Some(heading) => match shared.iter().find(|(known, _)| known == heading) {
                // One of the same name and other flags belongs to this command alone.
                Some((_, known)) if *known != text => {
                    let _ = write!(page, "\n{heading}:\n\n{text}");
                }
                known => {
                    if known.is_none() {
                        shared.push((heading.to_owned(), text));
                    }
                    links.push(format!("[{}](#{})", heading.to_lowercase(), anchor(heading)));
                }
            },
        }
    }
    if !links.is_empty() {
        let _ = write!(page, "\nAnd the {}.\n", links.join(" and the "));
    }
    if !notes.examples.is_empty() {
        let _ = write!(page, "\n```sh\n{}\n```\n", notes.examples.join("\n"));
    }
}

fn usage(name: &str, command: &Command, groups: &[Group<'_>]) -> String {
    let mut words = vec![name.to_owned()];
    let own = groups.iter().filter(|group| group.heading.is_none()).flat_map(|group| &group.arguments);
    let (positional, optional): (Vec<&Arg>, Vec<&Arg>) = own.partition(|argument| argument.is_positional());
    let required = optional.iter().filter(|argument| argument.is_required_set());
    words.extend(required.map(|argument| head(argument).replace('`', "")));
    words.push("[OPTIONS]".to_owned());
    for argument in positional {
        let name = arguments::value(argument).map(|form| form.name).unwrap_or_default();
        words.extend(argument.is_last_set().then(|| "--".to_owned()));
        words.push(if argument.is_required_set() { name } else { format!("[{name}]") });
    }
    if visible(command).next().is_some() {
        words.push(if command.is_subcommand_required_set() { "COMMAND" } else { "[COMMAND]" }.to_owned());
    }
    words.join(" ")
}

/// `-o FORMAT`, `--output FORMAT` in one word.
fn head(argument: &Arg) -> String {
    let (before, name, after) =
        arguments::value(argument).map_or(("", String::new(), ""), |form| (form.before, form.name, form.after));
    let flags = flags(argument);
    if flags.is_empty() { format!("`{name}`") } else { format!("`{}{before}{name}{after}`", flags.join(", ")) }
}

fn option(text: &mut String, argument: &Arg) {
    let mut facts = Vec::new();
    facts.extend(default(argument).map(|default| format!("default `{default}`")));
    facts.extend(variable(argument).map(|variable| format!("variable `{variable}`")));
    let choices = choices(argument);
    let explained = choices.iter().any(|(_, meaning)| meaning.is_some());
    if !choices.is_empty() && !explained {
        let names: Vec<_> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
        facts.push(format!("one of {}", names.join(", ")));
    }
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join("; ")) };
    let _ = writeln!(text, "- {}: {}{facts}", head(argument), sentence(&help(argument)).replace("\n\n", " "));
    if explained {
        for (name, meaning) in choices {
            let _ = writeln!(text, "  - `{name}`: {}", sentence(&meaning.unwrap_or_default()));
        }
    }
}
