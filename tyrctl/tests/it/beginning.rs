//! The first minutes: a server that knows nothing yet, at a terminal and in a script.

use portable_pty::PtySize;
use serde_json::json;

use crate::double::{Answers, Double};
use crate::terminal::Terminal;

const SIZE: PtySize = PtySize { rows: 12, cols: 120, pixel_width: 0, pixel_height: 0 };
const NO_HOST: &str = "hint: no host is enrolled: `tyrctl token create --label NAME` makes a token for the first";

fn nothing() -> Double {
    let nothing: [(); 0] = [];
    let answers = [
        "agents",
        "alerts",
        "discovered-agents",
        "events",
        "policies",
        "enrollment-tokens",
        "stats/drift",
        "stats/rate",
    ]
    .iter()
    .fold(Answers::default(), |answers, what| answers.list(&format!("/api/v1/{what}"), &nothing));
    let empty = json!({"since": "2026-11-22T19:00:00Z", "until": "2026-11-22T20:00:00Z", "items": []});
    Double::start(answers.with("GET /api/v1/stats/agents", 200, &empty))
}

#[test]
fn an_empty_fleet_says_how_to_begin_to_people_alone() {
    let double = nothing();
    for (command, hint) in [
        (&["agents"][..], NO_HOST),
        (&["agents", "--online"], NO_HOST),
        (&["ai"], NO_HOST),
        (&["alerts"], NO_HOST),
        (&["drift"], NO_HOST),
        (&["events", "list"], NO_HOST),
        (&["events", "rate"], NO_HOST),
        (&["events", "agents"], NO_HOST),
        (&["policy", "list"], "hint: `tyrctl policy apply -f FILE` makes the first"),
        (&["token", "list"], "hint: `tyrctl token create --label NAME` makes one"),
    ] {
        let (code, left) = Terminal::start(&double, command, SIZE, &[]).ended();
        assert!(code == 0 && left.contains(hint), "{command:?}: {left}");
        let quiet = [command, &["-q"]].concat();
        let (_, left) = Terminal::start(&double, &quiet, SIZE, &[]).ended();
        assert!(!left.contains("hint:"), "{quiet:?}: {left}");
        let before = double.requests().len();
        let said = double.run(command);
        assert!(said.starts_with("exit 0\n") && !said.contains("hint:"), "{command:?}: {said}");
        assert_eq!(double.requests().len(), before + 1, "a script pays for no hint: {command:?}");
    }
}

#[test]
fn where_there_are_hosts_the_hint_is_about_what_was_asked() {
    let nothing: [(); 0] = [];
    let double = Double::start(Answers::fleet().list("/api/v1/events", &nothing).list("/api/v1/stats/drift", &nothing));
    let (_, left) = Terminal::start(&double, &["events", "list"], SIZE, &[]).ended();
    assert!(
        left.contains("hint: `tyrctl ai` shows whether an AI process runs; `--since 7d` looks further back"),
        "{left}"
    );
    let (_, left) = Terminal::start(&double, &["drift"], SIZE, &[]).ended();
    assert!(left.contains("no drift in this time") && !left.contains("hint:"), "that is good news: {left}");
}
