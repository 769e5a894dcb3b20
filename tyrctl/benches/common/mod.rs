//! A fleet of any size, a server that shows it over HTTP and SSE, and a terminal in which `tyrctl top` runs.

#![allow(dead_code, reason = "each bench uses its part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use serde_json::{Value, json};

/// Whether only a list is wanted, or a run that need not measure anything: `cargo nextest` and `cargo test --benches` ask so.
pub(crate) fn only_listed() -> bool {
    std::env::args().any(|argument| argument == "--list" || argument == "--test")
}

/// A size from the environment.
pub(crate) fn size(name: &str, default: u32) -> u32 {
    std::env::var(name)
        .map_or(default, |text| text.replace('_', "").parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// Prints a line of results.
pub(crate) fn say(text: &str) {
    writeln!(std::io::stdout(), "{text}").expect("standard output");
}

/// The value below which that part of sorted values lies.
pub(crate) fn quantile(sorted: &[Duration], part: f64) -> Duration {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index"
    )]
    let at = ((sorted.len() as f64 - 1.0) * part).round() as usize;
    sorted[at]
}

/// Median, 99th percentile and maximum in milliseconds.
pub(crate) fn spread(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let ms = |part| quantile(times, part).as_secs_f64() * 1e3;
    format!("p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms of {}", ms(0.5), ms(0.99), ms(1.0), times.len())
}

fn ago(seconds: i64) -> String {
    (Timestamp::now() - SignedDuration::from_secs(seconds)).to_string()
}

fn agent_id(n: u32) -> String {
    format!("01990000-0000-7000-8000-{n:012x}")
}

/// An agent as the server describes it; one in fifty is stale.
pub(crate) fn agent(n: u32) -> Value {
    let stale = n.is_multiple_of(50);
    json!({
        "agent_id": agent_id(n), "name": format!("build-{n:05}"), "last_seen": ago(if stale { 200 } else { 3 }),
        "staleness_ms": if stale { 200_000 } else { 3_000 }, "liveness": if stale { "stale" } else { "online" },
        "connected": !stale, "kernel": "6.8.0-45-generic", "arch": "x86_64", "agent_version": "0.1.0",
        "capabilities": ["observe", "net_enforce", "file_enforce"],
        "hooks": ["cgroup/connect4", "cgroup/connect6", "cgroup/sendmsg4", "lsm/file_open", "lsm/bprm_check_security",
            "tp_btf/sched_process_exec", "tp_btf/sched_process_exit"],
        "posture": "enforcing", "posture_reason": "", "scope": "/sys/fs/cgroup/ci.slice",
        "policy_id": "5f2c9d1e00aa41b7", "policy_version": 41, "assigned_policy_id": "5f2c9d1e00aa41b7",
        "policy_error": "", "clock_skew_ms": 4, "spool_records": 0, "events_lost": 0, "ai_processes": 1,
        "enrolled_at": ago(864_000), "cert_not_after": ago(-864_000), "archived_at": null, "revoked_at": null
    })
}

/// One event as the server sends it; one in a hundred is a denial.
pub(crate) fn event(n: u64, agents: u32, now: &str) -> String {
    let agent = u32::try_from(n % u64::from(agents)).expect("below");
    let (verdict, severity) = if n.is_multiple_of(100) { ("deny", "high") } else { ("allow", "low") };
    let kind = ["file_read", "file_read", "file_write", "exec", "net_connect"][usize::try_from(n % 5).expect("below")];
    format!(
        r#"{{"event_id":"019a0000-0000-7000-8000-{n:012x}","agent_id":"{}","agent_name":"build-{agent:05}","ts":"{now}","received_at":"{now}","discovered_agent_id":"01980000-0000-7000-8000-{agent:012x}","agent_type":"claude-code","kind":"{kind}","resource":"/home/alice/project/src/module_{n}/mod.rs","verdict":"{verdict}","server_verdict":"{verdict}","drift_detected":false,"drift_reason":null,"severity":"{severity}","rule":"sources","policy_id":"5f2c9d1e00aa41b7","policy_version":41,"pid":4242,"process_exe":"/usr/bin/node","cmdline":"node /usr/lib/node_modules/@anthropic-ai/claude-code/cli.js --print","metadata":{{"flags":"O_RDONLY","comm":"node"}}}}"#,
        agent_id(agent),
    )
}

/// What a dashboard starts from.
pub(crate) fn snapshot(agents: u32) -> String {
    let now = ago(0);
    let events: Vec<String> = (0..500).rev().map(|n| event(n, agents, &now)).collect();
    let rates: Vec<Value> = (0..60)
        .flat_map(|minute| {
            ["file_read", "file_write", "exec", "net_connect"].map(|kind| {
                json!({"minute": ago(minute * 60), "verdict": "allow", "kind": kind, "events": 30_000, "drifts": 0})
            })
        })
        .collect();
    let processes: Vec<Value> = (0..agents)
        .map(|n| {
            json!({"id": format!("01980000-0000-7000-8000-{n:012x}"), "daemon_agent_id": agent_id(n), "agent_name": format!("build-{n:05}"),
                "agent_type": "claude-code", "display_name": "claude-code", "pid": 4_242, "process_signature": "ab".repeat(32),
                "process_exe": "/usr/bin/node", "cmdline": "node /usr/lib/node_modules/@anthropic-ai/claude-code/cli.js --print",
                "found_by": "fingerprint", "first_seen": ago(3_600), "ended_at": null})
        })
        .collect();
    let rest = json!({
        "now": now, "version": "0.1.0", "stale_after_s": 90, "drifts": [], "drifts_1d": 0, "alerts": [], "rates": rates,
        "cursor": "1", "agents": (0..agents).map(agent).collect::<Vec<_>>(), "discovered_agents": processes,
    });
    let rest = rest.to_string();
    format!("{},\"events\":[{}]}}", rest.trim_end_matches('}'), events.join(","))
}

/// A server with a fleet and a rate of events.
pub(crate) struct Double {
    pub(crate) address: SocketAddr,
    /// When the last byte of each snapshot was handed to the kernel.
    pub(crate) sent: Receiver<Instant>,
    /// Events written so far.
    pub(crate) written: Arc<AtomicU64>,
    /// Events per second from now on.
    pub(crate) rate: Arc<AtomicU32>,
}

impl Double {
    pub(crate) fn start(agents: u32, rate: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let address = listener.local_addr().expect("an address");
        let (sender, sent) = mpsc::channel();
        let body = Arc::new(snapshot(agents));
        let written = Arc::new(AtomicU64::new(1_000));
        let rate = Arc::new(AtomicU32::new(rate));
        let (counter, pace) = (Arc::clone(&written), Arc::clone(&rate));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (body, sender) = (Arc::clone(&body), sender.clone());
                let (counter, pace) = (Arc::clone(&counter), Arc::clone(&pace));
                // Ends with the connection.
                std::thread::spawn(move || {
                    let _ = serve(stream, &body, agents, &sender, &counter, &pace);
                });
            }
        });
        Self { address, sent, written, rate }
    }
}

fn serve(
    stream: TcpStream,
    body: &str,
    agents: u32,
    sent: &mpsc::Sender<Instant>,
    written: &AtomicU64,
    rate: &AtomicU32,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream);
    loop {
        let mut first = String::new();
        if lines.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut header = String::from("x");
        while !header.trim().is_empty() {
            header.clear();
            lines.read_line(&mut header)?;
        }
        if first.contains("/api/v1/events/stream") {
            return follow(&mut out, agents, written, rate);
        }
        write!(out, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len())?;
        out.write_all(body.as_bytes())?;
        // Nobody may be interested.
        let _ = sent.send(Instant::now());
    }
}

/// Events in steps of a hundredth of a second; counters and the agents that sent a heartbeat each second.
fn follow(out: &mut TcpStream, agents: u32, written: &AtomicU64, rate: &AtomicU32) -> std::io::Result<()> {
    const STEPS: u32 = 100;
    write!(out, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")?;
    let start = Instant::now();
    let mut of_second = 0_u64;
    for step in 0_u32.. {
        let mut text = Vec::new();
        let now = ago(0);
        for _ in 0..rate.load(Ordering::Relaxed) / STEPS {
            let n = written.fetch_add(1, Ordering::Relaxed);
            write!(text, "id: {n}-x\ndata: {}\n\n", event(n, agents, &now))?;
            of_second += 1;
        }
        if step.is_multiple_of(STEPS) {
            let second = step / STEPS;
            let stats = json!({"now": now, "events_by_verdict": {"allow": of_second}, "events_by_kind": {"file_read": of_second},
                "drifts": 0, "drifts_1d": 0, "agents_by_liveness": {"online": agents}, "events_lost": 0});
            // Each agent sends a heartbeat every 30 s.
            let heard: Vec<Value> =
                (0..agents).skip(usize::try_from(second % 30).expect("small")).step_by(30).map(agent).collect();
            write!(text, "event: stats\ndata: {stats}\n\nevent: agents\ndata: {}\n\n", Value::from(heard))?;
            of_second = 0;
        }
        // An empty chunk would be the end.
        if !text.is_empty() {
            write!(out, "{:x}\r\n", text.len())?;
            out.write_all(&text)?;
            out.write_all(b"\r\n")?;
        }
        let due = start + Duration::from_secs(1) / STEPS * (step + 1);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    Ok(())
}

/// `tyrctl top` in a pseudo-terminal of 160x48.
pub(crate) struct Top {
    _master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    shown: Arc<(Mutex<Shown>, Condvar)>,
    _home: tempfile::TempDir,
}

/// The screen after the last whole frame.
struct Shown {
    parser: vt100::Parser,
    text: String,
    frames: u64,
    at: Instant,
}

impl Top {
    pub(crate) fn start(address: SocketAddr, arguments: &[&str]) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let pty = native_pty_system()
            .openpty(PtySize { rows: 48, cols: 160, pixel_width: 0, pixel_height: 0 })
            .expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tyrctl"));
        command.env_clear();
        command.args(["--server", &format!("http://{address}"), "top"]);
        command.args(arguments);
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("TYR_TOKEN", "t")] {
            command.env(name, value);
        }
        command.env("HOME", home.path());
        let child = pty.slave.spawn_command(command).expect("started");
        let lines = |n| std::num::NonZero::new(n).expect("a size");
        let parser = vt100::Parser::new(lines(48), lines(160), 0);
        let shown = Arc::new((
            Mutex::new(Shown { parser, text: String::new(), frames: 0, at: Instant::now() }),
            Condvar::new(),
        ));
        let (mut reader, writing) = (pty.master.try_clone_reader().expect("a reader"), Arc::clone(&shown));
        std::thread::spawn(move || {
            let mut bytes = vec![0; 64 * 1024];
            // Linux answers EIO when the other side has gone.
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                let at = Instant::now();
                let mut shown = writing.0.lock().expect("no panic");
                shown.parser.process(&bytes[..count]);
                // A frame is whole with the end of its synchronised update.
                if bytes[..count].windows(8).any(|part| part == b"\x1b[?2026l") {
                    shown.text = shown.parser.screen().contents();
                    shown.frames += 1;
                    shown.at = at;
                    writing.1.notify_all();
                }
            }
        });
        let keys = pty.master.take_writer().expect("a writer");
        Self { _master: pty.master, keys, child, shown, _home: home }
    }

    /// Waits for a frame that satisfies the predicate; when it arrived, and how it looks.
    pub(crate) fn wait(&self, what: &str, wanted: impl Fn(&str) -> bool) -> (Instant, String) {
        let limit = Instant::now() + Duration::from_mins(1);
        let mut shown = self.shown.0.lock().expect("no panic");
        while !wanted(&shown.text) {
            let left = limit.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what}:\n{}", shown.text);
            shown = self.shown.1.wait_timeout(shown, left).expect("no panic").0;
        }
        (shown.at, shown.text.clone())
    }

    pub(crate) fn press(&mut self, keys: &str) -> Instant {
        let at = Instant::now();
        self.keys.write_all(keys.as_bytes()).expect("a terminal");
        self.keys.flush().expect("a terminal");
        at
    }

    pub(crate) fn frames(&self) -> u64 {
        self.shown.0.lock().expect("no panic").frames
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.process_id().expect("it runs")
    }

    /// CPU time so far, all threads, user and system.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("a process");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: u64 = [11, 12].into_iter().map(|index| fields[index].parse::<u64>().expect("a number")).sum();
        // USER_HZ is 100 on every Linux that we build for.
        Duration::from_millis(ticks * 10)
    }

    /// A line of `/proc/PID/status`, in KiB.
    pub(crate) fn kib(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("a process");
        let line = status.lines().find(|line| line.starts_with(name)).expect("a line of that name");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
    }

    /// Quits, and waits for the end.
    pub(crate) fn quit(mut self) {
        self.press("q");
        assert!(self.child.wait().expect("it ends").success());
    }
}
