//! `tyrctl why`: an event, the rule behind its verdict and where that stands, and whose process it was.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tyr_api::agents::DiscoveredAgent;
use tyr_api::events::{DriftReason, Event};
use tyr_api::policies::PolicyDocument;
use tyr_policy::{CONDITION_EARLIER, Policy};
use uuid::Uuid;

mod allow;
mod lineage;

use allow::Suggestion;
use lineage::Ancestor;

use super::{Outcome, events, sql};
use crate::app::App;
use crate::args::{Format, ListArgs, WhyArgs};
use crate::error::{Failure, Kind};
use crate::output::rows::print_record;
use crate::output::sanitize::sanitize;
use crate::output::table::shorten;
use crate::output::value::{Tone, Value};
use crate::sql::{Value as Literal, catalog};

/// Lines of a rule that are shown.
const SOURCE_LINES_MAX: usize = 20;
/// Places of a line that are shown.
const SOURCE_WIDTH: usize = 100;

/// All that is known.
#[derive(Debug, Serialize)]
struct Why {
    /// In one sentence.
    because: String,
    event: Event,
    /// Where the rule stands; absent when no rule decided, or its policy can't be read.
    rule: Option<Source>,
    /// The AI process that did it; absent when the server doesn't know it.
    ai_process: Option<DiscoveredAgent>,
    /// From the AI process down to the one that acted.
    lineage: Vec<Ancestor>,
    /// What would allow it; absent where it is allowed, or no rule can.
    allow: Option<Suggestion>,
}

/// A rule in its document.
#[derive(Debug, Serialize)]
struct Source {
    policy: String,
    version: u32,
    rule: String,
    /// Its first line, from 1.
    line: u32,
    text: Vec<String>,
}

/// `why EVENT_ID`.
pub(super) async fn run(app: &App, args: &WhyArgs) -> Result<Outcome, Failure> {
    if args.sql.sql {
        let made_at = made_at(args.event_id);
        let statement = catalog::EVENTS
            .bind(app.now)
            .with("event", Literal::Id(args.event_id))
            .with_some("since", made_at.map(Literal::At))
            .with_some("until", made_at.map(|at| Literal::At(at + SignedDuration::from_millis(1))))
            .with("limit", Literal::Number(1));
        return sql::print(app, &ListArgs::default(), &[statement]);
    }
    let client = app.client()?;
    let event = client.event(args.event_id).await.map_err(|failure| match failure.kind {
        Kind::Failed => {
            failure.hint("`tyrctl events list -o name` lists ids; events are kept as long as retention says")
        }
        _ => failure,
    })?;
    let ai_process = match event.discovered_agent_id {
        Some(id) => known(client.discovered_agent(id).await)?,
        None => None,
    };
    let document = match event.policy_version {
        Some(version) => known(client.policy(version).await)?,
        None => None,
    };
    let rule = document.as_ref().and_then(|document| find(document, event.rule.as_ref()?));
    let allow = document.as_ref().and_then(|document| allow::suggest(document, &event));
    let lineage = lineage::of(&client, &event, ai_process.as_ref()).await?;
    let why = Why { because: because(&event), event, rule, ai_process, lineage, allow };
    print_record(&app.out, &fields(&why), &why)?;
    if !matches!(app.out.format, Format::Table | Format::Wide) {
        return Ok(Outcome::Done);
    }
    if let Some(source) = &why.rule {
        app.out.text("\n")?;
        for (number, line) in (source.line..).zip(&source.text) {
            app.out.text(&format!("{number:5} | {}\n", shorten(&sanitize(line), SOURCE_WIDTH)))?;
        }
    }
    if let Some(allow) = &why.allow {
        let place = match allow.before_line {
            Some(line) => format!("before line {line} of"),
            None => "at the end of".to_owned(),
        };
        app.out.text(&format!("\nto allow just this, put {place} the rules of version {}:\n\n", allow.version))?;
        for line in allow.yaml.lines() {
            app.out.line(line)?;
        }
    }
    Ok(Outcome::Done)
}

/// The millisecond in which an event was made, as its id has it; the statement looks into one day alone then.
fn made_at(event_id: Uuid) -> Option<Timestamp> {
    let (seconds, nanos) = event_id.get_timestamp().filter(|_| event_id.get_version_num() == 7)?.to_unix();
    Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanos).ok()?).ok()
}

/// What is there; nothing where the server has it no more.
fn known<T>(answer: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match answer {
        Ok(there) => Ok(Some(there)),
        Err(failure) if failure.kind == Kind::Failed => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// The rule of that name in a document, up to the next one.
fn find(document: &PolicyDocument, name: &str) -> Option<Source> {
    let policy = Policy::parse(&document.yaml).ok()?.policy;
    let place = policy.rules.iter().position(|rule| rule.name == name)?;
    let line = policy.rules[place].line;
    let end = policy.rules.get(place + 1).map_or(u32::MAX, |next| next.line);
    let lines = document.yaml.lines().skip(line.saturating_sub(1) as usize);
    let text = lines.take(end.saturating_sub(line).max(1) as usize).take(SOURCE_LINES_MAX).map(str::to_owned);
    Some(Source {
        policy: document.version.name.clone(),
        version: document.version.version,
        rule: name.to_owned(),
        line,
        text: text.collect(),
    })
}

/// What happened, in one sentence.
fn because(event: &Event) -> String {
    let guarded = event.metadata.get("guarded").is_some_and(|word| word == "true");
    let decided = match (&event.rule, event.policy_version) {
        _ if guarded => "it would have made the policy void, which is denied whatever the policy says".to_owned(),
        (Some(rule), Some(version)) => format!("rule `{rule}` of policy version {version} decided"),
        (Some(rule), None) => format!("rule `{rule}` decided"),
        (None, Some(version)) => format!("no rule of policy version {version} matched, so its default holds"),
        (None, None) => "no policy was in force".to_owned(),
    };
    let decided = format!("{decided}{}", by_condition(event));
    let verdict = event.verdict;
    let server = event.server_verdict.map_or_else(|| "nothing".to_owned(), |verdict| verdict.to_string());
    match event.drift_reason.filter(|_| event.drift_detected) {
        None => format!("{verdict}: {decided}"),
        Some(DriftReason::NotEnforcedHere) => {
            format!("{verdict} in place of {server}, as this host's kernel can't refuse such actions: {decided}")
        }
        Some(DriftReason::StalePolicy) => {
            format!(
                "{verdict}: {decided}; the server says {server}, by the policy that should have been in force there"
            )
        }
        Some(DriftReason::VerdictDiffers) => {
            format!("{verdict}: {decided}; the server says {server}, by the same policy: tampering, or a defect")
        }
    }
}

/// What the rule's condition had to do with it: `docs/conditions.md`.
fn by_condition(event: &Event) -> String {
    let of = |key: &str| event.metadata.get(key).map(String::as_str);
    let why = match of("condition") {
        Some("held") => ", as its condition holds",
        Some("failed") => ", as its condition could not be evaluated",
        Some(CONDITION_EARLIER) => ", as its condition held for this process before",
        _ => return String::new(),
    };
    match of("held_processes") {
        None => why.to_owned(),
        Some("1") => format!("{why}; from then on it denies, for the rest of this process"),
        Some(held) => {
            format!("{why}; from then on it denies, for the rest of this process and its descendants ({held} in all)")
        }
    }
}

fn fields(why: &Why) -> Vec<(&'static str, Value)> {
    let event = &why.event;
    let of = |key: &str| event.metadata.get(key).map_or(Value::Nothing, Value::text);
    let mut fields = vec![
        ("event_id", Value::Text(event.event_id.to_string())),
        ("because", Value::text(&why.because)),
        ("ts", Value::Time(event.ts)),
        ("kind", Value::Text(event.kind.to_string())),
        ("resource", Value::text(&event.resource)),
        ("verdict", events::verdict(event.verdict)),
        ("server_verdict", Value::maybe(event.server_verdict, events::verdict)),
        (
            "drift",
            match event.drift_reason {
                // Documented as severe: it was seen, should have been refused, and was not.
                Some(reason) if event.is_severe_drift() => Value::Text(format!("{reason}, severe")),
                Some(reason) => Value::Word(reason.as_str(), Tone::Bad),
                None => Value::Word("no", Tone::Good),
            },
        ),
        ("severity", Value::Text(event.severity.to_string())),
        ("rule", Value::maybe(event.rule.clone(), Value::text)),
        ("policy", Value::maybe(why.rule.as_ref(), |source| Value::text(&source.policy))),
        ("version", Value::maybe(event.policy_version, |version| Value::Count(version.into()))),
        ("line", Value::maybe(why.rule.as_ref(), |source| Value::Count(source.line.into()))),
        ("policy_id", Value::maybe(event.policy_id.clone(), Value::Text)),
        ("unregistered", of("unregistered")),
        ("agent", Value::text(&event.agent_name)),
        ("process", Value::text(&event.process_exe)),
        ("cmdline", Value::text(&event.cmdline)),
        ("pid", Value::Number(event.pid)),
        ("ppid", of("ppid")),
        ("uid", of("uid")),
        ("ai_type", Value::maybe(event.agent_type.clone(), Value::text)),
    ];
    if let Some(process) = &why.ai_process {
        fields.extend([
            ("ai_name", Value::text(&process.display_name)),
            ("ai_pid", Value::Number(process.pid)),
            ("ai_process", Value::text(&process.process_exe)),
            ("ai_cmdline", Value::text(&process.cmdline)),
            ("ai_found_by", Value::text(&process.found_by)),
            ("ai_since", Value::Time(process.first_seen)),
        ]);
    }
    fields.push(("lineage", Value::text(lineage::shown(&why.lineage))));
    fields.push(("count", of("count")));
    fields
}

#[cfg(test)]
mod tests {
    use tyr_api::events::Event;
    use uuid::Uuid;

    use super::because;

    #[test]
    fn no_default_is_blamed_for_what_no_policy_allows() {
        let event = |metadata: serde_json::Value| -> Event {
            serde_json::from_value(serde_json::json!({
                "event_id": Uuid::nil(), "agent_id": Uuid::nil(), "agent_name": "a", "kind": "exec", "resource": "/usr/sbin/sshd",
                "verdict": "deny", "server_verdict": "deny", "drift_detected": false, "drift_reason": null, "severity": "high",
                "policy_id": null, "policy_version": 3, "rule": null, "pid": 1, "process_exe": "/bin/sh", "cmdline": "sh",
                "agent_type": null, "discovered_agent_id": null, "ts": "2026-11-22T19:00:00Z",
                "received_at": "2026-11-22T19:00:00Z", "metadata": metadata,
            }))
            .expect("an event")
        };
        let plain = event(serde_json::json!({}));
        assert_eq!(because(&plain), "deny: no rule of policy version 3 matched, so its default holds");
        let guarded = event(serde_json::json!({"guarded": "true", "operation": "attach"}));
        assert_eq!(
            because(&guarded),
            "deny: it would have made the policy void, which is denied whatever the policy says"
        );
        let by_condition = |metadata| {
            let text = because(&Event { rule: Some("r".to_owned()), ..event(metadata) });
            text.strip_prefix("deny: rule `r` of policy version 3 decided").expect("by the rule").to_owned()
        };
        assert_eq!(by_condition(serde_json::json!({})), "");
        assert_eq!(
            by_condition(serde_json::json!({"condition": "held", "held_processes": "3"})),
            ", as its condition holds; from then on it denies, for the rest of this process and its descendants (3 in all)"
        );
        assert_eq!(
            by_condition(serde_json::json!({"condition": "earlier"})),
            ", as its condition held for this process before"
        );
    }
}
