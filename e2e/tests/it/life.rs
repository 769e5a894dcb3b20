//! The life of a server: what a service manager hears, how it stops, and what it says when it can't start.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tyr_e2e::postgres::Postgres;
use tyr_e2e::stack::Stack;
use tyr_e2e::{binary, wait_for};

const LIMIT: Duration = Duration::from_secs(30);
/// The documented limit of a stop.
const STOP_MAX: Duration = Duration::from_secs(10);

/// What arrives at `NOTIFY_SOCKET`, line by line, until one begins with `wanted`.
fn hear(socket: &UnixDatagram, wanted: &str) -> Vec<String> {
    let begun = Instant::now();
    let mut heard: Vec<String> = Vec::new();
    while !heard.iter().any(|line| line.starts_with(wanted)) {
        let left = LIMIT.checked_sub(begun.elapsed()).unwrap_or_else(|| panic!("no {wanted} among {heard:?}"));
        socket.set_read_timeout(Some(left)).expect("a limit");
        let mut bytes = [0; 4096];
        let length = socket.recv(&mut bytes).unwrap_or_else(|error| panic!("no {wanted} among {heard:?}: {error}"));
        heard.extend(String::from_utf8_lossy(&bytes[..length]).lines().map(str::to_owned));
    }
    heard
}

#[test]
fn the_service_manager_hears_ready_status_watchdog_and_stopping() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    let path = path.display().to_string();
    let mut stack = Stack::start(&[("NOTIFY_SOCKET", &path), ("WATCHDOG_USEC", "2000000")]).expect("the server starts");
    hear(&socket, "READY=1");
    let status = hear(&socket, "STATUS=serving: ");
    assert!(status.iter().any(|line| line.ends_with("database ok")), "{status:?}");
    let begun = Instant::now();
    for _ in 0..3 {
        hear(&socket, "WATCHDOG=1");
    }
    assert!(begun.elapsed() < 3 * Duration::from_secs(2), "fed within the limit each time");
    let (status, _) = stack.stop_server().expect("it ends");
    assert_eq!(status.code(), Some(0), "{}", stack.server_log());
    hear(&socket, "STOPPING=1");
}

#[test]
fn the_service_manager_hears_of_the_agent_too() {
    let stack = Stack::start(&[]).expect("the server starts");
    let path = stack.folder().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    let path = path.display().to_string();
    let mut agent = stack
        .start_agent_with("watched", "", &[("NOTIFY_SOCKET", &path), ("WATCHDOG_USEC", "2000000")])
        .expect("the agent starts");
    hear(&socket, "READY=1");
    hear(&socket, "WATCHDOG=1");
    let status = hear(&socket, "STATUS=partial, connected to the server");
    assert!(!status.is_empty());
    hear(&socket, "WATCHDOG=1");
    agent.stop();
    hear(&socket, "STOPPING=1");
}

/// Stops while agents and readers are connected, a request hangs half sent, and the database has much to write.
#[test]
fn stops_within_ten_seconds_under_load() {
    let mut stack = Stack::start(&[]).expect("the server starts");
    let agent = stack.start_agent("busy", "allow_events: all\n").expect("the agent starts");
    // Into files: a pipe that nobody empties fills up, and a reader that takes nothing can't be told that the server stops.
    let readers: Vec<_> = (0..20)
        .map(|n| {
            let file = stack.folder().join(format!("reader-{n}"));
            let mut curl = stack.curl(&["-sS", "-N"], "/api/v1/events/stream");
            curl.stdout(fs::File::create(&file).expect("a file")).stderr(Stdio::null());
            (curl.spawn().expect("curl"), file)
        })
        .collect();
    let mut half_sent = half_a_request(stack.rest_port());
    let mut workload = agent.governed("claude-code", "/bin/sh");
    workload.args(["-c", "while :; do cat /etc/hostname; sleep 0.01; done"]);
    let mut workload = workload.stdout(Stdio::null()).spawn().expect("the workload starts");
    // Dirty pages: what a shutdown checkpoint has to write.
    stack
        .psql("CREATE TABLE ballast AS SELECT n, md5(n::text) AS a, md5((n + 1)::text) AS b FROM generate_series(1, 600000) AS n")
        .expect("rows");
    wait_for("events", LIMIT, || {
        stack.psql("SELECT count(*) FROM events").ok().filter(|count| count.trim().parse().unwrap_or(0) > 200)
    });

    let (status, took) = stack.stop_server().expect("it ends");
    assert_eq!(status.code(), Some(0), "{}", stack.server_log());
    assert!(took < STOP_MAX, "the stop took {took:?}:\n{}", stack.server_log());
    workload.kill().expect("the workload ends");
    workload.wait().expect("the workload ended");
    for (mut reader, file) in readers {
        reader.wait().expect("curl ended");
        let text = fs::read_to_string(&file).expect("text");
        assert!(text.contains(": the server stops"), "a reader is told: {:?}", text.lines().last());
    }
    let _ = half_sent.write_all(b"}");
    assert!(!stack.data_dir().join("pg/data/postmaster.pid").exists(), "the database went down");

    // Nothing that was acknowledged is gone, and what was not is sent again: the agent's counters agree with the table.
    stack.start_server(&[]).expect("it starts again");
    wait_for("all events", LIMIT, || {
        let status: serde_json::Value = serde_json::from_str(&agent.status().ok()?).ok()?;
        let emitted = status["spool"]["emitted"].as_u64()?;
        let lost = status["spool"]["lost"].as_u64()?;
        let stored: u64 = stack.psql("SELECT count(*) FROM events").ok()?.trim().parse().ok()?;
        (emitted == stored + lost && status["spool"]["records"] == 0).then_some(())
    });
}

#[test]
fn a_second_signal_stops_at_once() {
    let mut stack = Stack::start(&[]).expect("the server starts");
    // A request that waits for a lock keeps the first signal's stop waiting.
    let url = stack.server_command(["db", "url"]).output().expect("a URL");
    let url = String::from_utf8(url.stdout).expect("text");
    let mut holder = std::process::Command::new("psql");
    holder.args([url.trim(), "-Xc", "BEGIN; LOCK TABLE agents; SELECT pg_sleep(60)"]);
    let mut holder = holder.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("psql");
    let waiting = |what: &str| {
        let sql = format!("SELECT count(*) FROM pg_locks WHERE relation = 'agents'::regclass AND {what}");
        wait_for(what, LIMIT, || (stack.psql(&sql).ok()?.trim() != "0").then_some(()));
    };
    waiting("mode = 'AccessExclusiveLock' AND granted");
    let mut asked =
        stack.curl(&["-sS"], "/api/v1/agents").stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("curl");
    waiting("NOT granted");
    let postmaster = stack.data_dir().join("pg/data/postmaster.pid");
    stack.signal_server(Signal::TERM);
    wait_for("the stop to begin", LIMIT, || stack.server_log().contains("stopping").then_some(()));
    let begun = Instant::now();
    stack.signal_server(Signal::INT);
    let status = stack.wait_for_server().expect("it ends");
    assert_eq!(status.code(), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    wait_for("the database to go down by itself", LIMIT, || (!postmaster.exists()).then_some(()));
    holder.wait().expect("psql ended with its connection");
    asked.wait().expect("curl ended with its connection");
    stack.start_server(&[]).expect("it starts again");
}

#[test]
fn says_what_to_do_when_it_cannot_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = std::process::Command::new(binary("tyr-server"));
    command.env("TYR_DATA_DIR", folder.path()).env("DATABASE_URL", "postgres://tyr@127.0.0.1:1/tyr");
    let output = command.output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    let hints: Vec<_> = text.lines().filter(|line| line.starts_with("hint: ")).collect();
    assert_eq!(hints.len(), 1, "{text}");
    assert!(hints[0].contains("see that PostgreSQL runs"), "{text}");
    assert!(text.contains("error: the database can't be used"), "{text}");

    let output = std::process::Command::new(binary("tyr-server")).arg("--rest-bnd").output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
}

/// An older server on the schema of a newer one: migrations that add don't disturb it, one that takes away stops it.
#[test]
fn works_on_a_newer_schema_that_only_adds() {
    let postgres = Postgres::start().expect("PostgreSQL starts");
    let mut stack = Stack::start(&[("DATABASE_URL", &postgres.url("tyr"))]).expect("the server starts");
    let agent = stack.start_agent("between", "allow_events: all\n").expect("the agent starts");
    let read = |name: &str| {
        let file = stack_file(&agent, name);
        assert!(agent.governed("claude-code", "/bin/cat").arg(&file).stdout(Stdio::null()).status().unwrap().success());
        file
    };
    let stored = |postgres: &Postgres, file: &str| {
        wait_for("the event", LIMIT, || {
            let sql = format!("SELECT count(*) FROM events WHERE resource = '{file}' AND kind = 'file_read'");
            (postgres.psql("tyr", &sql).ok()?.trim() == "1").then_some(())
        });
    };
    let before = read("before");
    stored(&postgres, &before);

    // What a newer server does at its start, while this one runs.
    let newer = "BEGIN;
        ALTER TABLE events ADD COLUMN of_tomorrow text;
        ALTER TABLE agents ADD COLUMN of_tomorrow integer NOT NULL DEFAULT 7;
        CREATE TABLE tomorrow (n integer PRIMARY KEY);
        INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            VALUES (29990101000000, 'of tomorrow', true, '\\x00', 1);
        COMMIT";
    postgres.psql("tyr", newer).expect("migrated");
    let after = read("after");
    stored(&postgres, &after);
    assert!(stack.tyrctl(["agents"]).status.success());

    // A step back: the older server starts on that schema.
    stack.stop_server().expect("it ends");
    stack.start_server(&[]).expect("it starts on the newer schema");
    assert!(stack.server_log().contains("the schema is of a newer tyr-server"), "{}", stack.server_log());
    let again = read("again");
    stored(&postgres, &again);

    // One that takes something away.
    stack.stop_server().expect("it ends");
    postgres.psql("tyr", "UPDATE schema_floor SET oldest_known = 29990101000000").expect("raised");
    let output = stack.server_command([] as [&str; 0]).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("hint: the database was used by a newer tyr-server; run that version"), "{text}");
}

fn stack_file(agent: &tyr_e2e::stack::Agent, name: &str) -> String {
    let file = agent.folder().join(format!("{name}.txt"));
    fs::write(&file, name).expect("a file");
    file.display().to_string()
}

/// The head of a request whose body never comes, over TLS that is not even begun: both hold a connection.
fn half_a_request(port: u16) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    stream.write_all(&[0x16, 0x03, 0x01]).expect("sent");
    stream
}
