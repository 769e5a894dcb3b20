//! What a shell is offered, asked the way the shells' scripts ask.

use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tyr_api::agents::Liveness;

use super::double::{Answers, Double, agent, error};

/// Exit status, candidates, and what was written on standard error.
struct Offered {
    words: Vec<String>,
    errors: String,
}

fn ask(mut command: Command, words: &[&str]) -> Offered {
    let output = command.env("COMPLETE", "fish").args(["--", "tyrctl"]).args(words).output().expect("tyrctl starts");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    Offered { words: text.lines().map(str::to_owned).collect(), errors: String::from_utf8_lossy(&output.stderr).into() }
}

fn offered(double: &Double, words: &[&str]) -> Vec<String> {
    let offered = ask(double.command(&[]), words);
    assert_eq!(offered.errors, "", "silent");
    offered.words
}

/// The only cache file of that kind.
fn cache_file(double: &Double, name: &str) -> std::path::PathBuf {
    let folders = std::fs::read_dir(double.cache().join("tyr/names")).expect("a cache");
    folders.flatten().map(|folder| folder.path().join(name)).find(|file| file.exists()).expect("a file")
}

/// Makes what is cached as old as if it had been fetched at the beginning of time.
fn age(double: &Double, name: &str) {
    let file = cache_file(double, name);
    let mut cached: Value = serde_json::from_slice(&std::fs::read(&file).expect("read")).expect("JSON");
    cached["fetched_at"] = json!(1);
    cached["tried_at"] = json!(1);
    std::fs::write(&file, cached.to_string()).expect("written");
}

#[test]
fn names_of_all_kinds_are_offered() {
    let double = Double::start(Answers::fleet());
    for (words, expected) in [
        (&["agent", "show", "build"][..], &["build-017\tstale", "build-018\toffline"][..]),
        (&["agents", "lap"], &["laptop-zoë\tonline"]),
        (&["events", "list", "--agent", "build-018"], &["build-018\toffline"]),
        (&["policy", "rollback", ""], &["2\tweb, 3 rules", "1\tweb, 3 rules"]),
        (&["policy", "assign", "--version", "1"], &["1\tweb, 3 rules"]),
        (&["ai", "rename", "0"], &["00000000-0000-7000-8000-000000000011\tclaude-code pid 4123 on build-017"]),
        (&["ai", "--type", "cl"], &["claude-code"]),
        (&["user", "set-role", "bo"], &["bob\tviewer"]),
        (&["audit", "--actor", "al"], &["alice\tadmin"]),
        (&["token", "revoke", "7"], &["7f3k\tlaptops"]),
        (&["agents", "--columns", "name,pol"], &["name,policy", "name,policy_id", "name,policy_error"]),
        (&["agents", "--columns", "+arc"], &["+arch", "+archived_at"]),
        (&["user", "ls", "--sort", "last"], &["last_login_at", "last_login_at:desc"]),
        (&["top", "--filter", "kind=ex"], &["kind=exec"]),
        (&["top", "--filter", "ver"], &["verdict=\tallow, deny, alert"]),
        (&["top", "--filter", "kind=exec agent=lap"], &["kind=exec agent=laptop-zoë"]),
        (&["agents", "--tz", "Europe/Berl"], &["Europe/Berlin"]),
        (&["drift", "--since", "15"], &["15m\ta quarter of an hour ago"]),
    ] {
        assert_eq!(offered(&double, words), expected, "{words:?}");
    }
}

#[test]
fn flags_are_offered_once_they_are_begun_or_nothing_else_is() {
    let double = Double::start(Answers::default());
    for words in [&["policy", "rollback", "--"][..], &["health", ""]] {
        let offered = offered(&double, words);
        for flag in ["--context\t", "--output\t", "--help\t"] {
            assert!(offered.iter().any(|word| word.starts_with(flag)), "{flag} for {words:?}: {offered:?}");
        }
    }
    let commands = offered(&double, &[""]);
    assert!(commands.len() > 20 && commands.iter().all(|word| !word.starts_with('-')), "{commands:?}");
}

#[test]
fn the_server_is_asked_once_a_minute() {
    let double = Double::start(Answers::fleet());
    for _ in 0..3 {
        assert_eq!(offered(&double, &["agent", "show", "lap"]), ["laptop-zoë\tonline"]);
    }
    assert_eq!(double.requests(), ["GET /api/v1/agents"]);
    age(&double, "agents.json");
    assert_eq!(offered(&double, &["agent", "show", "lap"]), ["laptop-zoë\tonline"]);
    assert_eq!(double.requests().len(), 2, "asked again once it is old");
}

#[test]
fn the_cache_is_its_owners_and_ends_with_the_session() {
    let double = Double::start(Answers::fleet());
    offered(&double, &["agent", "show", ""]);
    let file = cache_file(&double, "agents.json");
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().expect("a folder"))), (0o600, 0o700));
    double.stdout(&["logout"]);
    assert!(!file.exists(), "forgotten");
    assert_eq!(offered(&double, &["agent", "show", "b"]), Vec::<String>::new());
    assert_eq!(double.requests().len(), 2, "nobody is asked without a session: {:?}", double.requests());
}

#[test]
fn old_names_are_offered_when_the_server_is_away_or_unwell() {
    let double = Double::start(Answers::fleet());
    offered(&double, &["agent", "show", ""]);
    let cached = std::fs::read_to_string(cache_file(&double, "agents.json")).expect("read");
    let unwell = Double::start(Answers::default().with("GET /api/v1/agents", 503, &error("db", "away", None)));
    let folder = unwell.cache().join(format!("tyr/names/default@{}", unwell.url()[7..].replace(':', "_")));
    std::fs::create_dir_all(&folder).expect("made");
    std::fs::write(folder.join("agents.json"), cached).expect("written");
    age(&unwell, "agents.json");
    for _ in 0..3 {
        assert_eq!(offered(&unwell, &["agent", "show", "lap"]), ["laptop-zoë\tonline"]);
    }
    assert_eq!(unwell.requests().len(), 1, "it is left alone for a while");
}

#[test]
fn what_the_server_denies_is_no_longer_offered() {
    let double = Double::start(Answers::fleet());
    offered(&double, &["user", "show", ""]);
    let denies = Double::start(Answers::default().with("GET /api/v1/users", 403, &error("forbidden", "no", None)));
    let folder = denies.cache().join(format!("tyr/names/default@{}", denies.url()[7..].replace(':', "_")));
    std::fs::create_dir_all(&folder).expect("made");
    std::fs::copy(cache_file(&double, "users.json"), folder.join("users.json")).expect("copied");
    age(&denies, "users.json");
    assert_eq!(offered(&denies, &["user", "show", "a"]), Vec::<String>::new());
}

#[test]
fn a_server_that_hangs_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let double = Double::start(Answers::fleet());
    let server = format!("http://{}", listener.local_addr().expect("an address"));
    let begun = Instant::now();
    let offered = ask(double.command(&[]), &["--server", &server, "agent", "show", "b"]);
    let took = begun.elapsed();
    assert_eq!((offered.words, offered.errors), (Vec::new(), String::new()));
    // 300 ms for the server; the rest is for starting a debug build on a busy machine.
    assert!(took < Duration::from_millis(1500), "{took:?}");
    let (mut stream, _) = listener.accept().expect("it was asked");
    let mut request = [0; 4];
    stream.read_exact(&mut request).expect("a request");
    assert_eq!(&request, b"GET ");
}

#[test]
fn a_token_file_that_hangs_is_not_waited_for() {
    let double = Double::start(Answers::fleet());
    let pipe = double.config().join("pipe");
    let status = Command::new("mkfifo").arg("-m").arg("600").arg(&pipe).status().expect("mkfifo");
    assert!(status.success());
    let begun = Instant::now();
    let offered = ask(double.command(&[]), &["--token-file", pipe.to_str().expect("UTF-8"), "agent", "show", "b"]);
    assert_eq!((offered.words, offered.errors), (Vec::new(), String::new()));
    assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
}

#[test]
fn each_server_and_context_has_names_of_its_own() {
    let one = Double::start(Answers::default().list("/api/v1/agents", &[agent(1, "one", Liveness::Online, 0)]));
    let two = Double::start(Answers::default().list("/api/v1/agents", &[agent(2, "two", Liveness::Online, 0)]));
    let toml = format!("[context.other]\nserver = \"{}\"\n", two.url());
    std::fs::write(one.config().join("config.toml"), toml).expect("written");
    tyrctl::auth::store_token(&one.config().join("tokens/other"), "t").expect("stored");
    let in_context = |words: &[&str]| {
        let mut command = one.command(&[]);
        command.env_remove("TYR_SERVER").env("TYR_TOKEN", "t");
        ask(command, words).words
    };
    assert_eq!(in_context(&["--server", &one.url(), "agent", "show", ""])[0], "one\tonline");
    assert_eq!(in_context(&["--context", "other", "agent", "show", ""])[0], "two\tonline");
    assert_eq!(in_context(&["--context", "o"]), [format!("other\t{}", two.url())]);
    assert_eq!(std::fs::read_dir(one.cache().join("tyr/names")).expect("a cache").count(), 2);
}

#[test]
fn hostile_names_are_not_offered() {
    let names = ["$(reboot)", "a;reboot", "-rf", "two words", "esc\u{1b}[2J", "bidi\u{202e}x", "`x`", "fine"];
    let agents: Vec<_> = names.iter().map(|name| agent(1, name, Liveness::Online, 0)).collect();
    let mut answers = Answers::default().list("/api/v1/agents", &agents);
    answers = answers.list("/api/v1/policies", &json!([{"version": 1, "name": "x\u{1b}[2J\n\u{202e}y", "rules": 1}]));
    let double = Double::start(answers);
    let flags = |words: Vec<String>| words.into_iter().filter(|word| !word.starts_with('-')).collect::<Vec<_>>();
    assert_eq!(flags(offered(&double, &["agent", "show", ""])), ["fine\tonline"]);
    assert_eq!(flags(offered(&double, &["policy", "show", ""])), ["1\tx␛[2J⏎<U+202E>y, 1 rules"]);
}

#[test]
fn nothing_goes_wrong_aloud() {
    let double = Double::start(Answers::default().with("GET /api/v1/agents", 200, &json!("no list")));
    std::fs::write(double.config().join("config.toml"), "no toml").expect("written");
    for words in
        [&["agent", "show", ""][..], &["--context", ""], &["nonsense", "--x", ""], &["agents", "--columns", "x,"]]
    {
        let offered = ask(double.command(&[]), words);
        assert_eq!(offered.errors, "", "{words:?}");
    }
    let mut homeless = double.command(&[]);
    homeless.env_clear().env("TYR_SERVER", double.url()).env("TYR_TOKEN", "t");
    assert_eq!(ask(homeless, &["agent", "show", ""]).errors, "");
    let mut read_only = double.command(&[]);
    read_only.env("XDG_CACHE_HOME", "/proc/nowhere");
    assert_eq!(ask(read_only, &["agent", "show", ""]).errors, "");
}
