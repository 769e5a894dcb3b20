//! Enrol, push a policy, run a governed program whose every action is known, and find exactly its events everywhere.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tyr_e2e::stack::{Stack, text};
use tyr_e2e::{binary, wait_for};

const REFUSED: &str = "203.0.113.7:443";
const LIMIT: Duration = Duration::from_secs(30);

/// (kind, verdict, server_verdict, resource)
type Fact = (String, String, String, String);

fn policy(folder: &std::path::Path) -> String {
    format!(
        "apiVersion: tyr.dev/v1
kind: Policy
metadata:
  name: story
spec:
  rules:
    - name: no-secrets
      action: file_read
      resource_pattern: {}/line*
      verdict: deny
      severity: high
    - name: no-test-net
      action: net_connect
      cidr_deny: [203.0.113.0/24]
      verdict: deny
      severity: critical
",
        folder.display()
    )
}

fn fact(event: &Value) -> Fact {
    let word = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
    (word("kind"), word("verdict"), word("server_verdict"), word("resource"))
}

fn ids<'a>(events: impl IntoIterator<Item = &'a Value>) -> BTreeSet<String> {
    events.into_iter().map(|event| event["event_id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn a_governed_program_is_seen_judged_and_refused() {
    let stack = Stack::start(&[]).expect("the server starts");
    let folder = stack.folder().join("work");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(folder.join("read.txt"), "read me").expect("a file");
    std::fs::write(folder.join(OsStr::from_bytes(b"line\nbreak \x1b[2J \xff.txt")), "odd").expect("a file");
    stack.apply_policy(&policy(&folder)).expect("the policy is accepted");
    let agent = stack.start_agent("story", "allow_events: all\n").expect("the agent starts");

    let mut stream = stack.curl(&["-sS", "-N"], "/api/v1/events/stream").stdout(Stdio::piped()).spawn().expect("curl");
    let (sender, lines) = std::sync::mpsc::channel();
    let output = stream.stdout.take().expect("a pipe");
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    // The first comment or retry line says that the stream stands, so that nothing is missed.
    lines.recv_timeout(LIMIT).expect("the stream opens");

    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let status = agent
        .governed("claude-code", binary("tyr-workload"))
        .arg(&folder)
        .args([&address, REFUSED])
        .status()
        .expect("the program starts");
    assert!(status.success(), "{status}: the governed program did not get what it expected");

    let path = |name: &str| folder.join(name).display().to_string();
    let odd = path("line\nbreak \x1b[2J ") + "\\xff.txt";
    let expected: BTreeSet<Fact> = [
        ("exec", "allow", "allow", binary("tyr-workload").display().to_string()),
        ("exec", "allow", "allow", std::fs::canonicalize("/bin/true").expect("a path").display().to_string()),
        ("file_read", "allow", "allow", path("read.txt")),
        ("file_write", "allow", "allow", path("written.txt")),
        ("file_read", "alert", "deny", odd.clone()),
        ("net_connect", "allow", "allow", address),
        ("net_connect", "deny", "deny", REFUSED.to_owned()),
    ]
    .map(|(kind, verdict, server, resource)| (kind.into(), verdict.into(), server.into(), resource))
    .into();

    // The refused connect is the program's last action: once it is there, all is there.
    let events = wait_for("the refused connection", LIMIT, || {
        let page = stack.rest("/api/v1/events?limit=1000").expect("an answer");
        let items = page["items"].as_array().expect("a list").clone();
        items.iter().any(|event| event["resource"] == REFUSED).then_some(items)
    });
    let facts: Vec<Fact> = events.iter().map(fact).collect();
    for one in &expected {
        assert_eq!(facts.iter().filter(|fact| *fact == one).count(), 1, "{one:?} once in {facts:#?}");
    }
    for event in &events {
        assert_eq!(event["agent_name"], agent.name());
        assert_eq!(event["agent_type"], "claude-code", "{event}");
    }
    let drifts: Vec<&Value> = events.iter().filter(|event| event["drift_detected"] == true).collect();
    assert_eq!(drifts.len(), 1, "{drifts:#?}");
    assert_eq!(drifts[0]["resource"], odd);
    assert_eq!(drifts[0]["drift_reason"], "not_enforced_here");
    let everything = ids(&events);
    assert_eq!(everything.len(), events.len(), "no event twice");

    let mut streamed = BTreeSet::new();
    while streamed.len() < everything.len() {
        let line = lines.recv_timeout(LIMIT).expect("the stream goes on");
        if let Some(json) = line.strip_prefix("data: ") {
            let event: Value = serde_json::from_str(json).expect("JSON");
            assert!(
                streamed.insert(event["event_id"].as_str().expect("an id").to_owned()),
                "twice in the stream: {event}"
            );
        }
    }
    stream.kill().expect("curl ends");
    stream.wait().expect("curl ended");
    reader.join().expect("the reader ends");
    assert_eq!(streamed, everything, "SSE");

    let listed = stack.tyrctl_json(&["events", "list", "--limit", "1000"]).expect("tyrctl events list");
    assert_eq!(ids(listed.as_array().expect("a list")), everything, "tyrctl");
    let rows = stack.psql("SELECT event_id FROM events").expect("psql");
    assert_eq!(rows.lines().map(str::to_owned).collect::<BTreeSet<_>>(), everything, "psql");

    let table = text(&stack.tyrctl(["events", "list", "--limit", "1000"])).expect("a table");
    assert!(!table.contains('\x1b'), "escape sequences of a file name reach no terminal");
    assert_eq!(table.lines().count(), everything.len() + 1, "one line per event, and the heads");

    documented_sql_agrees(&stack);
}

/// M3, M6 and M8 of the documented operations page, in psql and in `tyrctl`, on the same data.
fn documented_sql_agrees(stack: &Stack) {
    let rate = stack
        .psql(
            "SELECT verdict, sum(events) FROM (SELECT date_trunc('minute', ts) AS minute, count(*) AS events, verdict \
             FROM events WHERE ts > now() - interval '1 hour' GROUP BY 1, 3 ORDER BY 1 DESC) AS m6 GROUP BY 1 ORDER BY 1",
        )
        .expect("M6");
    let rows = stack.tyrctl_json(&["events", "rate"]).expect("tyrctl events rate");
    let rows = rows.as_array().expect("a list");
    for line in rate.lines() {
        let (verdict, count) = line.split_once('|').expect("two columns");
        let sum: u64 =
            rows.iter().filter(|row| row["verdict"] == verdict).filter_map(|row| row["events"].as_u64()).sum();
        assert_eq!(sum.to_string(), count, "{verdict} in {rows:#?}");
    }
    let drift = stack
        .psql(
            "SELECT agent_id, count(*) AS drifts FROM events \
             WHERE drift_detected = true AND ts > now() - interval '1 day' GROUP BY 1 ORDER BY 2 DESC",
        )
        .expect("M8");
    let rows = stack.tyrctl_json(&["drift", "--since", "1d"]).expect("tyrctl drift");
    let lines: Vec<String> = rows
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| format!("{}|{}", row["agent_id"].as_str().unwrap_or_default(), row["drifts"]))
        .collect();
    assert_eq!(drift.lines().collect::<Vec<_>>(), lines);
    let stale = stack
        .psql(
            "SELECT agent_id, name, now() - last_seen AS staleness FROM agents \
             WHERE last_seen < now() - interval '2 minutes' ORDER BY staleness DESC",
        )
        .expect("M3");
    let rows = stack.tyrctl_json(&["agents", "--stale=2m"]).expect("tyrctl agents");
    assert_eq!(stale.lines().count(), rows.as_array().expect("a list").len());
}
