//! `--watch`: in a pipe one output after the other, on a terminal one picture in place.

use std::io::{BufRead, BufReader};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Request;
use portable_pty::PtySize;
use rustix::process::Signal;
use tyr_api::agents::Liveness;

use crate::double::{Answers, Double, agent, answer};
use crate::terminal::Terminal;

/// A fleet whose one agent has another name each time that it is asked for; from the given time on the server is unwell.
fn changing(unwell_from: usize) -> Double {
    let asked = Arc::new(AtomicUsize::new(0));
    Double::serve(move |_| {
        Router::new().fallback(move |request: Request| {
            let asked = Arc::clone(&asked);
            async move {
                let round = asked.fetch_add(1, Ordering::SeqCst);
                let fleet = vec![agent(1, &format!("round-{round}"), Liveness::Online, 400)];
                let answers = if round < unwell_from {
                    Answers::default().list("/api/v1/agents", &fleet)
                } else {
                    Answers::default().with(
                        "GET /api/v1/agents",
                        503,
                        &crate::double::error("away", "the database is away", None),
                    )
                };
                answer(&answers, &format!("{} {}", request.method(), request.uri().path()))
            }
        })
    })
}

/// The first lines of what goes on for ever.
fn lines(double: &Double, arguments: &[&str], count: usize) -> Vec<String> {
    let mut child = double.command(arguments).spawn().expect("it starts");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().take(count);
    let lines = lines.map(|line| line.expect("UTF-8")).collect();
    // The reader is gone: the next output ends it, quietly.
    assert!(child.wait().expect("it ends").success());
    lines
}

#[test]
fn a_pipe_gets_one_output_after_the_other() {
    let columns = ["agents", "-w=1", "--columns", "name,status"];
    let table = lines(&changing(usize::MAX), &columns, 5);
    assert_eq!(table, ["NAME     STATUS", "round-0  online", "", "NAME     STATUS", "round-1  online"]);
    let csv = lines(&changing(usize::MAX), &[&columns[..], &["-o", "csv"]].concat(), 3);
    assert_eq!(csv, ["name,status", "round-0,online", "round-1,online"], "one head for one file");
    let jq = lines(&changing(usize::MAX), &["agents", "--watch=1s", "--jq", ".[].name"], 2);
    assert_eq!(jq, ["round-0", "round-1"]);
}

#[test]
fn it_ends_when_what_was_waited_for_is_there_or_when_it_can_not_begin() {
    let double = Double::start(Answers::fleet());
    let said = double.run(&["agents", "--stale", "-w=1", "--fail-on-any", "-o", "name"]);
    assert_eq!(said, "exit 3\n--- stdout\nbuild-018\nbuild-017\n");
    let said = changing(0).run(&["agents", "-w=1"]);
    assert!(said.starts_with("exit 5\n--- stderr\nerror: the database is away"), "{said}");
    for wrong in ["0", "0.5", "-1", "2d", "soon", "1mo"] {
        let said = double.run(&["agents", &format!("--watch={wrong}")]);
        assert!(said.starts_with("exit 2\n") && said.contains('^'), "{wrong}: {said}");
    }
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

/// A small one.
fn terminal(double: &Double, arguments: &[&str], environment: &[(&str, &str)]) -> Terminal {
    Terminal::start(double, arguments, size(60, 8), environment)
}

#[test]
fn a_terminal_gets_one_picture_that_follows_and_leaves_it_as_it_was() {
    let double = changing(usize::MAX);
    let terminal = terminal(&double, &["agents", "-w=1", "--columns", "name,status"], &[]);
    terminal
        .wait("the first picture", |shown, text| shown.parser.screen().alternate_screen() && text.contains("round-0"));
    let screen = terminal.wait("the next one, in its place", |_, text| text.contains("round-1"));
    assert!(screen.starts_with("tyrctl agents -w=1 --columns name,status  each 1s, "), "{screen}");
    assert_eq!(screen.matches("round-").count(), 1, "{screen}");
    terminal.resize(size(20, 3));
    terminal.wait("the small form", |_, text| {
        text.lines().count() == 3 && text.contains("NAME") && text.contains("round-")
    });
    terminal.signal(Signal::INT);
    let (code, left) = terminal.ended();
    assert_eq!(code, 130);
    assert!(left.contains("round-"), "the last picture stays: {left}");
}

#[test]
fn an_outage_keeps_the_last_picture_and_says_so() {
    let double = changing(1);
    let terminal = terminal(&double, &["agents", "-w=1", "--columns", "name"], &[]);
    let screen = terminal.wait("the outage", |_, text| text.contains("AS BEFORE"));
    assert!(screen.contains("round-0"), "{screen}");
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.ended().0, 130);
}

#[test]
fn terminals_without_utf8_get_ascii_alone() {
    let double = Double::start(Answers::fleet());
    for format in ["table", "json", "yaml", "csv", "name"] {
        let terminal = terminal(&double, &["agents", "-o", format], &[("LC_ALL", "C")]);
        let (code, left) = terminal.ended();
        assert!(code == 0 && left.is_ascii(), "{format}: {left}");
    }
    let terminal = terminal(&double, &["agents", "nobody-zoë"], &[("LC_ALL", "C")]);
    let (code, left) = terminal.ended();
    assert!(code == 1 && left.contains("nobody-zo<U+00EB>") && left.is_ascii(), "{left}");
}
