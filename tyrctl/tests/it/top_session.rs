//! What `tyrctl top` lives through in a real pseudo-terminal: tokens that run out, a database that is away, terminals that
//! shrink, shells that stop it, panics; and what it leaves behind: recordings, and how the next one begins.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::sse::{Event as SseEvent, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::broadcast;

use crate::top::{LIMIT, Top, count, denial, seconds_ago, snapshot, stats};

/// A server with one agent, whose token can be changed and whose database can be away.
struct Stage {
    runtime: Option<tokio::runtime::Runtime>,
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    set: Mutex<Set>,
    /// What subscribers get; `None` ends their streams.
    news: broadcast::Sender<Option<(String, String)>>,
}

struct Set {
    /// The one token that is good.
    token: String,
    /// Whether the database answers.
    database: bool,
    /// `Last-Event-ID` of each stream so far.
    resumed_from: Vec<String>,
}

impl Stage {
    fn start(token: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (news, _) = broadcast::channel(1_024);
        let set = Set { token: token.to_owned(), database: true, resumed_from: Vec::new() };
        let shared = Arc::new(Shared { set: Mutex::new(set), news });
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let answering = Arc::clone(&shared);
        let routes = Router::new().fallback(move |request: Request| {
            let shared = Arc::clone(&answering);
            async move { shared.answer(request).await }
        });
        runtime.spawn(async move { axum::serve(listener, routes).await });
        Self { runtime: Some(runtime), address, shared }
    }

    fn set(&self, change: impl FnOnce(&mut Set)) {
        change(&mut self.shared.set.lock().unwrap());
    }

    fn send(&self, id: &str, event: &Value) {
        self.shared.news.send(Some((id.to_owned(), event.to_string()))).unwrap();
    }

    /// Ends all streams.
    fn cut(&self) {
        self.shared.news.send(None).unwrap();
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn top(&self, arguments: &[&str], home: TempDir) -> Top {
        let url = self.url();
        let arguments: Vec<_> = ["--server", &url, "top"].iter().chain(arguments).copied().collect();
        Top::launch(&arguments, &[("TYR_TOKEN", "good")], home)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    let request_id = "01990000-0000-7000-8000-000000000009";
    let body = json!({"error": {"code": code, "message": message, "hint": null, "request_id": request_id}});
    (status, axum::Json(body)).into_response()
}

impl Shared {
    async fn answer(self: Arc<Self>, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        if path == "/api/v1/auth/login" {
            let body = axum::body::to_bytes(body, 10_000).await.unwrap();
            let credentials: Value = serde_json::from_slice(&body).unwrap();
            if credentials != json!({"username": "alice", "password": "secret"}) {
                return refusal(StatusCode::UNAUTHORIZED, "unauthorized", "wrong user name or password");
            }
            let token = self.set.lock().unwrap_or_else(PoisonError::into_inner).token.clone();
            let session =
                json!({"token": token, "expires_at": seconds_ago(-3_600), "username": "alice", "role": "admin"});
            return axum::Json(session).into_response();
        }
        let header =
            |name: &str| head.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let (bearer, last_event_id) = (header("authorization"), header("last-event-id"));
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        if bearer != format!("Bearer {}", set.token) {
            return refusal(StatusCode::UNAUTHORIZED, "unauthorized", "the access token has expired");
        }
        if !set.database {
            return refusal(StatusCode::SERVICE_UNAVAILABLE, "database_unavailable", "the database is away");
        }
        if path == "/api/v1/snapshot" {
            return axum::Json(snapshot()).into_response();
        }
        set.resumed_from.push(last_event_id);
        let news = self.news.subscribe();
        let greeting = Some(SseEvent::default().event("stats").data(stats().to_string()));
        Sse::new(stream::unfold((greeting, news), async |(greeting, mut news)| {
            if let Some(greeting) = greeting {
                return Some((Ok::<_, Infallible>(greeting), (None, news)));
            }
            let (id, event) = news.recv().await.ok()??;
            Some((Ok(SseEvent::default().id(id).data(event)), (None, news)))
        }))
        .into_response()
    }
}

fn event(number: u32, resource: &str) -> Value {
    let mut event = denial(resource);
    event["event_id"] = format!("019a0000-0000-7000-8000-{number:012}").into();
    event
}

/// A folder in which a token was stored by `tyrctl login`.
fn home_with_token(url: &str, token: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/tyr");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("config.toml"),
        format!("[context.default]\nserver = \"{url}\"\nusername = \"alice\"\n"),
    )
    .unwrap();
    std::fs::write(folder.join("token"), token).unwrap();
    for file in ["config.toml", "token"] {
        std::fs::set_permissions(folder.join(file), std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    home
}

/// `tyrctl` without a terminal.
fn tyrctl(arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_tyrctl"))
        .env_clear()
        .env("HOME", home.path())
        .env("LANG", "C.UTF-8")
        .args(arguments)
        .output()
        .unwrap()
}

fn live(top: &Top) {
    top.wait("the agent", |screen| screen.contains("● LIVE") && screen.contains("build-017"));
}

#[test]
fn a_token_that_runs_out_is_renewed_without_leaving() {
    let stage = Stage::start("old");
    let mut top = Top::launch(&["top", "--view", "events"], &[], home_with_token(&stage.url(), "old"));
    top.wait("the stream", |screen| screen.contains("● LIVE"));
    stage.send("7-x", &event(7, "203.0.113.7:443"));
    top.wait("the first event", |screen| screen.contains("203.0.113.7:443"));

    stage.set(|set| set.token = "new".to_owned());
    stage.cut();
    let screen = top.wait("the refusal", |screen| screen.contains("✕ LOGIN"));
    assert!(screen.contains("L = log in") && screen.contains("203.0.113.7:443"), "{screen}");
    top.press("L");
    top.wait("the question", |screen| screen.contains("Log in to http://") && screen.contains("alice"));
    top.press("wrong\r");
    top.wait("the refusal of the password", |screen| screen.contains("wrong user name or password"));
    top.press("secret");
    top.wait("the password, hidden", |screen| screen.contains("******"));
    top.press("\r");
    top.wait("the way back", |screen| screen.contains("● LIVE") && !screen.contains("Log in to"));
    stage.send("8-x", &event(8, "203.0.113.8:443"));
    let screen = top.wait("the next event", |screen| screen.contains("203.0.113.8:443"));
    assert!(screen.contains("203.0.113.7:443"), "{screen}");

    stage.set(|set| assert_eq!(set.resumed_from, ["1", "7-x"]));
    top.press("q");
    let (raw, home) = top.ended_with(0);
    assert_eq!((count(&raw, b"secret"), count(&raw, b"wrong\r")), (0, 0), "no password reaches the screen");
    let token = home.path().join(".config/tyr/token");
    assert_eq!(std::fs::read_to_string(&token).unwrap().trim(), "new", "later commands have it too");
    assert_eq!(std::fs::metadata(&token).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_token_from_the_environment_is_renewed_for_this_run() {
    let stage = Stage::start("good");
    let home = tempfile::tempdir().unwrap();
    let mut top = stage.top(&[], home);
    live(&top);
    stage.set(|set| set.token = "new".to_owned());
    stage.cut();
    top.wait("the refusal", |screen| screen.contains("✕ LOGIN"));
    top.press("L");
    top.wait("the question", |screen| screen.contains("User name"));
    top.press("alice\r\x1b");
    top.wait("the question to go", |screen| !screen.contains("User name"));
    top.press("L");
    top.wait("the question again", |screen| screen.contains("User name"));
    top.press("alice\rsecret\r");
    top.wait("the way back", |screen| screen.contains("● LIVE") && screen.contains("TYR_TOKEN goes first"));
    top.press("q");
    let (_, home) = top.ended_with(0);
    assert!(!home.path().join(".config/tyr/token").exists(), "what nobody would read is not stored");
}

#[test]
fn nothing_is_drawn_while_nothing_changes() {
    let stage = Stage::start("other");
    let mut top = stage.top(&[], tempfile::tempdir().unwrap());
    top.wait("the refusal", |screen| screen.contains("✕ LOGIN"));
    let frames = |top: &Top| count(&top.screen.0.lock().unwrap().raw, b"\x1b[?2026h");
    let before = frames(&top);
    // Keys without a meaning, sizes that are the same, a help that is opened and closed at once: one picture at the end.
    for _ in 0..50 {
        top.press("ü");
        top.resize(80, 24);
    }
    top.press("?");
    top.wait("the help", |screen| screen.contains("Keys"));
    assert_eq!(frames(&top), before + 1);
    top.press("qq");
    top.ended();
}

#[test]
fn comes_back_by_itself_when_the_database_is_back() {
    let stage = Stage::start("good");
    let mut top = stage.top(&[], tempfile::tempdir().unwrap());
    live(&top);
    stage.set(|set| set.database = false);
    stage.cut();
    top.wait("the outage", |screen| screen.contains("○ DOWN") && screen.contains("the database is away"));
    stage.set(|set| set.database = true);
    top.wait("the way back", |screen| screen.contains("● LIVE"));
    top.press("q");
    top.ended();
}

#[test]
fn a_recording_is_played_without_a_server() {
    let stage = Stage::start("good");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("night.rec");
    let name = file.to_str().unwrap();
    let mut top = stage.top(&["--record", name], tempfile::tempdir().unwrap());
    live(&top);
    top.wait("the mark", |screen| screen.contains("rec"));
    stage.send("7-x", &event(7, "203.0.113.7:443"));
    top.wait("the event", |screen| screen.contains("203.0.113.7:443"));
    top.press("q");
    top.ended();
    drop(stage);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let mut top = Top::launch(&["top", "--replay", name, "--speed", "100"], &[], tempfile::tempdir().unwrap());
    // All at once: a frame may be looked at while it is half drawn.
    let shown = ["END OF THE RECORDING", "203.0.113.7:443", "build-017"];
    top.wait("the end", |screen| shown.iter().all(|part| screen.contains(part)));
    top.press("L");
    top.press("?");
    top.wait("the help", |screen| screen.contains("Keys"));
    top.press("qq");
    top.ended();

    let plain = tyrctl(&["top", "--replay", name, "--view", "events"]);
    let text = String::from_utf8(plain.stdout).unwrap();
    assert!(plain.status.success() && text.contains("203.0.113.7:443") && !text.contains('\x1b'), "{text}");

    // Not written over, also not by mistake.
    let again = tyrctl(&["--server", "http://127.0.0.1:1", "top", "--replay", name, "--record", name]);
    assert_eq!(again.status.code(), Some(2));
    let piped = tyrctl(&["--server", "http://127.0.0.1:1", "top", "--record", "/dev/null/x"]);
    assert_eq!(piped.status.code(), Some(2), "a recording of nothing is refused");
    let before = std::fs::read(&file).unwrap();
    let refused = Top::launch(
        &["--server", "http://127.0.0.1:1", "top", "--record", name],
        &[("TYR_TOKEN", "t")],
        tempfile::tempdir().unwrap(),
    );
    let (raw, _) = refused.ended_with(1);
    assert_eq!(count(&raw, b"not written over"), 1);
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn a_cut_or_foreign_recording_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.rec");
    let head =
        json!({"tyr_record": 1, "at": seconds_ago(0), "tyrctl": "0.1.0", "context": "prod", "server": "https://x"});
    let body = json!([3, {"snapshot": {"resumed": false, "snapshot": snapshot()}}]);
    std::fs::write(&cut, format!("{head}\n{body}\n[4,\"open\"]\n[9,{{\"eve")).unwrap();
    let cut = cut.to_str().unwrap();
    let plain = tyrctl(&["top", "--replay", cut]);
    let stderr = String::from_utf8(plain.stderr).unwrap();
    assert_eq!(plain.status.code(), Some(1));
    assert!(stderr.starts_with("error: ") && stderr.contains("line 4 of the recording is cut off"), "{stderr}");

    let mut top = Top::launch(&["top", "--replay", cut], &[], tempfile::tempdir().unwrap());
    let screen = top.wait("the end", |screen| screen.contains("END OF THE RECORDING"));
    assert!(screen.contains("line 4 of the recording is cut off") && screen.contains("build-017"), "{screen}");
    top.press("q");
    top.ended();

    let foreign = tyrctl(&["top", "--replay", "/bin/true"]);
    let stderr = String::from_utf8(foreign.stderr).unwrap();
    assert_eq!(foreign.status.code(), Some(1));
    assert!(stderr.contains("no recording") && stderr.contains("hint: "), "{stderr}");
}

#[test]
fn begins_where_it_was_left_unless_told_otherwise() {
    let stage = Stage::start("good");
    let mut top = stage.top(&[], tempfile::tempdir().unwrap());
    live(&top);
    top.press("2/build\r");
    top.wait("the agents, filtered", |screen| screen.contains("[2 Agents]") && screen.contains("filter: build"));
    top.press("q");
    let (_, home) = top.ended_with(0);
    let file = home.path().join(".local/state/tyr/top/default.toml");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let mut top = stage.top(&[], home);
    top.wait("the same view", |screen| screen.contains("[2 Agents]") && screen.contains("filter: build"));
    top.press("q");
    let (_, home) = top.ended_with(0);

    let mut top = stage.top(&["--fresh"], home);
    top.wait("the first view", |screen| screen.contains("[1 Overview]") && !screen.contains("filter:"));
    top.press("q");
    let (_, home) = top.ended_with(0);

    std::fs::write(&file, "view = [").unwrap();
    let mut top = stage.top(&["--view", "drift"], home);
    top.wait("what was asked for", |screen| screen.contains("[4 Drift]"));
    top.press("q");
    top.ended();
}

#[test]
fn works_where_nothing_can_be_written() {
    let stage = Stage::start("good");
    let home = tempfile::tempdir().unwrap();
    // A file where folders would have to be made refuses also those whom modes don't.
    std::fs::write(home.path().join(".local"), "").unwrap();
    let mut top = stage.top(&[], home);
    live(&top);
    top.press("2q");
    top.ended();
}

#[test]
fn survives_a_storm_of_sizes() {
    let stage = Stage::start("good");
    let mut top = stage.top(&[], tempfile::tempdir().unwrap());
    live(&top);
    top.press("?L");
    for round in 0..30_u16 {
        for (columns, rows) in
            [(1, 1), (20, 4), (2, 1), (1, 2), (160, 48), (300, 3), (24, 4), (3, 100), (59, 14), (80 + round, 24)]
        {
            top.resize(columns, rows);
        }
        top.press(["j", "\t", "1", "5", "\x1b"][usize::from(round) % 5]);
    }
    top.press("\x1b\x1b\x1b1");
    top.resize(20, 4);
    top.wait("the status line alone", |screen| screen.contains("● LIVE") && screen.lines().count() <= 4);
    top.resize(1, 1);
    top.resize(80, 24);
    live(&top);
    top.press("q");
    top.ended();
}

#[test]
fn a_shell_stops_it_and_brings_it_back() {
    let stage = Stage::start("good");
    let mut shell = Top::program(
        "/bin/bash",
        &["--norc", "--noprofile", "-i"],
        &[("TYR_TOKEN", "good"), ("PS1", "ready> ")],
        tempfile::tempdir().unwrap(),
    );
    shell.wait("the prompt", |screen| screen.contains("ready>"));
    let tyrctl = Path::new(env!("CARGO_BIN_EXE_tyrctl")).display();
    shell.press(&format!("{tyrctl} --server {} top\r", stage.url()));
    live(&shell);
    for _ in 0..2 {
        shell.press("\x1a");
        shell.wait_for("the shell", |shown| {
            let screen = shown.parser.screen();
            !screen.alternate_screen() && !screen.hide_cursor() && screen.contents().contains("Stopped")
        });
        shell.press("clear; fg\r");
        shell.wait_for("the dashboard", |shown| {
            shown.parser.screen().alternate_screen() && shown.parser.screen().contents().contains("build-017")
        });
    }
    shell.press("q");
    shell.wait_for("the shell again", |shown| !shown.parser.screen().alternate_screen());
    shell.press("exit\r");
    shell.ended();
}

#[test]
fn without_a_shell_there_is_no_stopping() {
    let stage = Stage::start("good");
    let mut top = stage.top(&[], tempfile::tempdir().unwrap());
    live(&top);
    top.press("\x1a");
    top.wait("the refusal", |screen| screen.contains("no shell"));
    top.press("q");
    top.ended();
}

#[test]
fn a_terminal_that_hangs_up_ends_it() {
    let stage = Stage::start("good");
    let top = stage.top(&[], tempfile::tempdir().unwrap());
    live(&top);
    top.signal(Signal::HUP);
    let (_, home) = top.ended_with(0);
    assert!(home.path().join(".local/state/tyr/top/default.toml").exists(), "what was left is kept");
}

/// The dashboard that follows that server, as long as it runs.
fn running(url: &str) -> Option<u32> {
    let processes =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    processes.into_iter().find(|pid: &u32| {
        let read = |what: &str| std::fs::read_to_string(format!("/proc/{pid}/{what}")).unwrap_or_default();
        let line = read("cmdline");
        // Nobody may have asked yet how it ended.
        line.starts_with(env!("CARGO_BIN_EXE_tyrctl")) && line.contains(url) && !read("status").contains("State:\tZ")
    })
}

#[test]
fn a_terminal_that_vanishes_ends_it() {
    let stage = Stage::start("good");
    let home = tempfile::tempdir().unwrap();
    let command = format!("exec {} --server {} top", env!("CARGO_BIN_EXE_tyrctl"), stage.url());
    // Its pseudo-terminal is gone with it, and nobody says goodbye.
    let mut terminal = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .env_clear()
        .envs([("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("TYR_TOKEN", "good"), ("SHELL", "/bin/sh")])
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + LIMIT;
    let reached = |what: &str| {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::yield_now();
    };
    while stage.shared.set.lock().unwrap().resumed_from.is_empty() {
        reached("the stream");
    }
    assert!(running(&stage.url()).is_some());
    terminal.kill().unwrap();
    terminal.wait().unwrap();
    while running(&stage.url()).is_some() {
        reached("the end");
    }
}

/// Not a test but the program of the next one: it is run in a pseudo-terminal of its own.
#[test]
fn panics_with_the_terminal_taken() {
    if std::env::var_os("TYR_IT_PANIC").is_some() {
        let _screen = tyrctl::tui::term::Screen::take(true).unwrap();
        panic!("on purpose");
    }
}

#[test]
fn a_panic_gives_the_terminal_back() {
    let this = std::env::current_exe().unwrap();
    let arguments = ["--exact", "top_session::panics_with_the_terminal_taken", "--nocapture"];
    let child =
        Top::program(this.to_str().unwrap(), &arguments, &[("TYR_IT_PANIC", "1")], tempfile::tempdir().unwrap());
    let screen = Arc::clone(&child.screen);
    let (raw, _) = child.ended_with(101);
    assert!(count(&raw, b"\x1b[?1049h") == 1 && count(&raw, b"\x1b[?1049l") == 1, "it was taken and given back");
    let text = screen.0.lock().unwrap().parser.screen().contents();
    assert!(text.contains("on purpose"), "the message can be read afterwards: {text}");
}

/// Two servers as contexts, each with its token, and keys of the operator's own.
fn home_with_contexts(here: &Stage, there: &Stage, keys: &str) -> TempDir {
    let home = home_with_token(&here.url(), "here");
    let folder = home.path().join(".config/tyr");
    std::fs::create_dir_all(folder.join("tokens")).unwrap();
    let more = format!("[context.staging]\nserver = \"{}\"\n[keys]\n{keys}\n", there.url());
    let config = std::fs::read_to_string(folder.join("config.toml")).unwrap() + &more;
    for (file, text) in [("config.toml", &*config), ("tokens/staging", "there")] {
        std::fs::write(folder.join(file), text).unwrap();
        std::fs::set_permissions(folder.join(file), std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    home
}

#[test]
fn goes_to_another_context_and_back() {
    let (here, there) = (Stage::start("here"), Stage::start("there"));
    let mut top = Top::launch(&["top", "--view", "events"], &[], home_with_contexts(&here, &there, ""));
    top.wait("the stream", |screen| screen.contains("● LIVE"));
    here.send("7-x", &event(7, "203.0.113.7:443"));
    top.wait("what happens here", |screen| screen.contains("203.0.113.7:443"));
    top.press(":ctx stagin\r");
    top.wait("the mistake", |screen| screen.contains("did you mean staging?"));
    top.press("\x7f\x7f\x7f\x7f\x7f\x7fstaging\r");
    let screen = top.wait("the other fleet", |screen| screen.contains("tyr:staging") && screen.contains("● LIVE"));
    assert!(!screen.contains("203.0.113.7:443"), "{screen}");
    top.press("3");
    there.send("8-x", &event(8, "203.0.113.8:443"));
    top.wait("what happens there", |screen| screen.contains("203.0.113.8:443"));
    top.press(":ctx default\r");
    // It begins as it was left.
    let view = "[3 Events]";
    top.wait("the first fleet", |screen| {
        screen.contains("tyr:default") && screen.contains("● LIVE") && screen.contains(view)
    });
    top.press("q");
    top.ended();
}

#[test]
fn a_token_of_the_environment_goes_to_no_other_server() {
    let (here, there) = (Stage::start("here"), Stage::start("there"));
    let home = home_with_contexts(&here, &there, "");
    let mut top = Top::launch(&["top"], &[("TYR_TOKEN", "here")], home);
    live(&top);
    top.press(":ctx staging\r");
    top.wait("the reason", |screen| screen.contains("TYR_TOKEN is for one server") && screen.contains("tyr:default"));
    there.set(|set| assert!(set.resumed_from.is_empty()));
    top.press("q");
    top.ended();
}

#[test]
fn keys_of_the_configuration_hold_and_the_sql_is_shown() {
    let (here, there) = (Stage::start("here"), Stage::start("there"));
    let home = home_with_contexts(&here, &there, "sql = \"F5\"\nquit = \"x\"\nprivacy = []");
    let mut top = Top::launch(&["top", "--view", "agents"], &[], home);
    live(&top);
    top.press("\x1b[15~");
    let screen = top.wait("the statement", |screen| screen.contains("SELECT") && screen.contains("-- tyrctl agents"));
    assert!(screen.contains("y copies"), "{screen}");
    top.press("y");
    top.wait("the copy", |screen| screen.contains("sent to the terminal's clipboard"));
    top.press("6\x1b[15~");
    top.wait("the reason", |screen| screen.contains("no SQL answers what is shown here"));
    // What no longer means anything does nothing.
    top.press("pqx");
    top.ended();
}

#[test]
fn wrong_keys_are_a_clear_error() {
    let (here, there) = (Stage::start("here"), Stage::start("there"));
    for (keys, wanted) in [
        ("freze = \"x\"", &["[keys] freze: there is no such action", "did you mean `freeze`?"][..]),
        ("freeze = \"e\"", &["the key `e` means both deny-only and freeze", "`deny-only = []`"]),
    ] {
        let home = home_with_contexts(&here, &there, keys);
        for arguments in [&["top", "--once"][..], &["keys"], &["config", "check"]] {
            let output = Command::new(env!("CARGO_BIN_EXE_tyrctl"))
                .env_clear()
                .env("HOME", home.path())
                .env("LANG", "C.UTF-8")
                .args(arguments)
                .output()
                .unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{said}");
            for part in wanted {
                assert!(said.contains(part), "{arguments:?}: {said}");
            }
        }
    }
}
