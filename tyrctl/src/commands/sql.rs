//! `tyrctl sql`, and `--sql` of the commands that a statement answers.

use serde::Serialize;

use super::Outcome;
use crate::app::App;
use crate::args::{ListArgs, SqlCommand};
use crate::error::Failure;
use crate::output::rows::{Column, View};
use crate::output::value::Value;
use crate::sql::{Bound, Statement, catalog};

/// A line of the list.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Listed {
    name: &'static str,
    documented: Option<&'static str>,
    command: &'static str,
    answers: &'static str,
}

pub(crate) const VIEW: View<Listed> = View {
    noun: "statements",
    name: |row| row.name.to_owned(),
    columns: &[
        Column::new("name", |row| Value::text(row.name)),
        Column::new("documented", |row| Value::maybe(row.documented, Value::text)),
        Column::flexible("command", |row| Value::text(row.command)),
        Column::flexible("answers", |row| Value::text(row.answers)),
    ],
};

/// `sql …`.
pub(super) fn run(app: &App, command: &SqlCommand) -> Result<Outcome, Failure> {
    match command {
        SqlCommand::List(list) => {
            let rows = catalog::ALL.iter().map(|statement| Listed {
                name: statement.name,
                documented: statement.documented,
                command: statement.command,
                answers: statement.answers,
            });
            VIEW.print(&app.out, list, rows.collect(), "no statements")
        }
        SqlCommand::Show { name } => show(app, name),
    }
}

/// `sql show NAME`.
fn show(app: &App, name: &str) -> Result<Outcome, Failure> {
    let is_meant = |statement: &&&Statement| {
        statement.name.eq_ignore_ascii_case(name) || statement.numbers().any(|number| number.eq_ignore_ascii_case(name))
    };
    for (n, statement) in catalog::ALL.iter().filter(is_meant).enumerate() {
        if n > 0 {
            app.out.text("\n")?;
        }
        app.out.text(&statement.bind(app.now).page(&format!("{}: {}", statement.command, statement.answers)))?;
    }
    Ok(Outcome::Done)
}

/// Prints statements for psql, below the command as it was given. What of the list is not in them is said on standard error.
pub(super) fn print(app: &App, list: &ListArgs, statements: &[Bound]) -> Result<Outcome, Failure> {
    let command = as_given();
    for (n, statement) in statements.iter().enumerate() {
        if n > 0 {
            app.out.text("\n")?;
        }
        app.out.text(&statement.page(&command))?;
    }
    let ours =
        [("--sort", !list.sort.is_empty()), ("--columns", !list.columns.is_empty()), ("--limit", list.limit.is_some())];
    let ours: Vec<&str> = ours.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag).collect();
    if !ours.is_empty() {
        app.out.note(&format!("note: not in the statement, as tyrctl does it itself: {}", ours.join(", ")));
    }
    Ok(Outcome::Done)
}

/// The command line without `--sql`, for a shell.
fn as_given() -> String {
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let words = words.filter(|word| word != "--sql").map(|word| shell_word(&word));
    std::iter::once("tyrctl".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// A word as a shell reads it.
fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=.,:/+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::shell_word;

    #[test]
    fn words_are_quoted_where_a_shell_would_take_them_apart() {
        assert_eq!(
            ["--since=1d", "build-017", "", "a b", "it's"].map(shell_word),
            ["--since=1d", "build-017", "''", "'a b'", r"'it'\''s'"]
        );
    }
}
