//! Which columns the list on the command line has.

use super::line;
use crate::commands::{
    agents, ai, alerts, audit, config, context, db, drift, events, keys, metrics, policy, sql, token, user,
};
use crate::output::rows::View;

/// Names of the columns of the list that these words ask for; none when they ask for no list.
pub(super) fn of(words: &[String]) -> Vec<&'static str> {
    let path = line::commands(words);
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path[..] {
        ["agents"] => names(&agents::VIEW),
        ["ai"] => names(&ai::VIEW),
        ["ai", "types"] => names(&ai::TYPES),
        ["alerts"] => names(&alerts::VIEW),
        ["alerts", "webhook", "list"] => names(&alerts::WEBHOOKS),
        ["audit"] => names(&audit::VIEW),
        ["config", "show"] => names(&config::VIEW),
        ["context", "list"] => names(&context::VIEW),
        ["db", "connections"] => names(&db::CONNECTIONS),
        ["db", "tables"] => names(&db::TABLES),
        ["db", "partitions"] => names(&db::PARTITIONS),
        ["db", "indexes"] => names(&db::INDEXES),
        ["db", "apart"] => names(&db::APART),
        ["drift"] if words.iter().any(|word| word == "--events") => names(&events::VIEW),
        ["drift"] if words.iter().any(|word| word.starts_with("--by")) => names(&drift::GROUPS),
        ["drift"] => names(&drift::BY_AGENT),
        ["events", "list"] => names(&events::VIEW),
        ["events", "agents"] => names(&events::agents::VIEW),
        ["events", "rate"] if is_by(words, "kind") => names(&events::rate::BY_KIND),
        ["events", "rate"] if is_by(words, "minute") => names(&events::rate::BY_MINUTE),
        ["events", "rate"] if is_by(words, "agent") => names(&events::rate::BY_AGENT),
        ["events", "rate"] => names(&events::rate::BY_VERDICT),
        ["keys"] => names(&keys::VIEW),
        ["metrics"] => names(&metrics::VIEW),
        ["policy", "list"] => names(&policy::VERSIONS),
        ["policy", "check"] => names(&policy::RULES),
        ["policy", "simulate"] => names(&policy::CHANGES),
        ["policy", "status"] => names(&policy::HOSTS),
        ["policy", "test"] => names(&policy::VERDICTS),
        ["policy", "assignments"] => names(&policy::ASSIGNMENTS),
        ["sql", "list"] => names(&sql::VIEW),
        ["token", "list"] => names(&token::VIEW),
        ["user", "list"] => names(&user::VIEW),
        _ => Vec::new(),
    }
}

fn is_by(words: &[String], field: &str) -> bool {
    words.iter().any(|word| word.strip_prefix("--by=").unwrap_or(word) == field)
}

fn names<T>(view: &View<T>) -> Vec<&'static str> {
    view.columns.iter().map(|column| column.name).collect()
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};

    use super::of;

    /// Each command that takes `--columns` has columns to offer.
    fn look(command: &Command, path: &[&str], without: &mut Vec<String>) {
        let path: Vec<&str> = path.iter().copied().chain([command.get_name()]).collect();
        if command.get_arguments().any(|argument| argument.get_long() == Some("columns")) {
            let words: Vec<String> = path.iter().map(|&word| word.to_owned()).collect();
            if of(&words).is_empty() {
                without.push(path.join(" "));
            }
        }
        for sub in command.get_subcommands() {
            look(sub, &path, without);
        }
    }

    #[test]
    fn every_list_has_columns_to_offer() {
        let mut without = Vec::new();
        let mut root = crate::args::Cli::command();
        root.build();
        look(&root, &[], &mut without);
        assert_eq!(without, Vec::<String>::new(), "add them to complete/columns.rs");
    }
}
