//! A server that answers what it was told to, and a folder in which nobody else's configuration is.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tyr_api::agents::{Agent, DenialTrial, DiscoveredAgent, Liveness, Posture, TablesState};
use tyr_api::events::{DriftReason, Event, EventKind, Severity, Verdict};
use uuid::Uuid;

/// A running double.
pub(crate) struct Double {
    address: SocketAddr,
    folder: TempDir,
    requests: Arc<Mutex<Vec<String>>>,
    _runtime: Runtime,
}

/// Status and body of each `METHOD /path?query`, or of `METHOD /path` whatever the query; everything else is a 404.
#[derive(Clone, Default)]
pub(crate) struct Answers(BTreeMap<String, (u16, String)>);

impl Answers {
    pub(crate) fn with(mut self, route: &str, status: u16, body: &impl Serialize) -> Self {
        self.0.insert(route.to_owned(), (status, serde_json::to_string(body).expect("JSON")));
        self
    }

    /// A body that is no JSON.
    pub(crate) fn text(mut self, route: &str, body: &str) -> Self {
        self.0.insert(route.to_owned(), (200, body.to_owned()));
        self
    }

    /// Changes each body of JSON.
    pub(crate) fn map(mut self, change: impl Fn(&mut Value)) -> Self {
        for (_, body) in self.0.values_mut() {
            if let Ok(mut json) = serde_json::from_str(body) {
                change(&mut json);
                *body = json.to_string();
            }
        }
        self
    }

    pub(crate) fn list(self, path: &str, items: &impl Serialize) -> Self {
        self.with(&format!("GET {path}"), 200, &json!({ "items": items }))
    }

    /// What the small fleet leaves out: alerts, the database, metrics.
    pub(crate) fn everything() -> Self {
        let partition = json!({"partition": "events_20261122", "from": "2026-11-22T00:00:00Z", "rows": 2, "bytes": 8192,
            "index_bytes": 4096, "oldest_ts": "2026-11-22T19:40:01Z", "newest_ts": "2026-11-22T19:40:01Z"});
        Self::fleet()
            .with("GET /api/v1/alerts", 200, &json!({"items": [alert()], "next_cursor": null}))
            .list("/api/v1/webhooks", &json!([{"webhook_id": id(61), "url": "https://pager.example.com/tyr", "format": "json",
                "rules": ["stale"], "enabled": true, "created_at": "2026-11-22T19:00:00Z", "created_by": "alice", "waiting": 2,
                "dead": 1, "delivered_at": null, "last_error": "the receiver answered 500"}]))
            .with("GET /api/v1/stats/agents", 200, &json!({"since": "2026-11-22T19:00:00Z", "until": "2026-11-22T20:00:00Z",
                "items": [{"agent_id": id(1), "agent_name": "build-017", "events": 9, "allow": 5, "deny": 3, "alert": 1, "drifts": 1}]}))
            .with("GET /api/v1/db", 200, &json!({"now": "2026-11-22T20:00:00Z", "version": "15.18", "database": "tyr",
                "size_bytes": 9_000_000, "retention_days": 30, "events_per_day": 1200, "events_bytes_per_day": 90_000,
                "connections_max": 100,
                "connections": [{"application": "tyr-server", "state": "idle", "connections": 3, "oldest_transaction_ms": null}],
                "tables": [{"table": "events", "rows": 2, "bytes": 16_384, "index_bytes": 8192, "growth_bytes_per_day": 90_000}],
                "partitions": [partition],
                "indexes": [{"index": "events_20261122_ts_idx", "table": "events_20261122", "rows": 2, "bytes": 8192,
                    "bloat_bytes": 1024, "bloat_percent": 12, "scans": 7}],
                "apart": [{"agent_id": id(1), "agent_name": "build-017", "how": "rejected", "reason": "no event", "events": 4,
                    "oldest_ts": null, "newest_ts": null, "last_at": "2026-11-22T19:40:01Z"}],
                "migrations": []}))
            .text("GET /metrics", "# HELP tyr_events_total Events.\n# TYPE tyr_events_total counter\ntyr_events_total{verdict=\"deny\"} 3\n")
    }

    /// A small fleet with one of everything.
    pub(crate) fn fleet() -> Self {
        let agents = vec![
            agent(1, "build-017", Liveness::Stale, 579_000),
            agent(2, "laptop-zoë", Liveness::Online, 400),
            agent(3, "build-018", Liveness::Offline, 11_100_000),
        ];
        let events = vec![event(1, EventKind::NetConnect, Verdict::Deny, "192.0.2.7:443"), drifting_event()];
        Self::default()
            .with("GET /health", 200, &json!({"status": "ok", "db": "ok", "version": "0.1.0"}))
            .with("GET /api/v1/auth/status", 200, &json!({"configured": true}))
            .with("GET /api/v1/auth/me", 200, &json!({"user_id": id(41), "username": "alice", "role": "admin",
                "session_id": id(42), "expires_at": "2026-11-23T19:00:00Z"}))
            .with("POST /api/v1/auth/logout", 204, &())
            .list("/api/v1/users", &json!([
                {"user_id": id(41), "username": "alice", "role": "admin", "created_at": "2026-11-22T18:00:00Z",
                    "password_changed_at": null, "last_login_at": "2026-11-22T19:00:00Z"},
                {"user_id": id(43), "username": "bob", "role": "viewer", "created_at": "2026-11-22T18:30:00Z",
                    "password_changed_at": null, "last_login_at": null},
            ]))
            .list("/api/v1/audit", &json!([
                {"audit_id": 8, "ts": "2026-11-22T19:20:00.5Z", "actor": "<unknown>", "actor_id": null, "source": "192.0.2.9",
                    "action": "auth.login_failed", "target": "", "details": {}, "request_id": id(44)},
                {"audit_id": 7, "ts": "2026-11-22T19:10:00Z", "actor": "alice", "actor_id": id(41), "source": "192.0.2.7",
                    "action": "user.create", "target": "bob\u{1b}[2J", "details": {"role": "viewer"}, "request_id": id(45)},
            ]))
            .with("GET /api/v1/agents/00000000-0000-7000-8000-000000000001", 200, &agents[0])
            .list("/api/v1/agents", &agents)
            .list("/api/v1/daemons", &agents)
            .list("/api/v1/agents?liveness=stale%2Coffline", &[&agents[0], &agents[2]])
            .list("/api/v1/agents?unheard_for_s=3600", &[&agents[2]])
            .list("/api/v1/agents?liveness=online", &[&agents[1]])
            .list("/api/v1/agents?liveness=online%2Clate&silent_for_s=604800", &[&agents[1]])
            .list("/api/v1/discovered-agents", &vec![ai_process()])
            .list("/api/v1/agent-types", &json!([{"agent_type": "claude-code", "registered": true,
                "approved_at": "2026-11-22T19:00:00Z", "approved_by": "alice", "overlay_version": null, "ai_processes": 1}]))
            .list("/api/v1/discovered-agents?agent_type=none&alive=true", &json!([]))
            .with("GET /api/v1/discovered-agents/00000000-0000-7000-8000-000000000011", 200, &ai_process())
            .with("GET /api/v1/events/00000000-0000-7000-8000-000000000021", 200, &events[0])
            .with("GET /api/v1/events/00000000-0000-7000-8000-000000000022", 200, &events[1])
            .list("/api/v1/events", &events)
            .list("/api/v1/stats/drift", &json!([{"agent_id": id(1), "agent_name": "build-017", "drifts": 3, "last_ts": "2026-11-22T19:40:01Z"}]))
            .list(
                "/api/v1/stats/drift?by=reason&since=2026-11-21T19%3A00%3A00Z",
                &json!([
                    {"group": "stale_policy", "drifts": 2, "agents": 1, "last_ts": "2026-11-22T19:40:01.5Z", "sustained": true},
                    {"group": "none", "drifts": 1, "agents": 1, "last_ts": "2026-11-22T19:40:01.5Z", "sustained": false},
                ]),
            )
            .list(
                "/api/v1/stats/rate",
                &json!([
                    {"minute": "2026-11-22T19:41:00Z", "verdict": "deny", "events": 5, "drifts": 1},
                    {"minute": "2026-11-22T19:40:00Z", "verdict": "allow", "events": 100, "drifts": 0},
                ]),
            )
            .list(
                "/api/v1/stats/rate?by=agent&since=2026-11-22T19%3A00%3A00Z",
                &json!([
                    {"hour": "2026-11-22T19:00:00Z", "agent_id": id(1), "agent_name": "build-017", "events": 5, "drifts": 1},
                ]),
            )
            .list("/api/v1/policies", &json!([policy_version(1), policy_version(2)]))
            .list("/api/v1/policy-assignments", &json!([assignment()]))
            .list("/api/v1/enrollment-tokens", &json!([token()]))
    }
}

impl Double {
    pub(crate) fn start(answers: Answers) -> Self {
        Self::serve(|requests| {
            Router::new().fallback(move |request: Request| {
                let (answers, requests) = (answers.clone(), requests.clone());
                async move {
                    let line = format!("{} {}", request.method(), request.uri());
                    requests.lock().expect("no panic").push(line.clone());
                    let whatever = format!("{} {}", request.method(), request.uri().path());
                    answer(&answers, if answers.0.contains_key(&line) { &line } else { &whatever })
                }
            })
        })
    }

    /// With routes of its own, which may note requests.
    pub(crate) fn serve(routes: impl FnOnce(Arc<Mutex<Vec<String>>>) -> Router) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let routes = routes(Arc::clone(&requests));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("bound");
        runtime.spawn(async move { axum::serve(listener, routes).await });
        let double =
            Self { address, folder: tempfile::tempdir().expect("a temporary folder"), requests, _runtime: runtime };
        tyrctl::auth::store_token(&double.folder.path().join("tyr/token"), "stored-token").expect("stored");
        double
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The configuration folder, `…/tyr`.
    pub(crate) fn config(&self) -> std::path::PathBuf {
        self.folder.path().join("tyr")
    }

    /// The folder of caches.
    pub(crate) fn cache(&self) -> std::path::PathBuf {
        self.folder.path().join("cache")
    }

    /// Method and path with query of all requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tyrctl"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TYR_")) {
            command.env_remove(name);
        }
        command.args(arguments).env("TYR_SERVER", self.url()).env("XDG_CONFIG_HOME", self.folder.path());
        command.env("XDG_CACHE_HOME", self.cache());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the binary and gives exit code, standard output and standard error as one text.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.run_with_input(arguments, "")
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> String {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().expect("tyrctl starts");
        // A program that needs no input may be gone before it is written.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("tyrctl ends");
        let mut text = format!("exit {}\n", output.status.code().expect("no signal"));
        for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            if !bytes.is_empty() {
                text.extend(["--- ", name, "\n", std::str::from_utf8(bytes).expect("UTF-8")]);
            }
        }
        text.replace(&self.url(), "[server]").replace(&self.folder.path().display().to_string(), "[config]")
    }

    /// Standard output alone, of a run that went well.
    pub(crate) fn stdout(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("tyrctl starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}

pub(crate) fn answer(answers: &Answers, route: &str) -> Response {
    let json = [("content-type", "application/json")];
    match answers.0.get(route) {
        Some((status, body)) => (StatusCode::from_u16(*status).expect("a status"), json, body.clone()).into_response(),
        None => (StatusCode::NOT_FOUND, json, error("not_found", &format!("nothing at {route}"), None).to_string())
            .into_response(),
    }
}

pub(crate) fn error(code: &str, message: &str, hint: Option<&str>) -> Value {
    json!({"error": {"code": code, "message": message, "hint": hint, "request_id": "req-1"}})
}

pub(crate) fn id(n: u8) -> Uuid {
    Uuid::parse_str(&format!("00000000-0000-7000-8000-0000000000{n:02}")).expect("a UUID")
}

pub(crate) fn agent(n: u8, name: &str, liveness: Liveness, staleness_ms: u64) -> Agent {
    let time = "2026-11-22T19:30:00Z".parse().expect("a time");
    Agent {
        agent_id: id(n),
        name: name.to_owned(),
        last_seen: time,
        staleness_ms,
        liveness,
        connected: liveness == Liveness::Online,
        kernel: "6.1.0-26-amd64".to_owned(),
        arch: "x86_64".to_owned(),
        agent_version: "0.1.0".to_owned(),
        capabilities: vec!["net_enforce".to_owned(), "observe".to_owned()],
        hooks: vec!["cgroup/connect4".to_owned()],
        posture: Posture::Partial,
        posture_reason: "no BPF LSM".to_owned(),
        denial: DenialTrial::NotTried,
        denial_at: None,
        tables: TablesState::AsExpected,
        tables_digest: "1-9f86d081".to_owned(),
        unregistered_agents: "audit".to_owned(),
        scope: String::new(),
        policy_id: Some("a1".to_owned()),
        policy_version: Some(2),
        assigned_policy_id: Some(if liveness == Liveness::Online { "a1" } else { "b2" }.to_owned()),
        policy_error: String::new(),
        clock_skew_ms: -3,
        spool_records: 0,
        events_lost: 0,
        last_event_at: None,
        ai_processes: 1,
        enrolled_at: time,
        cert_not_after: time,
        archived_at: None,
        revoked_at: None,
    }
}

/// A firing alert.
pub(crate) fn alert() -> Value {
    json!({"alert_id": id(51), "rule": "stale", "agent_id": id(1), "agent_name": "build-017", "state": "firing",
        "since": "2026-11-22T19:40:00Z", "changed_at": "2026-11-22T19:40:15Z", "fired_at": "2026-11-22T19:40:15Z",
        "resolved_at": null, "value": 301.0, "threshold": 300.0, "summary": "not heard from for more than 5 min",
        "details": {}, "flapping": false, "acknowledged_by": null, "acknowledged_at": null, "note": null})
}

fn ai_process() -> DiscoveredAgent {
    DiscoveredAgent {
        id: id(11),
        daemon_agent_id: id(1),
        agent_name: "build-017".to_owned(),
        agent_type: "claude-code".to_owned(),
        display_name: "claude-code".to_owned(),
        pid: 4123,
        process_signature: "00ff".to_owned(),
        process_exe: "/usr/bin/node".to_owned(),
        cmdline: "node cli.js".to_owned(),
        registered: true,
        found_by: "fingerprint".to_owned(),
        first_seen: "2026-11-22T19:30:00Z".parse().expect("a time"),
        ended_at: None,
    }
}

pub(crate) fn event(n: u8, kind: EventKind, verdict: Verdict, resource: &str) -> Event {
    Event {
        event_id: id(n + 20),
        agent_id: id(1),
        agent_name: "build-017".to_owned(),
        ts: "2026-11-22T19:40:01.5Z".parse().expect("a time"),
        received_at: "2026-11-22T19:40:01.6Z".parse().expect("a time"),
        discovered_agent_id: Some(id(11)),
        agent_type: Some("claude-code".to_owned()),
        kind,
        resource: resource.to_owned(),
        verdict,
        server_verdict: Some(verdict),
        drift_detected: false,
        drift_reason: None,
        severity: Severity::High,
        rule: Some("no-egress".to_owned()),
        policy_id: Some("a1".to_owned()),
        policy_version: Some(2),
        pid: 4123,
        process_exe: "/usr/bin/node".to_owned(),
        cmdline: "node cli.js".to_owned(),
        metadata: BTreeMap::from([("errno".to_owned(), "1".to_owned())]),
    }
}

fn drifting_event() -> Event {
    Event {
        server_verdict: Some(Verdict::Deny),
        drift_detected: true,
        drift_reason: Some(DriftReason::NotEnforcedHere),
        severity: Severity::Low,
        ..event(2, EventKind::FileRead, Verdict::Alert, "/root/.ssh/id_ed25519")
    }
}

fn policy_version(version: u32) -> Value {
    json!({"version": version, "name": "web", "rules": 3, "created_at": "2026-11-22T19:00:00Z", "created_by": "alice"})
}

fn assignment() -> Value {
    json!({"assignment_id": id(31), "version": 2, "policy_name": "web", "target_type": "agent", "target_id": id(1),
        "assigned_at": "2026-11-22T19:10:00Z", "assigned_by": "alice"})
}

fn token() -> Value {
    json!({"token_id": "7f3k", "label": "laptops", "max_uses": 50, "uses": 2, "expires_at": "2026-11-23T19:00:00Z",
        "revoked_at": null, "created_at": "2026-11-22T19:00:00Z", "created_by": "alice"})
}
