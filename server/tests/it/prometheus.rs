//! What Prometheus makes of it: promtool's lints, the alert rules and their tests, and a real Prometheus that scrapes a real
//! server with the configuration of `packaging/prometheus`, and answers the dashboard's queries.

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tyr_proto::v1;
use uuid::Uuid;

use crate::program::Program;
use crate::stack::{batch, event};
use crate::testdb::TestDb;

/// A program that `./dev test` fetches: in `$TYR_TOOLS`, else in `PATH`. Without it the test can't run, which fails in CI and is
/// said by name elsewhere.
fn tool(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("TYR_TOOLS").into_iter().flat_map(|tools| {
        let tools = PathBuf::from(tools);
        [tools.join("usr/bin"), tools.join("bin"), tools]
    });
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = folders.chain(std::env::split_paths(&path)).map(|dir| dir.join(name)).find(|file| file.is_file());
    if found.is_none() {
        let test = std::thread::current().name().unwrap_or("?").to_owned();
        assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "{test} can't run: there is no {name}");
        writeln!(std::io::stderr(), "{test} can't run here: there is no {name}; `./dev test` fetches it")
            .expect("said");
    }
    found
}

fn packaging(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging").join(file)
}

/// Runs promtool; what it said, if it is content.
fn promtool(promtool: &Path, arguments: &[&str], input: &str) -> String {
    let mut child = Command::new(promtool)
        .args(arguments)
        .current_dir(packaging("prometheus"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("promtool ends");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "promtool {arguments:?}: {}\n{said}", output.status);
    said
}

#[test]
fn the_rules_fire_when_they_should() {
    let Some(tool) = tool("promtool") else { return };
    promtool(&tool, &["check", "rules", "tyr.rules.yml"], "");
    promtool(&tool, &["test", "rules", "tyr.rules.test.yml"], "");
    let rules = fs::read_to_string(packaging("prometheus/tyr.rules.yml")).expect("rules");
    let tests = fs::read_to_string(packaging("prometheus/tyr.rules.test.yml")).expect("tests");
    let alerts: Vec<_> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 10, "{alerts:?}");
    for alert in alerts {
        let tests = tests.split("- eval_time:").filter(|test| test.contains(&format!("alertname: {alert}\n")));
        assert!(tests.clone().any(|test| test.contains("exp_labels")), "no test in which {alert} fires");
    }
}

/// A Prometheus of our own, with its data in a temporary folder.
struct Prometheus {
    child: Child,
    port: u16,
    client: reqwest::Client,
    log: PathBuf,
}

impl Prometheus {
    /// With the documented configuration: the paths and the target are this test's, and it looks more often.
    fn start(program: &Path, dir: &Path, server: &Program) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a port").port();
        let replaced = |text: String, from: &str, to: &str| {
            assert!(text.contains(from), "prometheus.yml has no {from}");
            text.replace(from, to)
        };
        let path = |file: &Path| file.display().to_string();
        let mut config = fs::read_to_string(packaging("prometheus/prometheus.yml")).expect("a configuration");
        for (from, to) in [
            ("/etc/prometheus/tyr.rules.yml\n\n", format!("{}\n\n", path(&packaging("prometheus/tyr.rules.yml")))),
            ("ca_file: /etc/prometheus/tyr-ca.pem", format!("ca_file: {}", path(&server.dir.path().join("ca.pem")))),
            (
                "credentials_file: /etc/prometheus/tyr-metrics.token",
                format!("credentials_file: {}", path(&server.dir.path().join("metrics.token"))),
            ),
            ("localhost:7701", format!("localhost:{}", server.rest_port)),
            ("scrape_interval: 15s", "scrape_interval: 3s".to_owned()),
            ("evaluation_interval: 15s", "evaluation_interval: 1s".to_owned()),
        ] {
            config = replaced(config, from, &to);
        }
        let file = dir.join("prometheus.yml");
        fs::write(&file, config).expect("written");
        let log = dir.join("prometheus.log");
        let child = Command::new(program)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", dir.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("a log"))
            .spawn()
            .expect("prometheus starts");
        Self { child, port, client: reqwest::Client::new(), log }
    }

    /// `data.result` of a query, or why there is none.
    async fn ask(&self, query: &str) -> Result<Vec<Value>, String> {
        let url = format!("http://127.0.0.1:{}/api/v1/query", self.port);
        let request = self.client.get(url).query(&[("query", query)]);
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let answer: Value = answer.json().await.map_err(|error| error.to_string())?;
        match answer["data"]["result"].as_array() {
            Some(rows) => Ok(rows.clone()),
            None => Err(answer["error"].to_string()),
        }
    }

    /// Asks until the answer is one that `wanted` takes.
    async fn wait_for(&mut self, query: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let begun = std::time::Instant::now();
        let mut pace = tokio::time::interval(std::time::Duration::from_millis(100));
        loop {
            pace.tick().await;
            let answer = self.ask(query).await;
            match &answer {
                Ok(rows) if wanted(rows) => return rows.clone(),
                _ => {}
            }
            let ended = self.child.try_wait().expect("asked");
            let log = || fs::read_to_string(&self.log).unwrap_or_default();
            assert!(ended.is_none(), "prometheus ended: {ended:?}\n{}", log());
            assert!(begun.elapsed() < crate::stack::LIMIT, "{query}: {answer:?}\n{}", log());
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn value(row: &Value) -> f64 {
    row["value"][1].as_str().and_then(|value| value.parse().ok()).unwrap_or(f64::NAN)
}

/// The queries of the dashboard, with Grafana's own variables filled in.
fn dashboard() -> Vec<(String, String)> {
    let text = fs::read_to_string(packaging("grafana/tyr.json")).expect("a dashboard");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels.flat_map(|panel| {
        let title = panel["title"].as_str().unwrap_or_default().to_owned();
        let targets = panel["targets"].as_array().cloned().unwrap_or_default();
        targets.into_iter().map(move |target| (title.clone(), target["expr"].as_str().expect("a query").to_owned()))
    });
    let annotations = dashboard["annotations"]["list"].as_array().expect("annotations").iter();
    let annotations =
        annotations.map(|one| ("annotation".to_owned(), one["expr"].as_str().expect("a query").to_owned()));
    targets.chain(annotations).map(|(title, query)| (title, query.replace("$__rate_interval", "1m"))).collect()
}

#[tokio::test]
async fn a_real_prometheus_reads_a_real_server() {
    let (Some(prometheus), Some(tool)) = (tool("prometheus"), tool("promtool")) else { return };
    let db = TestDb::new().await;
    let bootstrap = "tyr_et_boot_0123456789abcdef0123";
    let server = Program::start(&db, "x", &[("TYR_BOOTSTRAP_ENROLLMENT_TOKEN", bootstrap)]).await;
    let session = server.set_up("correct horse battery").await;

    let token = fs::read_to_string(server.dir.path().join("metrics.token")).expect("a token");
    let scrape = server.client.get(server.url("/metrics")).bearer_auth(token.trim()).send().await.expect("an answer");
    let text = scrape.text().await.expect("a body");
    let said = promtool(&tool, &["check", "metrics"], &text);
    assert!(said.trim().is_empty(), "promtool has something to say: {said}");

    let dir = tempfile::tempdir().expect("a folder");
    let mut prometheus = Prometheus::start(&prometheus, dir.path(), &server);
    prometheus
        .wait_for("up{job=\"tyr\"}", |rows| {
            rows.len() == 1 && rows.iter().all(|row| (value(row) - 1.0).abs() < f64::EPSILON)
        })
        .await;

    // One of everything, after the first scrape, so that increases are seen.
    let policy = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: watch}\nspec:\n  rules:\n    - {name: programs, action: exec, verdict: alert}\n";
    let admin = |path: &str, body: Value| server.client.post(server.url(path)).bearer_auth(&session).json(&body);
    let (status, body) = server.send(admin("/api/v1/policies", json!({"yaml": policy}))).await;
    assert_eq!(status, 201, "{body}");
    let assignment = json!({"version": 1, "target_type": "all", "target_id": ""});
    let (status, body) = server.send(admin("/api/v1/policy-assignments", assignment)).await;
    assert_eq!(status, 201, "{body}");
    let mut host = server.host("host-1", bootstrap).await.expect("enrolled");
    host.take_policy().await;
    let mut drifting = event();
    drifting.kind = v1::EventKind::Exec.into();
    drifting.resource = "/usr/bin/make".to_owned();
    drifting.verdict = v1::Verdict::Deny.into();
    let loss = v1::Loss {
        kind: v1::EventKind::Exec.into(),
        verdict: v1::Verdict::Allow.into(),
        reason: "spool_full".to_owned(),
        count: 3,
    };
    let mut sent = batch(vec![event(), drifting]);
    sent.records.push(v1::Record { record: Some(v1::record::Record::Loss(loss)) });
    host.store(sent).await;
    let wrong = json!({"username": "admin", "password": "not the password"});
    assert_eq!(server.send(server.client.post(server.url("/api/v1/auth/login")).json(&wrong)).await.0, 401);
    assert!(server.host("host-2", &format!("tyr_et_boot_{}", Uuid::now_v7().simple())).await.is_err());
    let reader = server.client.get(server.url("/api/v1/events/stream")).bearer_auth(&session);
    let reader = reader.send().await.expect("an answer");

    // What has to be there, with its value.
    for (query, wanted) in [
        ("sum(tyr_events_total)", 2.0),
        ("tyr_events_total{verdict=\"deny\", kind=\"exec\"}", 1.0),
        ("tyr_agents_online", 1.0),
        ("tyr_drift_detected_total", 1.0),
        ("tyr_policy_reload_duration_seconds_count", 1.0),
        ("tyr_grpc_requests_total{status=\"OK\"}", 2.0),
        ("tyr_grpc_requests_total{status=\"UNAUTHENTICATED\"}", 1.0),
        ("tyr_grpc_streams", 1.0),
        ("tyr_sse_subscribers", 1.0),
        ("tyr_events_lost_total{reason=\"spool_full\"}", 3.0),
        ("tyr_agents_posture{posture=\"enforcing\"}", 1.0),
        ("sum(tyr_agent_denials_total)", 1.0),
        ("tyr_logins_total{result=\"wrong_credentials\"}", 1.0),
        ("tyr_enrollments_total{result=\"refused\"}", 1.0),
        ("tyr_database_up", 1.0),
        ("tyr_partitions_ahead", 7.0),
        ("tyr_agents_policy_pending", 0.0),
        ("tyr_ingest_batches_total{result=\"stored\"}", 1.0),
        ("tyr_ingest_batch_age_seconds_count", 1.0),
    ] {
        prometheus.wait_for(query, |rows| rows.len() == 1 && (value(&rows[0]) - wanted).abs() < f64::EPSILON).await;
    }
    let pool = prometheus.wait_for("tyr_database_acquire_duration_seconds_count", |rows| rows.len() == 1).await;
    assert!(value(&pool[0]) > 5.0, "waits for connections are measured: {pool:?}");

    // Every panel has an answer, but those that show only what went wrong.
    let quiet = ["annotation"];
    for (title, query) in dashboard() {
        if quiet.contains(&title.as_str()) {
            prometheus.ask(&query).await.unwrap_or_else(|error| panic!("{title}: {query}: {error}"));
        } else {
            prometheus.wait_for(&query, |rows| !rows.is_empty()).await;
        }
    }
    // The drift and the loss make their alerts, which have no patience.
    for alert in ["TyrDrift", "TyrEventsLost"] {
        prometheus.wait_for(&format!("ALERTS{{alertname=\"{alert}\"}}"), |rows| !rows.is_empty()).await;
    }
    let url = format!("http://127.0.0.1:{}/api/v1/rules", prometheus.port);
    let rules: Value = prometheus.client.get(url).send().await.expect("an answer").json().await.expect("JSON");
    let rules: Vec<&Value> = rules["data"]["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .flat_map(|group| group["rules"].as_array().expect("rules"))
        .collect();
    assert!(rules.len() > 10, "{rules:?}");
    for rule in rules {
        assert_eq!(rule["health"], "ok", "{rule}");
        let query = rule["query"].as_str().expect("a query");
        // What a rule asks for has to be there: without its comparison it has an answer.
        for name in names(query) {
            // That one is there only when something is wrong.
            if name != "tyr_agent_last_seen_timestamp_seconds" {
                prometheus.wait_for(&format!("{{__name__=\"{name}\"}}"), |rows| !rows.is_empty()).await;
            }
        }
    }
    drop((reader, host));
    drop(prometheus);
    server.stop().await;
    db.drop().await;
}

/// Names of metrics in a query.
fn names(query: &str) -> Vec<&str> {
    let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("tyr_")).collect()
}
