//! `tyrctl audit`: who did what.

use tyr_api::audit::{AuditEntry, AuditQuery};

use super::events::instants;
use super::{Outcome, sql};
use crate::app::App;
use crate::args::{AuditArgs, ListArgs};
use crate::error::Failure;
use crate::output::rows::{Column, View};
use crate::output::value::{Tone, Value};
use crate::sql::{Bound, Value as Literal, catalog};

/// Rows of a page, as the server allows at most.
const PAGE_ROWS_MAX: usize = 1_000;
/// Rows without `--limit`.
const LIMIT_DEFAULT: usize = 100;

pub(crate) const VIEW: View<AuditEntry> = View {
    noun: "entries",
    name: |entry| entry.audit_id.to_string(),
    columns: &[
        Column::new("ts", |entry| Value::Time(entry.ts)),
        Column::flexible("actor", |entry| Value::text(&entry.actor)),
        Column::new("action", action),
        Column::flexible("target", |entry| Value::text(&entry.target)),
        Column::flexible("details", |entry| Value::text(details(entry))),
        Column::new("source", |entry| Value::maybe(entry.source.clone(), Value::text)),
        Column::wide("audit_id", |entry| Value::Number(entry.audit_id)),
        Column::wide("actor_id", |entry| Value::maybe(entry.actor_id, |id| Value::Text(id.to_string()))),
        Column::wide("request_id", |entry| Value::maybe(entry.request_id, |id| Value::Text(id.to_string()))),
    ],
};

/// `audit`.
pub(super) async fn run(app: &App, args: &AuditArgs) -> Result<Outcome, Failure> {
    let (since, until) = instants(app, &args.window)?;
    if args.sql.sql {
        let statement = statement(app, args).with_some("since", since.map(Literal::At));
        let statement = statement.with_some("until", until.map(Literal::At));
        return sql::print(app, &ListArgs { limit: None, ..args.list.clone() }, &[statement]);
    }
    let client = app.client()?;
    let limit = match args.list.limit {
        None => LIMIT_DEFAULT,
        Some(0) => usize::MAX,
        Some(limit) => limit,
    };
    let mut query =
        AuditQuery { actor: args.actor.clone(), action: args.action.clone(), since, until, ..AuditQuery::default() };
    let (mut entries, mut more) = (Vec::new(), true);
    while more && entries.len() <= limit {
        // One more than wanted tells whether there are more.
        let wanted = limit.saturating_sub(entries.len()).saturating_add(1).min(PAGE_ROWS_MAX);
        query.limit = u32::try_from(wanted).ok();
        let page = client.audit(&query).await?;
        entries.extend(page.items);
        more = page.next_cursor.is_some();
        query.cursor = page.next_cursor;
    }
    if entries.len() > limit {
        entries.truncate(limit);
        app.out.note(&format!("note: the newest {limit} entries; --limit 0 for all"));
    }
    VIEW.print(&app.out, &args.list, entries, "no entries")
}

/// The statement that answers the same, of all times.
fn statement(app: &App, args: &AuditArgs) -> Bound {
    // An area is what has no dot; the server alone knows all words.
    let word = args.action.clone().map(Literal::Text);
    let which = if args.action.as_ref().is_some_and(|action| action.contains('.')) { "action" } else { "area" };
    let limit = match args.list.limit.unwrap_or(LIMIT_DEFAULT) {
        0 => Literal::Nothing,
        limit => Literal::Number(limit as u64),
    };
    catalog::AUDIT
        .bind(app.now)
        .with_some("actor", args.actor.clone().map(Literal::Text))
        .with_some(which, word)
        .with("limit", limit)
}

/// What failed stands out.
fn action(entry: &AuditEntry) -> Value {
    match entry.action.as_str() {
        "auth.login_failed" => Value::Word("auth.login_failed", Tone::Bad),
        "auth.password_change_failed" => Value::Word("auth.password_change_failed", Tone::Bad),
        _ => Value::text(&entry.action),
    }
}

fn details(entry: &AuditEntry) -> String {
    let pairs: Vec<String> = entry.details.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join(" ")
}
