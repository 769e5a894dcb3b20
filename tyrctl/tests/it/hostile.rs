//! Names and paths are chosen by the watched processes. Whatever they hold, no format lets it act on a terminal, and the exact
//! ones give it back unchanged.

use tyr_api::events::{EventKind, Verdict};

use crate::double::{Answers, Double, event};

const HOSTILE: &str = "a\u{1b}[2J\u{1b}]0;t\u{7}b\r\nc\t\u{9b}31m\u{202e}exe\u{200b}\u{feff}\u{e0041}\u{7f},\"=1+1";

fn double() -> Double {
    let mut event = event(1, EventKind::FileRead, Verdict::Deny, HOSTILE);
    HOSTILE.clone_into(&mut event.agent_name);
    HOSTILE.clone_into(&mut event.process_exe);
    HOSTILE.clone_into(&mut event.cmdline);
    event.rule = Some(HOSTILE.to_owned());
    event.agent_type = Some(HOSTILE.to_owned());
    event.metadata.insert(HOSTILE.to_owned(), HOSTILE.to_owned());
    Double::start(Answers::fleet().list("/api/v1/events", &vec![event]))
}

#[test]
fn no_format_for_people_lets_text_act() {
    let double = double();
    for format in ["table", "wide", "tsv", "name", "json", "jsonl", "yaml"] {
        let shown = double.stdout(&["events", "list", "-o", format]);
        let acting: Vec<char> =
            shown.chars().filter(|&c| c != '\n' && c != '\t' && tyrctl::output::sanitize::acts(c)).collect();
        assert!(acting.is_empty(), "{format}: {shown:?}");
        let lines = shown.lines().count();
        match format {
            "table" | "wide" | "tsv" => assert_eq!(lines, 2, "a line of heads and one for the event: {shown}"),
            "jsonl" | "name" => assert_eq!(lines, 1, "{shown}"),
            _ => {}
        }
    }
    let heads = double.stdout(&["events", "list", "-o", "tsv"]);
    let columns: Vec<_> = heads.lines().map(|line| line.split('\t').count()).collect();
    assert_eq!(columns[0], columns[1], "a tab in a path makes no column");
}

#[test]
fn exact_formats_give_the_text_back() {
    let double = double();
    let json: serde_json::Value =
        serde_json::from_str(&double.stdout(&["events", "list", "-o", "json"])).expect("JSON");
    assert_eq!(json[0]["resource"], HOSTILE);
    let csv = double.stdout(&["events", "list", "-o", "csv", "--columns", "resource", "--no-headers"]);
    assert_eq!(csv, format!("\"{}\"\n", HOSTILE.replace('"', "\"\"")));
}

#[test]
fn messages_of_the_server_are_harmless_too() {
    let double = Double::start(Answers::fleet().with(
        "GET /api/v1/policies",
        400,
        &crate::double::error("x", HOSTILE, Some(HOSTILE)),
    ));
    let said = double.run(&["policy", "list"]);
    assert!(!said.chars().any(|c| c != '\n' && tyrctl::output::sanitize::acts(c)), "{said:?}");
}
