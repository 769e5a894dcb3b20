//! Lists: columns chosen, rows sorted and limited, written in the format that was asked for.

use serde::Serialize;

use super::value::{Tone, Value};
use super::{Output, json, nearest, table};
use crate::args::{Format, ListArgs};
use crate::commands::Outcome;
use crate::error::Failure;
use crate::output::sanitize::sanitize;

/// One column of a list.
#[derive(Debug)]
pub struct Column<T> {
    /// Name in snake_case: `--columns`, `--sort`, CSV; in capitals the head of the table.
    pub name: &'static str,
    /// The cell of a row.
    pub value: fn(&T) -> Value,
    /// Whether it is shown without being asked for.
    pub shown: Shown,
    /// Whether it gives way where the terminal is too narrow.
    pub flexible: bool,
}

/// When a column is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// In `table` too.
    Always,
    /// In `wide`, CSV and TSV, or when named.
    Wide,
}

impl<T> Column<T> {
    /// A column that is always shown.
    pub const fn new(name: &'static str, value: fn(&T) -> Value) -> Self {
        Self { name, value, shown: Shown::Always, flexible: false }
    }

    /// A column that is always shown, and may be cut on a narrow terminal.
    pub const fn flexible(name: &'static str, value: fn(&T) -> Value) -> Self {
        Self { name, value, shown: Shown::Always, flexible: true }
    }

    /// A column of the wide formats.
    pub const fn wide(name: &'static str, value: fn(&T) -> Value) -> Self {
        Self { name, value, shown: Shown::Wide, flexible: false }
    }

    /// A column of the wide formats that may be cut on a narrow terminal.
    pub const fn wide_flexible(name: &'static str, value: fn(&T) -> Value) -> Self {
        Self { name, value, shown: Shown::Wide, flexible: true }
    }
}

/// How rows of one type are listed.
#[derive(Debug)]
pub struct View<T: 'static> {
    /// What a row is, in the plural, for notes: `agents`.
    pub noun: &'static str,
    /// All columns.
    pub columns: &'static [Column<T>],
    /// What `-o name` prints.
    pub name: fn(&T) -> String,
}

impl<T: Serialize> View<T> {
    /// Sorts, limits and prints rows, and says whether a `--fail-on-…` condition holds.
    ///
    /// `empty` is said on standard error where there is no row.
    ///
    /// # Errors
    /// Unknown columns, or a closed output.
    pub fn print(&self, out: &Output, list: &ListArgs, mut rows: Vec<T>, empty: &str) -> Result<Outcome, Failure> {
        let columns = self.chosen(out.format, &list.columns)?;
        self.sort(&mut rows, &list.sort)?;
        let found = rows.len();
        if let Some(limit) = list.limit.filter(|&limit| limit > 0 && limit < found) {
            rows.truncate(limit);
            out.note(&format!("note: {limit} of {found} {}; --limit 0 for all", self.noun));
        }
        match out.format {
            Format::Table | Format::Wide => {
                let cells: Vec<Vec<(String, Option<Tone>)>> =
                    rows.iter().map(|row| columns.iter().map(|column| shown(column, row, out)).collect()).collect();
                let heads: Vec<_> = columns.iter().map(|column| table::Head::of(column, rows.first())).collect();
                out.text(&table::draw(&heads, &cells, !list.no_headers, out.width, out.color))?;
            }
            Format::Json | Format::Yaml => out.document(&rows)?,
            Format::Jsonl | Format::Csv | Format::Tsv | Format::Name => {
                self.print_head(out, list)?;
                for row in &rows {
                    self.print_row(out, list, row)?;
                }
            }
        }
        if found == 0 {
            out.note(empty);
        }
        let holds = list.fail_on_any && found > 0 || list.fail_on_none && found == 0;
        Ok(if holds { Outcome::ConditionHolds } else { Outcome::Done })
    }

    /// The line of names, in formats that have one and come row by row.
    ///
    /// # Errors
    /// Unknown columns, or a closed output.
    pub fn print_head(&self, out: &Output, list: &ListArgs) -> Result<(), Failure> {
        let columns = self.chosen(out.format, &list.columns)?;
        match separator(out.format) {
            Some(separator) if !list.no_headers => {
                let names: Vec<_> = columns.iter().map(|column| column.name).collect();
                out.text(&format!("{}\n", names.join(separator)))
            }
            _ => Ok(()),
        }
    }

    /// One row, in formats that come row by row.
    ///
    /// # Errors
    /// Unknown columns, or a closed output.
    pub fn print_row(&self, out: &Output, list: &ListArgs, row: &T) -> Result<(), Failure> {
        match out.format {
            Format::Csv | Format::Tsv => {
                let columns = self.chosen(out.format, &list.columns)?;
                let fields: Vec<_> = columns.iter().map(|column| field(out, &(column.value)(row).plain())).collect();
                out.text(&format!("{}\n", fields.join(separator(out.format).unwrap_or(","))))
            }
            Format::Name => out.line(&(self.name)(row)),
            Format::Yaml => {
                out.text("---\n")?;
                out.document(row)
            }
            Format::Jsonl => out.document(row),
            Format::Json | Format::Table | Format::Wide => out.text(&json::line(row)?),
        }
    }

    /// The columns to show, in order.
    fn chosen(&self, format: Format, asked: &[String]) -> Result<Vec<&'static Column<T>>, Failure> {
        let all = || self.columns.iter();
        let usual: Vec<_> = all().filter(|column| column.shown == Shown::Always || format != Format::Table).collect();
        let relative = asked.first().is_some_and(|name| name.starts_with(['+', '-']));
        let mut chosen = if asked.is_empty() || relative { usual } else { Vec::new() };
        for name in asked {
            let (leave_out, bare) = match name.strip_prefix('-') {
                Some(bare) => (true, bare),
                None => (false, name.strip_prefix('+').unwrap_or(name)),
            };
            let column = self.find(bare)?;
            chosen.retain(|present| present.name != column.name);
            if !leave_out {
                chosen.push(column);
            }
        }
        if chosen.is_empty() {
            return Err(Failure::usage("no column is left to show").hint(self.list_columns()));
        }
        Ok(chosen)
    }

    fn sort(&self, rows: &mut [T], by: &[String]) -> Result<(), Failure> {
        // The sort is stable: the least significant column goes first.
        for key in by.iter().rev() {
            let (name, descending) = match key.split_once(':') {
                None | Some((_, "asc")) => (key.split(':').next().unwrap_or(key), false),
                Some((name, "desc")) => (name, true),
                Some((_, order)) => {
                    return Err(
                        Failure::usage(format!("`{order}` is no order")).hint("asc or desc, e.g. `--sort name:desc`")
                    );
                }
            };
            let value = self.find(name)?.value;
            rows.sort_by(|a, b| {
                let (a, b) = (value(a), value(b));
                // What is not there stays last in both directions.
                if descending && a != Value::Nothing && b != Value::Nothing { b.order(&a) } else { a.order(&b) }
            });
        }
        Ok(())
    }

    fn find(&self, name: &str) -> Result<&'static Column<T>, Failure> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
            let near = nearest(name, self.columns.iter().map(|column| column.name), "");
            let failure = Failure::usage(format!("there is no column `{name}`"));
            if near.is_empty() {
                failure.hint(self.list_columns())
            } else {
                failure.hint(near).hint(self.list_columns())
            }
        })
    }

    fn list_columns(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| column.name).collect();
        format!("columns: {}", names.join(", "))
    }
}

fn shown<T>(column: &Column<T>, row: &T, out: &Output) -> (String, Option<Tone>) {
    let value = (column.value)(row);
    (out.shown(&value), value.tone())
}

fn separator(format: Format) -> Option<&'static str> {
    match format {
        Format::Csv => Some(","),
        Format::Tsv => Some("\t"),
        _ => None,
    }
}

/// A field of CSV (RFC 4180) or TSV. TSV has no quotes, so it carries sanitised text; so does CSV that goes to a terminal.
fn field(out: &Output, text: &str) -> String {
    if out.format == Format::Tsv {
        return sanitize(text).into_owned();
    }
    let text = if out.width.is_some() { sanitize(text).into_owned() } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// Prints one thing: its fields line by line, or its JSON.
///
/// # Errors
/// When the output is closed.
pub fn print_record<T: Serialize>(out: &Output, fields: &[(&str, Value)], thing: &T) -> Result<(), Failure> {
    match out.format {
        Format::Table | Format::Wide => out.text(&table::draw_record(fields, out)),
        Format::Json | Format::Jsonl | Format::Yaml => out.document(thing),
        Format::Name => out.line(&fields.first().map(|(_, value)| value.plain()).unwrap_or_default()),
        Format::Csv | Format::Tsv => {
            let separator = separator(out.format).unwrap_or(",");
            let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
            let values: Vec<_> = fields.iter().map(|(_, value)| field(out, &value.plain())).collect();
            out.text(&format!("{}\n{}\n", names.join(separator), values.join(separator)))
        }
    }
}
