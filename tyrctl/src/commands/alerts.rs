//! `tyrctl alerts`: what the server raised by itself, who knows of it, and who is told.

use std::io::BufRead;

use tyr_api::alerts::{
    Acknowledgement, Alert, AlertFilter, AlertQuery, AlertRule, AlertState, NewWebhook, Webhook, WebhookTest,
};
use uuid::Uuid;

use super::{Outcome, change::may_go_on, hint, sql};
use crate::app::App;
use crate::args::{
    AlertsArgs, AlertsCommand, AlertsState, ChangeArgs, Format, ListArgs, WebhookAddArgs, WebhookCommand,
};
use crate::client::Client;
use crate::error::Failure;
use crate::output::rows::{Column, View, print_record};
use crate::output::value::{Tone, Value};
use crate::sql::{Bound, Value as Literal, catalog};

/// Digits of an id that a table shows: the end, as ids that were made together begin alike.
const SHORT_ID_CHARS: usize = 8;
/// Fewest digits of an id that are looked for.
const ID_CHARS_MIN: usize = 4;
/// Alerts that one request asks for.
const PAGE: u32 = 1000;
/// Alerts that are listed at most, unless `--limit` says otherwise.
const LIMIT_DEFAULT: usize = 1000;

pub(crate) const VIEW: View<Alert> = View {
    noun: "alerts",
    name: |alert| alert.alert_id.to_string(),
    columns: &[
        Column::new("id", |alert| Value::Text(short(alert.alert_id))),
        Column::new("state", state),
        Column::new("rule", |alert| Value::Text(alert.rule.to_string())),
        Column::flexible("agent", |alert| Value::text(&alert.agent_name)),
        Column::new("since", |alert| Value::Time(alert.since)),
        Column::new("ack", |alert| Value::text(alert.acknowledged_by.clone().unwrap_or_default())),
        Column::flexible("summary", |alert| Value::text(&alert.summary)),
        Column::wide("fired_at", |alert| Value::maybe(alert.fired_at, Value::Time)),
        Column::wide("resolved_at", |alert| Value::maybe(alert.resolved_at, Value::Time)),
        Column::wide("flapping", |alert| Value::Text(alert.flapping.to_string())),
        Column::wide("acknowledged_at", |alert| Value::maybe(alert.acknowledged_at, Value::Time)),
        Column::wide_flexible("note", |alert| Value::text(alert.note.clone().unwrap_or_default())),
        Column::wide("agent_id", |alert| Value::Text(alert.agent_id.to_string())),
        Column::wide("alert_id", |alert| Value::Text(alert.alert_id.to_string())),
    ],
};

pub(crate) const WEBHOOKS: View<Webhook> = View {
    noun: "webhooks",
    name: |webhook| webhook.webhook_id.to_string(),
    columns: &[
        Column::new("id", |webhook| Value::Text(short(webhook.webhook_id))),
        Column::flexible("url", |webhook| Value::text(&webhook.url)),
        Column::new("format", |webhook| Value::Text(webhook.format.to_string())),
        Column::flexible("rules", |webhook| Value::Text(rules(webhook))),
        Column::new("enabled", |webhook| {
            if webhook.enabled { Value::Word("yes", Tone::Good) } else { Value::Word("no", Tone::Dim) }
        }),
        Column::new("waiting", |webhook| Value::Count(webhook.waiting)),
        Column::new("dead", |webhook| Value::Count(webhook.dead)),
        Column::new("delivered_at", |webhook| Value::maybe(webhook.delivered_at, Value::Time)),
        Column::flexible("last_error", |webhook| Value::text(webhook.last_error.clone().unwrap_or_default())),
        Column::wide("created_by", |webhook| Value::text(&webhook.created_by)),
        Column::wide("created_at", |webhook| Value::Time(webhook.created_at)),
        Column::wide("webhook_id", |webhook| Value::Text(webhook.webhook_id.to_string())),
    ],
};

fn state(alert: &Alert) -> Value {
    match (alert.state, alert.flapping) {
        (AlertState::Firing, false) => Value::Word("firing", Tone::Bad),
        (AlertState::Firing, true) => Value::Word("flapping", Tone::Bad),
        (AlertState::Pending, _) => Value::Word("pending", Tone::Warn),
        (AlertState::Resolved, _) => Value::Word("resolved", Tone::Dim),
    }
}

fn short(id: Uuid) -> String {
    let text = id.simple().to_string();
    text[text.len() - SHORT_ID_CHARS..].to_owned()
}

fn rules(webhook: &Webhook) -> String {
    if webhook.rules.is_empty() {
        return "all".to_owned();
    }
    webhook.rules.iter().map(|rule| rule.as_str()).collect::<Vec<_>>().join(",")
}

/// `alerts [--state STATE] [--rule RULE] [--agent AGENT]`, `alerts ack`, `alerts webhook`.
pub(super) async fn run(app: &App, args: AlertsArgs) -> Result<Outcome, Failure> {
    match args.command {
        None => list(app, &args).await,
        Some(AlertsCommand::Ack { ids, note, change }) => acknowledge(app, &ids, note, change).await,
        Some(AlertsCommand::Webhook(command)) => webhook(app, command).await,
    }
}

/// The statement that answers the same.
fn statement(app: &App, args: &AlertsArgs) -> Bound {
    let states: &[&str] = match args.state {
        AlertsState::Open => &["pending", "firing"],
        AlertsState::Firing => &["firing"],
        AlertsState::Pending => &["pending"],
        AlertsState::Resolved => &["resolved"],
        AlertsState::All => &["pending", "firing", "resolved"],
    };
    let limit = match args.list.limit.unwrap_or(LIMIT_DEFAULT) {
        0 => Literal::Nothing,
        limit => Literal::Number(limit as u64),
    };
    catalog::ALERTS
        .bind(app.now)
        .with("state", Literal::Words(states.iter().map(|&state| state.to_owned()).collect()))
        .with_some("rule", args.rule.map(|rule| Literal::Text(rule.to_string())))
        .with_some("agent", args.agent.clone().map(Literal::Agent))
        .with("limit", limit)
}

async fn list(app: &App, args: &AlertsArgs) -> Result<Outcome, Failure> {
    if args.sql.sql {
        return sql::print(app, &ListArgs { limit: None, ..args.list.clone() }, &[statement(app, args)]);
    }
    let client = app.client()?;
    let agent = match &args.agent {
        // So that a typing error is an error, and not an empty list.
        Some(name) => Some(super::agents::find(&client, name).await?.agent_id.to_string()),
        None => None,
    };
    let (state, empty) = match args.state {
        AlertsState::Open => (Some(AlertFilter::Open), "no open alerts"),
        AlertsState::Firing => (Some(AlertFilter::Firing), "no firing alerts"),
        AlertsState::Pending => (Some(AlertFilter::Pending), "no pending alerts"),
        AlertsState::Resolved => (Some(AlertFilter::Resolved), "no resolved alerts"),
        AlertsState::All => (None, "no alerts"),
    };
    let limit = match args.list.limit {
        Some(0) => usize::MAX,
        Some(limit) => limit,
        None => LIMIT_DEFAULT,
    };
    let (alerts, more) =
        fetch(&client, AlertQuery { state, rule: args.rule, agent, ..AlertQuery::default() }, limit).await?;
    if more && args.list.limit.is_none() {
        app.out.note(&format!("note: the first {} alerts; --limit 0 for all", alerts.len()));
    }
    let none = alerts.is_empty();
    let outcome = VIEW.print(&app.out, &args.list, alerts, empty)?;
    if none {
        hint::first_host(app, &client, None).await;
    }
    Ok(outcome)
}

/// Alerts in the server's order, and whether there are more.
pub(super) async fn fetch(client: &Client, mut query: AlertQuery, limit: usize) -> Result<(Vec<Alert>, bool), Failure> {
    let mut alerts = Vec::new();
    loop {
        let left = u32::try_from(limit - alerts.len()).unwrap_or(u32::MAX);
        query.limit = Some(left.clamp(1, PAGE));
        let page = client.alerts(&query).await?;
        alerts.extend(page.items);
        query.cursor = page.next_cursor;
        if query.cursor.is_none() || alerts.len() >= limit {
            let more = query.cursor.is_some();
            alerts.truncate(limit);
            return Ok((alerts, more));
        }
    }
}

async fn acknowledge(
    app: &App,
    ids: &[String],
    note: Option<String>,
    mut change: ChangeArgs,
) -> Result<Outcome, Failure> {
    let client = app.client()?;
    let mut alerts = Vec::new();
    // All are looked up before the first is changed.
    let open = AlertQuery { state: Some(AlertFilter::Open), ..AlertQuery::default() };
    let (open, _) = fetch(&client, open, usize::MAX).await?;
    for id in ids {
        alerts.push(pick(id, open.iter().map(|alert| alert.alert_id), "open alert", "tyrctl alerts")?);
    }
    let found = |id: &Uuid| open.iter().find(|alert| alert.alert_id == *id);
    let falls = alerts.iter().filter_map(found).any(|alert| alert.rule == AlertRule::PostureFell);
    let named: Vec<String> = alerts
        .iter()
        .map(|id| match found(id) {
            Some(alert) => format!("{} on {}", alert.rule, alert.agent_name),
            None => id.to_string(),
        })
        .collect();
    // Only an accepted fall can't be taken back.
    change.yes |= !falls;
    if !may_go_on(app, &format!("acknowledge {}", named.join(", ")), change)? {
        return Ok(Outcome::Done);
    }
    let body = Acknowledgement { note };
    let mut done = Vec::new();
    for id in alerts {
        done.push(client.acknowledge_alert(id, &body).await?);
    }
    if matches!(app.out.format, Format::Table | Format::Wide) {
        for alert in &done {
            app.out.line(&format!("✓ {} on {} is acknowledged", alert.rule, alert.agent_name))?;
        }
        return Ok(Outcome::Done);
    }
    VIEW.print(&app.out, &ListArgs::default(), done, "no alerts")
}

/// The one id that is this, or ends so.
fn pick(given: &str, ids: impl Iterator<Item = Uuid>, what: &str, list: &str) -> Result<Uuid, Failure> {
    if let Ok(id) = given.parse() {
        return Ok(id);
    }
    let wanted = given.to_ascii_lowercase().replace('-', "");
    if wanted.len() < ID_CHARS_MIN || !wanted.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Failure::usage(format!("`{given}` is no id"))
            .hint(format!("`{list}` lists them; the last {SHORT_ID_CHARS} digits are enough")));
    }
    let mut found = ids.filter(|id| id.simple().to_string().ends_with(&wanted));
    match (found.next(), found.next()) {
        (Some(id), None) => Ok(id),
        (None, _) => Err(Failure::failed(format!("there is no {what} whose id ends with `{given}`"))
            .hint(format!("`{list}` lists them"))),
        (Some(_), Some(_)) => Err(Failure::failed(format!("several ids end with `{given}`"))
            .hint(format!("`{list} -o wide` shows whole ids"))),
    }
}

async fn webhook(app: &App, command: WebhookCommand) -> Result<Outcome, Failure> {
    const LIST: &str = "tyrctl alerts webhook list";
    let client = app.client()?;
    match command {
        WebhookCommand::Add(args) => add(app, &client, args).await,
        WebhookCommand::List(list) => WEBHOOKS.print(&app.out, &list, client.webhooks().await?, "no webhooks"),
        WebhookCommand::Remove { id, change } => {
            let webhooks = client.webhooks().await?;
            let id = pick(&id, webhooks.iter().map(|webhook| webhook.webhook_id), "webhook", LIST)?;
            let url = webhooks.iter().find(|webhook| webhook.webhook_id == id).map_or("", |webhook| &webhook.url);
            if !may_go_on(app, &format!("remove the webhook {} to {url}", short(id)), change)? {
                return Ok(Outcome::Done);
            }
            let removed = client.delete_webhook(id).await?;
            app.out.line(&format!("✓ webhook {} to {} is removed", short(id), removed.url))?;
            Ok(Outcome::Done)
        }
        WebhookCommand::Test { id } => {
            let webhooks = client.webhooks().await?;
            let id = pick(&id, webhooks.iter().map(|webhook| webhook.webhook_id), "webhook", LIST)?;
            tested(app, &client.test_webhook(id).await?)
        }
    }
}

async fn add(app: &App, client: &Client, args: WebhookAddArgs) -> Result<Outcome, Failure> {
    let secret = if args.secret_stdin { Some(first_line()?) } else { None };
    let is_given = secret.is_some();
    let new = NewWebhook { url: args.url, format: args.format, secret, rules: args.rules, enabled: !args.disabled };
    let made = client.create_webhook(&new).await?;
    let mut fields = vec![
        ("webhook_id", Value::Text(made.details.webhook_id.to_string())),
        ("url", Value::text(&made.details.url)),
        ("format", Value::Text(made.details.format.to_string())),
        ("rules", Value::Text(rules(&made.details))),
    ];
    if !is_given {
        fields.push(("secret", Value::text(&made.secret)));
    }
    print_record(&app.out, &fields, &made)?;
    if !is_given && matches!(app.out.format, Format::Table | Format::Wide) {
        app.out.note("note: the secret is shown only this once; the receiver checks `Tyr-Signature` with it");
    }
    Ok(Outcome::Done)
}

fn first_line() -> Result<String, Failure> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| Failure::failed("standard input could not be read").because(&error))?;
    let line = line.trim_end_matches(['\n', '\r']);
    if line.is_empty() {
        return Err(Failure::usage("there is no secret on standard input"));
    }
    Ok(line.to_owned())
}

fn tested(app: &App, test: &WebhookTest) -> Result<Outcome, Failure> {
    let fields = [
        ("delivered", if test.delivered { Value::Word("yes", Tone::Good) } else { Value::Word("no", Tone::Bad) }),
        ("status", Value::maybe(test.status, |status| Value::Count(status.into()))),
        ("duration_ms", Value::Count(test.duration_ms)),
        ("error", Value::text(test.error.clone().unwrap_or_default())),
    ];
    print_record(&app.out, &fields, test)?;
    if test.delivered {
        return Ok(Outcome::Done);
    }
    let why = test.error.clone().unwrap_or_else(|| "the receiver did not take it".to_owned());
    Err(Failure::failed("the message was not delivered").cause(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_id_is_enough() {
        let (one, two) = (Uuid::from_u128(0xaaaa_1234), Uuid::from_u128(0xbbbb_1234));
        let ids = || [one, two].into_iter();
        assert_eq!(short(one), "aaaa1234");
        assert_eq!(pick("aaaa1234", ids(), "open alert", "x").expect("one"), one);
        assert_eq!(pick("BBBB1234", ids(), "open alert", "x").expect("one"), two);
        assert_eq!(pick(&one.to_string(), ids(), "open alert", "x").expect("one"), one);
        for wrong in ["1234", "cccc1234", "234", "xyzw", ""] {
            pick(wrong, ids(), "webhook", "x").expect_err(wrong);
        }
    }
}
