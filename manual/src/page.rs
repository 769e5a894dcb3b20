//! One man page, in the macros of man(7) that groff and mandoc share.

use std::fmt::Write as _;

use clap::{Arg, Command};
use roff::{Inline, Roff, bold, italic, roman};

use crate::arguments::{self, choices, default, flags, groups, help, variable};
use crate::text::{Notes, Piece, is_aligned, pieces, sentence};
use crate::{Program, RELEASED, visible};

/// The page of a command; `path` are the words that call it.
pub(crate) fn render(program: &Program, command: &Command, path: &[&str]) -> String {
    let notes = Notes::of(command);
    let is_root = path.len() == 1;
    let mut page = Roff::new();
    let source = format!("{} {}", path[0], program.version);
    page.control("TH", [path.join("-").to_uppercase().as_str(), program.section, RELEASED, &source, "Tyr Manual"]);
    name(&mut page, command, path);
    synopsis(&mut page, command, path);
    description(&mut page, command, &notes);
    for group in groups(command) {
        let heading = group.heading.map_or_else(|| "OPTIONS".to_owned(), str::to_uppercase);
        page.control("SH", [heading.as_str()]);
        for argument in group.arguments {
            option(&mut page, argument);
        }
    }
    if visible(command).next().is_some() {
        page.control("SH", ["COMMANDS"]);
        for sub in visible(command) {
            page.control("TP", []);
            page.text([
                bold(format!("{}-{}", path.join("-"), sub.get_name())),
                roman(format!("({})", program.section)),
            ]);
            prose(&mut page, &about(sub));
        }
    }
    if !notes.examples.is_empty() {
        page.control("SH", ["EXAMPLES"]);
        verbatim(&mut page, &notes.examples);
    }
    let own: Vec<_> = command.get_arguments().filter(|argument| is_root || !argument.is_global_set()).collect();
    let variables = own.iter().filter_map(|argument| Some((variable(argument)?, flags(argument).pop()?)));
    let mut variables: Vec<_> = variables.map(|(name, flag)| (name, format!("The same as `{flag}`."))).collect();
    if is_root {
        variables.extend(program.environment.iter().map(|(name, what)| ((*name).to_owned(), (*what).to_owned())));
    }
    list(&mut page, "ENVIRONMENT", variables.iter().map(|(name, what)| (name.as_str(), what.as_str())));
    if is_root {
        list(&mut page, "FILES", program.files.iter().copied());
    }
    list(&mut page, "EXIT STATUS", program.exit_status.iter().copied());
    see_also(&mut page, program, command, path);
    ascii(&page.render())
}

/// Characters beyond ASCII as escapes: a formatter may take the page for Latin-1.
fn ascii(page: &str) -> String {
    let mut text = String::with_capacity(page.len());
    for character in page.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            let _ = write!(text, "\\[u{:04X}]", u32::from(character));
        }
    }
    text
}

fn about(command: &Command) -> String {
    sentence(&command.get_about().map(ToString::to_string).unwrap_or_default())
}

fn name(page: &mut Roff, command: &Command, path: &[&str]) {
    page.control("SH", ["NAME"]);
    let about = about(command);
    page.text([roman(format!("{} - {}", path.join("-"), about.trim_end_matches('.').replace('`', "")))]);
}

fn synopsis(page: &mut Roff, command: &Command, path: &[&str]) {
    page.control("SH", ["SYNOPSIS"]);
    page.text([bold(path.join(" "))]);
    let groups = groups(command);
    let own = groups.iter().filter(|group| group.heading.is_none()).flat_map(|group| &group.arguments);
    let own: Vec<_> =
        own.copied().filter(|argument| !matches!(argument.get_id().as_str(), "help" | "version")).collect();
    for argument in own.iter().filter(|argument| !argument.is_positional()) {
        synopsis_of(page, argument);
    }
    for heading in groups.iter().filter_map(|group| group.heading) {
        page.text([roman("["), italic(heading.to_lowercase()), roman("]")]);
    }
    for argument in own.iter().filter(|argument| argument.is_positional()) {
        if argument.is_last_set() {
            page.text([bold("--")]);
        }
        synopsis_of(page, argument);
    }
    if visible(command).next().is_some() {
        let command = if command.is_subcommand_required_set() {
            vec![italic("COMMAND")]
        } else {
            vec![roman("["), italic("COMMAND"), roman("]")]
        };
        page.text(command);
    }
}

fn synopsis_of(page: &mut Roff, argument: &Arg) {
    let mut line = Vec::new();
    let optional = !argument.is_required_set();
    if optional {
        line.push(roman("["));
    }
    // The long name says what it is.
    line.extend(argument.get_long().map(|long| bold(format!("--{long}"))));
    value(&mut line, argument);
    if optional {
        line.push(roman("]"));
    }
    page.text(line);
}

fn value(line: &mut Vec<Inline>, argument: &Arg) {
    if let Some(form) = arguments::value(argument) {
        line.extend([roman(form.before), italic(form.name), roman(form.after)]);
    }
}

fn description(page: &mut Roff, command: &Command, notes: &Notes) {
    page.control("SH", ["DESCRIPTION"]);
    let long = command.get_long_about().or_else(|| command.get_about()).map(ToString::to_string).unwrap_or_default();
    for (at, paragraph) in long.split("\n\n").enumerate() {
        if at > 0 {
            page.control("PP", []);
        }
        prose(page, &sentence(paragraph));
    }
    let aliases: Vec<_> = command.get_visible_aliases().map(|alias| format!("`{alias}`")).collect();
    if !aliases.is_empty() {
        page.control("PP", []);
        prose(page, &format!("Short: {}.", aliases.join(", ")));
    }
    for paragraph in &notes.paragraphs {
        page.control("PP", []);
        if is_aligned(paragraph) {
            verbatim(page, paragraph);
        } else {
            prose(page, &paragraph.join("\n"));
        }
    }
}

fn option(page: &mut Roff, argument: &Arg) {
    page.control("TP", []);
    let mut head = Vec::new();
    for flag in flags(argument) {
        if !head.is_empty() {
            head.push(roman(", "));
        }
        head.push(bold(flag));
    }
    value(&mut head, argument);
    page.text(head);
    let choices = choices(argument);
    let mut text = sentence(&help(argument));
    if let Some(default) = default(argument) {
        let _ = write!(text, "\nDefault: `{default}`.");
    }
    if let Some(variable) = variable(argument) {
        let _ = write!(text, "\nVariable: `{variable}`.");
    }
    let explained = choices.iter().any(|(_, meaning)| meaning.is_some());
    if !choices.is_empty() && !explained {
        let names: Vec<_> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
        let _ = write!(text, "\nOne of {}.", names.join(", "));
    }
    prose(page, &text);
    if explained {
        page.control("RS", []);
        for (name, meaning) in choices {
            page.control("TP", ["12"]);
            page.text([bold(name)]);
            prose(page, &sentence(&meaning.unwrap_or_default()));
        }
        page.control("RE", []);
    }
}

fn list<'a>(page: &mut Roff, heading: &str, rows: impl Iterator<Item = (&'a str, &'a str)>) {
    let mut rows = rows.peekable();
    if rows.peek().is_some() {
        page.control("SH", [heading]);
    }
    for (name, what) in rows {
        page.control("TP", []);
        page.text([bold(name)]);
        prose(page, &sentence(what));
    }
}

fn see_also(page: &mut Roff, program: &Program, command: &Command, path: &[&str]) {
    let own = |path: &[&str]| format!("{}({})", path.join("-"), program.section);
    let mut others: Vec<String> = (1..path.len()).map(|words| own(&path[..words])).collect();
    others.extend(visible(command).map(|sub| own(&[path, &[sub.get_name()]].concat())));
    if path.len() == 1 {
        others.extend(program.see_also.iter().map(|&other| other.to_owned()));
    }
    if others.is_empty() {
        return;
    }
    page.control("SH", ["SEE ALSO"]);
    let last = others.len() - 1;
    for (at, other) in others.iter().enumerate() {
        let (name, section) = other.split_at(other.find('(').unwrap_or(other.len()));
        page.text([bold(name), roman(format!("{section}{}", if at == last { "" } else { "," }))]);
    }
}

/// Filled text, what is in backticks in bold.
fn prose(page: &mut Roff, text: &str) {
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let inlines = pieces(line).into_iter().map(|piece| match piece {
            Piece::Plain(text) => roman(text),
            Piece::Code(text) => bold(text),
        });
        page.text(inlines.collect::<Vec<_>>());
    }
}

/// Lines as they are.
fn verbatim(page: &mut Roff, lines: &[String]) {
    page.control("EX", []);
    for line in lines {
        page.text([roman(line.as_str())]);
    }
    page.control("EE", []);
}
