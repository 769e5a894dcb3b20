//! The arguments of a command in the order and the groups of its help.

use clap::{Arg, Command};

/// Arguments below one heading.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    /// As in the help: `Global options`; absent for the command's own.
    pub(crate) heading: Option<&'a str>,
    /// In the order of their definition.
    pub(crate) arguments: Vec<&'a Arg>,
}

/// The groups of a command: its own arguments first, positional ones before flags.
pub(crate) fn groups(command: &Command) -> Vec<Group<'_>> {
    let mut groups = vec![Group { heading: None, arguments: Vec::new() }];
    for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
        let heading = argument.get_help_heading();
        match groups.iter_mut().find(|group| group.heading == heading) {
            Some(group) => group.arguments.push(argument),
            None => groups.push(Group { heading, arguments: vec![argument] }),
        }
    }
    groups[0].arguments.sort_by_key(|argument| !argument.is_positional());
    // The same on every page: after what is the command's own.
    groups.sort_by_key(|group| group.heading == Some("Global options"));
    groups.retain(|group| !group.arguments.is_empty());
    groups
}

/// `-o`, `--output`: nothing for a positional argument.
pub(crate) fn flags(argument: &Arg) -> Vec<String> {
    let shorts = argument.get_short().into_iter().chain(argument.get_visible_short_aliases().into_iter().flatten());
    let longs = argument.get_long().into_iter().chain(argument.get_visible_aliases().into_iter().flatten());
    shorts.map(|short| format!("-{short}")).chain(longs.map(|long| format!("--{long}"))).collect()
}

/// How the value is written: ` FILE`, `[=DURATION]`, or nothing.
pub(crate) struct ValueForm {
    /// Before the name.
    pub(crate) before: &'static str,
    /// `FILE`
    pub(crate) name: String,
    /// After the name.
    pub(crate) after: &'static str,
}

/// The value of an argument, if it takes one.
pub(crate) fn value(argument: &Arg) -> Option<ValueForm> {
    let range = argument.get_num_args().unwrap_or_default();
    if !argument.is_positional() && !range.takes_values() {
        return None;
    }
    let name = argument.get_value_names().map_or_else(
        || argument.get_id().as_str().to_uppercase(),
        |names| names.iter().map(clap::builder::Str::as_str).collect::<Vec<_>>().join(" "),
    );
    let name = if range.max_values() > 1 { format!("{name}...") } else { name };
    let (before, after) = match (argument.is_positional(), range.min_values() == 0, argument.is_require_equals_set()) {
        (true, ..) => ("", ""),
        (_, true, true) => ("[=", "]"),
        (_, true, false) => (" [", "]"),
        (_, false, true) => ("=", ""),
        (_, false, false) => (" ", ""),
    };
    Some(ValueForm { before, name, after })
}

/// Long help where there is one, else the short one.
pub(crate) fn help(argument: &Arg) -> String {
    argument.get_long_help().or_else(|| argument.get_help()).map(ToString::to_string).unwrap_or_default()
}

/// Values to choose from, with what each means.
pub(crate) fn choices(argument: &Arg) -> Vec<(String, Option<String>)> {
    if argument.is_hide_possible_values_set() || value(argument).is_none() {
        return Vec::new();
    }
    let choices = argument.get_possible_values();
    let shown = choices.iter().filter(|choice| !choice.is_hide_set());
    shown.map(|choice| (choice.get_name().to_owned(), choice.get_help().map(ToString::to_string))).collect()
}

/// The value without the flag.
pub(crate) fn default(argument: &Arg) -> Option<String> {
    let defaults = argument.get_default_values();
    if defaults.is_empty() || argument.is_hide_default_value_set() || value(argument).is_none() {
        return None;
    }
    Some(defaults.iter().map(|value| value.to_string_lossy()).collect::<Vec<_>>().join(","))
}

/// The variable that stands for the flag.
pub(crate) fn variable(argument: &Arg) -> Option<String> {
    argument.get_env().filter(|_| !argument.is_hide_env_set()).map(|name| name.to_string_lossy().into_owned())
}
