//! `--watch`: in a pipe one output after the other, on a terminal one picture in place.

use std::io::{BufRead, BufReader, Read};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use tyr_api::agents::Liveness;

use crate::double::{Answers, Double, agent, answer};

/// Longest wait for anything.
const LIMIT: Duration = Duration::from_secs(30);

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

/// What the terminal was sent, and how it looks.
struct Shown {
    parser: vt100::Parser,
    closed: bool,
}

/// tyrctl in a pseudo-terminal.
struct Terminal {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<(Mutex<Shown>, Condvar)>,
    before: String,
}

fn places(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal has places")
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

impl Terminal {
    fn start(double: &Double, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let pty = native_pty_system().openpty(size(60, 8)).expect("a pseudo-terminal");
        let before = format!("{:?}", pty.master.get_termios().expect("settings"));
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tyrctl"));
        command.env_clear();
        command.args(arguments);
        for (name, value) in
            [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("TYR_TOKEN", "t")].iter().chain(environment)
        {
            command.env(name, value);
        }
        command.env("TYR_SERVER", double.url());
        command.env("XDG_CONFIG_HOME", double.config());
        command.env("HOME", double.config());
        let child = pty.slave.spawn_command(command).expect("it starts");
        drop(pty.slave);
        let shown = Shown { parser: vt100::Parser::new(places(8), places(60), 0), closed: false };
        let screen = Arc::new((Mutex::new(shown), Condvar::new()));
        let (mut reader, writer) = (pty.master.try_clone_reader().expect("a reader"), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            loop {
                // Linux answers EIO when the other side has gone.
                let count = reader.read(&mut bytes).unwrap_or(0);
                let mut shown = writer.0.lock().expect("no panic");
                shown.parser.process(&bytes[..count]);
                shown.closed = count == 0;
                writer.1.notify_all();
                if count == 0 {
                    break;
                }
            }
        });
        Self { master: pty.master, child, screen, before }
    }

    /// Waits until the screen is as described; shows it when it doesn't become so.
    fn wait(&self, what: &str, predicate: impl Fn(&Shown, &str) -> bool) -> String {
        let deadline = Instant::now() + LIMIT;
        let mut shown = self.screen.0.lock().expect("no panic");
        loop {
            let contents = shown.parser.screen().contents();
            if predicate(&shown, &contents) {
                return contents;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what}; the screen:\n{contents}");
            shown = self.screen.1.wait_timeout(shown, left).expect("no panic").0;
        }
    }

    fn resize(&self, columns: u16, rows: u16) {
        self.screen.0.lock().expect("no panic").parser.screen_mut().set_size(places(rows), places(columns));
        self.master.resize(size(columns, rows)).expect("resized");
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.process_id().expect("an id")).expect("small");
        kill_process(Pid::from_raw(pid).expect("an id"), signal).expect("sent");
    }

    /// The exit code and what is left on the screen; the terminal is as it was.
    fn ended(mut self) -> (u32, String) {
        let code = self.child.wait().expect("it ends").exit_code();
        let left = self.wait("the end", |shown, _| shown.closed);
        let shown = self.screen.0.lock().expect("no panic");
        assert!(!shown.parser.screen().alternate_screen() && !shown.parser.screen().hide_cursor());
        assert_eq!(format!("{:?}", self.master.get_termios().expect("settings")), self.before);
        (code, left)
    }
}

#[test]
fn a_terminal_gets_one_picture_that_follows_and_leaves_it_as_it_was() {
    let double = changing(usize::MAX);
    let terminal = Terminal::start(&double, &["agents", "-w=1", "--columns", "name,status"], &[]);
    terminal
        .wait("the first picture", |shown, text| shown.parser.screen().alternate_screen() && text.contains("round-0"));
    let screen = terminal.wait("the next one, in its place", |_, text| text.contains("round-1"));
    assert!(screen.starts_with("tyrctl agents -w=1 --columns name,status  each 1s, "), "{screen}");
    assert_eq!(screen.matches("round-").count(), 1, "{screen}");
    terminal.resize(20, 3);
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
    let terminal = Terminal::start(&double, &["agents", "-w=1", "--columns", "name"], &[]);
    let screen = terminal.wait("the outage", |_, text| text.contains("AS BEFORE"));
    assert!(screen.contains("round-0"), "{screen}");
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.ended().0, 130);
}

#[test]
fn terminals_without_utf8_get_ascii_alone() {
    let double = Double::start(Answers::fleet());
    for format in ["table", "json", "yaml", "csv", "name"] {
        let terminal = Terminal::start(&double, &["agents", "-o", format], &[("LC_ALL", "C")]);
        let (code, left) = terminal.ended();
        assert!(code == 0 && left.is_ascii(), "{format}: {left}");
    }
    let terminal = Terminal::start(&double, &["agents", "nobody-zoë"], &[("LC_ALL", "C")]);
    let (code, left) = terminal.ended();
    assert!(code == 1 && left.contains("nobody-zo<U+00EB>") && left.is_ascii(), "{left}");
}
