//! The question before a change, on a real terminal: what each answer does, and that no answer is no.

use portable_pty::PtySize;

use crate::double::{Answers, Double, agent, id};
use crate::terminal::Terminal;

const QUESTION: &str = "revoke the agent build-017 (00000000-0000-7000-8000-000000000001)? [y/N]";
const SIZE: PtySize = PtySize { rows: 12, cols: 100, pixel_width: 0, pixel_height: 0 };

fn double() -> Double {
    let revoked = agent(1, "build-017", tyr_api::agents::Liveness::Stale, 579_000);
    Double::start(Answers::fleet().with(&format!("DELETE /api/v1/agents/{}", id(1)), 200, &revoked))
}

fn changes(double: &Double) -> Vec<String> {
    double.requests().into_iter().filter(|line| !line.starts_with("GET ")).collect()
}

/// Asks, and types that; gives the exit code and what is left on the screen.
fn answered(double: &Double, keys: &str) -> (u32, String) {
    let mut terminal = Terminal::start(double, &["agent", "revoke", "build-017"], SIZE, &[]);
    terminal.wait("the question", |_, text| text.contains("[y/N]"));
    terminal.press(keys);
    terminal.ended()
}

#[test]
fn a_yes_does_it() {
    for keys in ["y\r", "Y\r", "yes\r", " Yes \r", "n\u{7f}y\r"] {
        let double = double();
        let (code, left) = answered(&double, keys);
        assert!(code == 0 && left.contains("✓ "), "{keys:?}: {left}");
        assert_eq!(changes(&double), [format!("DELETE /api/v1/agents/{}", id(1))], "{keys:?}");
    }
}

#[test]
fn everything_else_is_a_no() {
    let double = double();
    // The last is the end of the input: ctrl-d on an empty line.
    for keys in ["n\r", "N\r", "no\r", "\r", "yess\r", "y y\r", "jein\r", "\u{1b}[A\r", "\u{4}"] {
        let (code, left) = answered(&double, keys);
        assert_eq!(code, 1, "{keys:?}: {left}");
        let lines: Vec<&str> = left.lines().map(str::trim_end).collect();
        assert!(lines[0].starts_with(QUESTION), "{keys:?}: {left}");
        assert_eq!(lines[1..3], ["error: nothing was changed", "cause: the answer was not yes"], "{keys:?}: {left}");
    }
    assert_eq!(changes(&double), Vec::<String>::new());
}

#[test]
fn ctrl_c_ends_it() {
    let double = double();
    let mut terminal = Terminal::start(&double, &["agent", "revoke", "build-017"], SIZE, &[]);
    terminal.wait("the question", |_, text| text.contains("[y/N]"));
    terminal.press("\u{3}");
    assert_eq!(terminal.signalled().as_deref(), Some("Interrupt"));
    assert_eq!(changes(&double), Vec::<String>::new());
}

#[test]
fn nobody_is_asked_where_the_question_could_not_be_seen_or_answered() {
    let double = double();
    for (shell, why) in [
        ("\"$0\" agent revoke build-017 2>err; code=$?; cat err; exit $code", "standard error goes elsewhere"),
        ("\"$0\" agent revoke build-017 </dev/null", "nobody types"),
        ("\"$0\" --no-input agent revoke build-017", "questions are refused"),
    ] {
        let terminal = Terminal::of("sh", &["-c", shell, env!("CARGO_BIN_EXE_tyrctl")], &double, SIZE, &[]);
        let (code, left) = terminal.ended();
        assert_eq!(code, 2, "{why}: {left}");
        assert!(left.contains("cause: nobody can be asked to confirm it"), "{why}: {left}");
        assert!(!left.contains("[y/N]"), "{why}: {left}");
    }
    assert_eq!(changes(&double), Vec::<String>::new());
}
