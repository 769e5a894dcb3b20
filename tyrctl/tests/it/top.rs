//! `tyrctl top` in a real pseudo-terminal, against a server that comes, goes and comes back.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::response::IntoResponse;
use axum::response::sse::{Event as SseEvent, Sse};
use axum::routing::get;
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::broadcast;

/// Longest wait for anything on the screen.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// A server with one agent; dropping it cuts all connections.
struct Double {
    runtime: Option<tokio::runtime::Runtime>,
    address: SocketAddr,
    news: broadcast::Sender<String>,
}

impl Double {
    fn start(address: SocketAddr) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (news, _) = broadcast::channel(64);
        let sender = news.clone();
        let listener = runtime.block_on(tokio::net::TcpListener::bind(address)).unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new()
            .route("/api/v1/snapshot", get(async || axum::Json(snapshot()).into_response()))
            .route("/api/v1/events/stream", get(move || std::future::ready(follow(sender.subscribe()))));
        runtime.spawn(async move { axum::serve(listener, routes).await });
        Self { runtime: Some(runtime), address, news }
    }

    fn send(&self, event: &Value) {
        self.news.send(event.to_string()).unwrap();
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

/// Counters each second, and the events that the test sends.
fn follow(news: broadcast::Receiver<String>) -> impl IntoResponse {
    let second = tokio::time::interval(Duration::from_secs(1));
    Sse::new(stream::unfold((news, second), async |(mut news, mut second)| {
        let frame = tokio::select! {
            event = news.recv() => {
                let event = event.ok()?;
                SseEvent::default().id(format!("{}-x", event.len())).data(event)
            }
            _ = second.tick() => SseEvent::default().event("stats").data(stats().to_string()),
        };
        Some((Ok::<_, Infallible>(frame), (news, second)))
    }))
}

pub(crate) fn seconds_ago(seconds: i64) -> String {
    (Timestamp::now() - SignedDuration::from_secs(seconds)).to_string()
}

pub(crate) fn stats() -> Value {
    json!({"now": seconds_ago(0), "events_by_verdict": {"allow": 3}, "events_by_kind": {"exec": 3}, "drifts": 0,
        "drifts_1d": 0, "agents_by_liveness": {"online": 1}, "events_lost": 0})
}

pub(crate) fn snapshot() -> Value {
    json!({
        "now": seconds_ago(0), "version": "0.1.0", "stale_after_s": 90, "discovered_agents": [], "events": [], "drifts": [],
        "drifts_1d": 0, "rates": [], "cursor": "1",
        "agents": [{
            "agent_id": "01990000-0000-7000-8000-000000000001", "name": "build-017", "last_seen": seconds_ago(1),
            "staleness_ms": 1000, "liveness": "online", "connected": true, "kernel": "6.8.0", "arch": "x86_64",
            "agent_version": "0.1.0", "capabilities": [], "hooks": [], "posture": "partial", "posture_reason": "no BPF LSM",
            "scope": "", "policy_id": null, "policy_version": null, "assigned_policy_id": null, "policy_error": "",
            "clock_skew_ms": 0, "spool_records": 0, "events_lost": 0, "ai_processes": 1, "enrolled_at": seconds_ago(60),
            "cert_not_after": seconds_ago(-60), "archived_at": null
        }]
    })
}

pub(crate) fn denial(resource: &str) -> Value {
    json!({
        "event_id": "019a0000-0000-7000-8000-000000000001", "agent_id": "01990000-0000-7000-8000-000000000001",
        "agent_name": "build-017", "ts": seconds_ago(0), "received_at": seconds_ago(0), "discovered_agent_id": null,
        "agent_type": "claude-code", "kind": "net_connect", "resource": resource, "verdict": "deny",
        "server_verdict": "deny", "drift_detected": false, "drift_reason": null, "severity": "high", "rule": "no-exfiltration",
        "policy_id": null, "policy_version": null, "pid": 42, "process_exe": "/usr/bin/node", "cmdline": "node", "metadata": {}
    })
}

/// `tyrctl top` in a pseudo-terminal.
pub(crate) struct Top {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    pub(crate) child: Box<dyn Child + Send + Sync>,
    pub(crate) screen: Arc<(Mutex<Shown>, Condvar)>,
    before: String,
    pub(crate) home: TempDir,
}

/// What the terminal was sent, and how it looks.
pub(crate) struct Shown {
    pub(crate) parser: vt100::Parser,
    pub(crate) raw: Vec<u8>,
    closed: bool,
}

impl Top {
    fn start(address: SocketAddr, environment: &[(&str, &str)]) -> Self {
        let environment: Vec<_> = [("TYR_TOKEN", "t")].iter().chain(environment).copied().collect();
        Self::launch(&["--server", &format!("http://{address}"), "top"], &environment, tempfile::tempdir().unwrap())
    }

    /// `tyrctl` with these arguments in 80x24.
    pub(crate) fn launch(arguments: &[&str], environment: &[(&str, &str)], home: TempDir) -> Self {
        Self::program(env!("CARGO_BIN_EXE_tyrctl"), arguments, environment, home)
    }

    /// Any program.
    pub(crate) fn program(program: &str, arguments: &[&str], environment: &[(&str, &str)], home: TempDir) -> Self {
        let pty = native_pty_system().openpty(size(80, 24)).unwrap();
        let before = format!("{:?}", pty.master.get_termios().unwrap());
        let mut command = CommandBuilder::new(program);
        command.env_clear();
        command.args(arguments);
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8")].iter().chain(environment) {
            command.env(name, value);
        }
        command.env("HOME", home.path());
        let child = pty.slave.spawn_command(command).unwrap();
        let shown = Shown { parser: vt100::Parser::new(lines(24), lines(80), 0), raw: Vec::new(), closed: false };
        let screen = Arc::new((Mutex::new(shown), Condvar::new()));
        let (mut reader, writer) = (pty.master.try_clone_reader().unwrap(), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut bytes = [0; 4_096];
            loop {
                // Linux answers EIO when the other side has gone.
                let count = reader.read(&mut bytes).unwrap_or(0);
                let mut shown = writer.0.lock().unwrap();
                shown.parser.process(&bytes[..count]);
                shown.raw.extend_from_slice(&bytes[..count]);
                shown.closed = count == 0;
                writer.1.notify_all();
                if count == 0 {
                    break;
                }
            }
        });
        let keys = pty.master.take_writer().unwrap();
        Self { master: pty.master, keys, child, screen, before, home }
    }

    /// Waits until the screen satisfies the predicate; shows the last screen when it doesn't in time.
    pub(crate) fn wait(&self, what: &str, predicate: impl Fn(&str) -> bool) -> String {
        self.wait_for(what, |shown| predicate(&shown.parser.screen().contents()))
    }

    pub(crate) fn wait_for(&self, what: &str, predicate: impl Fn(&Shown) -> bool) -> String {
        let deadline = Instant::now() + LIMIT;
        let mut shown = self.screen.0.lock().unwrap();
        loop {
            if predicate(&shown) {
                return shown.parser.screen().contents();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what}; the screen:\n{}", shown.parser.screen().contents());
            shown = self.screen.1.wait_timeout(shown, left).unwrap().0;
        }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        self.screen.0.lock().unwrap().parser.screen_mut().set_size(lines(rows), lines(columns));
        self.master.resize(size(columns, rows)).unwrap();
    }

    /// The program ended well, and the terminal is as it was.
    pub(crate) fn ended(self) -> Vec<u8> {
        self.ended_with(0).0
    }

    /// The program ended with that code, and the terminal is as it was; all that was written, and the folder.
    pub(crate) fn ended_with(mut self, code: u32) -> (Vec<u8>, TempDir) {
        assert_eq!(self.child.wait().unwrap().exit_code(), code);
        assert_eq!(format!("{:?}", self.master.get_termios().unwrap()), self.before, "terminal settings");
        // All of it: what was written last arrives after the end.
        self.wait_for("the alternate screen to be left", |shown| {
            let screen = shown.parser.screen();
            let mouse = screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None;
            shown.closed && !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste() && !mouse
        });
        let raw = self.screen.0.lock().unwrap().raw.clone();
        (raw, self.home)
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.child.process_id().unwrap()).unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal).unwrap();
    }
}

fn lines(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal has lines")
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

pub(crate) fn count(raw: &[u8], sequence: &[u8]) -> usize {
    raw.windows(sequence.len()).filter(|window| *window == sequence).count()
}

/// A port that nobody listens on now.
pub(crate) fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn survives_a_server_that_comes_and_goes() {
    let address = free_address();
    let mut top = Top::start(address, &[]);
    top.wait("the outage at the start", |screen| screen.contains("○ DOWN") && screen.contains("retry in"));

    let double = Double::start(address);
    top.press("r");
    top.wait("the agent", |screen| {
        screen.contains("● LIVE") && screen.contains("build-017") && screen.contains("ev/s")
    });
    double.send(&denial("203.0.113.9:443"));
    top.wait("the denial", |screen| screen.contains("203.0.113.9:443") && screen.contains("deny"));

    let address = double.address;
    drop(double);
    let screen = top.wait("the outage", |screen| screen.contains("○ DOWN") && screen.contains("data as of"));
    assert!(screen.contains("203.0.113.9:443") && screen.contains("ages paused"), "{screen}");

    let double = Double::start(address);
    top.press("r");
    top.wait("the way back", |screen| screen.contains("● LIVE") && screen.contains("reconnected after"));

    top.resize(160, 48);
    top.wait("the large form", |screen| screen.contains("Selected: build-017") && screen.contains("By kind"));
    top.resize(30, 6);
    top.wait("the small form", |screen| screen.contains("build-017") && !screen.contains('┌'));
    top.resize(80, 24);
    top.wait("the first form", |screen| screen.contains("3 Events"));
    // A click on the view's name.
    top.press("\x1b[<0;26;2M");
    top.wait("the events", |screen| screen.contains("[3 Events]"));
    top.press("\r");
    top.wait("the event", |screen| screen.contains("the kernel refused it") && screen.contains("no-exfiltration"));
    top.press("q");
    let raw = top.ended();
    assert!(count(&raw, b"\x1b[?2026h") > 0, "frames come in brackets");
    assert!(count(&raw, b"\x1b[?2026l") >= count(&raw, b"\x1b[?2026h"), "and each bracket is closed");
    drop(double);
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let double = Double::start(free_address());
    let top = Top::start(double.address, &[("NO_COLOR", "1")]);
    top.wait("the agent", |screen| screen.contains("● LIVE") && screen.contains("build-017"));
    top.wait_for("no colours under NO_COLOR", |shown| {
        let screen = shown.parser.screen();
        let mut cells = (0..24).flat_map(|row| (0..80).map(move |column| (row, column)));
        cells.all(|(row, column)| screen.cell(row, column).is_none_or(|cell| cell.fgcolor() == vt100::Color::Default))
    });
    let pid = i32::try_from(top.child.process_id().unwrap()).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::TERM).unwrap();
    top.ended();
}

#[test]
fn leaving_with_a_capital_q_keeps_the_last_screen() {
    let double = Double::start(free_address());
    let mut top = Top::start(double.address, &[("LANG", "C")]);
    top.wait("the agent", |screen| screen.contains("* LIVE") && screen.contains("build-017"));
    top.press("Q");
    let screen = Arc::clone(&top.screen);
    top.ended();
    let text = screen.0.lock().unwrap().parser.screen().contents();
    assert!(text.contains("build-017") && text.is_ascii(), "{text}");
}
