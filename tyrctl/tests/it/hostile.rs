//! Names and paths are chosen by the watched processes. Whatever they hold, no format lets it act on a terminal, and the exact
//! ones give it back unchanged.

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::double::{Answers, Double, error};
use crate::lists::LISTS;

/// Every C0 and C1 control, DEL, every character that reorders text or takes no room, quotes, separators, and a formula.
fn hostile() -> String {
    let controls = (0..0x20).chain(0x7f..=0x9f);
    let bidi = [0x61c, 0x200e, 0x200f].into_iter().chain(0x202a..=0x202e).chain(0x2066..=0x2069);
    let without_room = [0xad, 0x34f, 0x200b, 0x200c, 0x200d, 0x2028, 0x2029, 0x2060, 0xfeff, 0xe0041];
    let all = controls.chain(bidi).chain(without_room).filter_map(char::from_u32);
    let sequences = "\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}31m gpj.\u{202e}exe,\";|=1+1 <b>";
    std::iter::once('=').chain(all).chain(sequences.chars()).collect()
}

/// Puts it wherever a host or a person may have written something.
fn infect(value: &mut Value, hostile: &str) {
    /// Words of our own, which nobody can choose.
    const WORDS: [&str; 16] = [
        "kind",
        "verdict",
        "server_verdict",
        "severity",
        "liveness",
        "posture",
        "denial",
        "state",
        "format",
        "rules",
        "role",
        "target_type",
        "how",
        "drift_reason",
        "status",
        "next_cursor",
    ];
    match value {
        Value::String(text) if text.parse::<Timestamp>().is_err() && text.parse::<Uuid>().is_err() => {
            hostile.clone_into(text);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| infect(item, hostile)),
        Value::Object(fields) => {
            let is_alert = fields.contains_key("alert_id");
            // Of an agent it is a word, of the database a list.
            let is_agent = fields.contains_key("tables_digest");
            for (name, field) in fields.iter_mut() {
                if name == "metadata" || name == "details" {
                    *field = serde_json::json!({ hostile: hostile });
                } else if !(WORDS.contains(&name.as_str())
                    || is_alert && name == "rule"
                    || is_agent && name == "tables")
                {
                    infect(field, hostile);
                }
            }
        }
        _ => {}
    }
}

fn double() -> Double {
    let hostile = hostile();
    let answers = Answers::everything().map(|body| infect(body, &hostile)).text(
        "GET /metrics",
        &format!("# HELP a {0}\n# TYPE a gauge\na{{b=\"{0}\"}} 1\n", hostile.replace(['\n', '\r'], "")),
    );
    let double = Double::start(answers);
    double.stdout(&["context", "add", "default"]);
    tyrctl::auth::store_token(&double.config().join("token"), "stored-token").expect("stored");
    double
}

fn acting(text: &str, besides: &[char]) -> Vec<char> {
    text.chars().filter(|c| *c != '\n' && !besides.contains(c) && tyrctl::output::sanitize::acts(*c)).collect()
}

fn has(value: &Value, text: &str) -> bool {
    match value {
        Value::String(string) => string == text,
        Value::Array(items) => items.iter().any(|item| has(item, text)),
        Value::Object(fields) => fields.values().any(|field| has(field, text)),
        _ => false,
    }
}

/// Of their text nothing comes from a host.
const OWN: [&str; 4] = ["config", "context", "keys", "sql"];

#[test]
fn no_format_for_people_lets_text_act_and_json_stays_exact() {
    let (double, hostile) = (double(), hostile());
    for list in LISTS {
        let in_format = |format: &str| double.stdout(&[list, &["-o", format][..]].concat());
        for format in ["table", "wide", "tsv", "name", "json", "jsonl", "yaml"] {
            let shown = in_format(format);
            let besides: &[char] = if format == "tsv" { &['\t'] } else { &[] };
            assert_eq!(acting(&shown, besides), Vec::<char>::new(), "{list:?} -o {format}: {shown:?}");
        }
        let json = in_format("json");
        let rows: Value = serde_json::from_str(&json).unwrap_or_else(|e| panic!("{list:?}: {e}"));
        let count = rows.as_array().expect("a list").len();
        for (format, lines) in [("wide", count + 1), ("tsv", count + 1), ("jsonl", count), ("name", count)] {
            assert_eq!(in_format(format).lines().count(), lines, "{list:?} -o {format}");
        }
        let counted = matches!(list[..], ["events", "rate"] | ["metrics"] | ["policy", "check" | "test", ..])
            || OWN.contains(&list[0]);
        assert!(counted || has(&rows, &hostile) || json.contains("=\\u0000"), "{list:?} has the text exactly: {json}");
    }
    let csv =
        double.stdout(&["events", "list", "-o", "csv", "--columns", "resource", "--no-headers", "--limit", "1", "-q"]);
    assert_eq!(csv, format!("\"{}\"\n", hostile.replace('"', "\"\"")), "a file gets it to the byte");
    let raw = double.stdout(&["events", "list", "--jq", ".[0].resource"]);
    assert_eq!(raw, format!("{hostile}\n"), "and so does a program that asked for the text alone");
}

#[test]
fn single_things_and_talk_are_harmless_too() {
    let double = double();
    let id = crate::double::id(1).to_string();
    for arguments in [
        &["agent", "show", &id][..],
        &["agent", "archive", &id, "--dry-run"],
        &["agent", "archive", &id],
        &["policy", "assign", "--version", "2", "--agent", &id, "--dry-run"],
        &["user", "show", "\u{1b}[2J"],
        &["agents", "\u{9b}2J\u{202e}"],
        &["events", "list", "--since", "\u{1b}[2J"],
        &["agents", "--jq", "\u{1b}\u{202e}"],
        &["check"],
        &["check", "-o", "json"],
        &["db"],
        &["health"],
        &["version"],
        &["\u{1b}[2J"],
        &["--\u{202e}"],
    ] {
        let said = double.run(arguments);
        assert_eq!(acting(&said, &[]), Vec::<char>::new(), "{arguments:?}: {said:?}");
    }
}

#[test]
fn messages_of_the_server_are_harmless_too() {
    let hostile = hostile();
    let double =
        Double::start(Answers::fleet().with("GET /api/v1/policies", 400, &error("x", &hostile, Some(&hostile))));
    let said = double.run(&["policy", "list"]);
    assert_eq!(acting(&said, &[]), Vec::<char>::new(), "{said:?}");
}
