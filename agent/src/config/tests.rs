use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{AllowEvents, Config, UnregisteredAgents};

const MINIMAL: &str = "server: https://tyr.example:7700\nca_file: /etc/tyr/ca.pem\n";

fn problem(extra: &str) -> (Option<(u64, u64)>, String, String) {
    let problem = Config::parse(&format!("{MINIMAL}{extra}")).unwrap_err();
    (problem.at, problem.message, problem.hint.unwrap_or_default())
}

#[test]
fn defaults_are_the_documented_ones() {
    let config = Config::parse(MINIMAL).unwrap();
    assert_eq!(config.heartbeat_interval_s, 30);
    assert_eq!(config.buffer_size_mb, 500);
    assert_eq!(config.unregistered_agents, UnregisteredAgents::Audit);
    assert_eq!(config.allow_events, AllowEvents::Merged);
    assert_eq!(config.data_dir.to_str(), Some("/var/lib/tyrd"));
    assert_eq!(config.server.to_string(), "https://tyr.example:7700");
}

#[test]
fn unknown_key_has_position_and_suggestion() {
    let (at, message, hint) = problem("hartbeat_interval_s: 3\n");
    assert_eq!(at, Some((3, 1)));
    assert_eq!(message, "unknown key `hartbeat_interval_s`");
    assert_eq!(hint, "did you mean `heartbeat_interval_s`?");
}

#[test]
fn unknown_value_has_position_and_suggestion() {
    let (at, message, hint) = problem("allow_events: merge\n");
    assert_eq!(at.map(|at| at.0), Some(3));
    assert_eq!(message, "unknown value `merge`");
    assert_eq!(hint, "did you mean `merged`?");
}

#[test]
fn unknown_key_inside_scope_is_an_error() {
    let (at, message, _) = problem("scope:\n  cgrup: /x\n");
    assert_eq!(at.map(|at| at.0), Some(4));
    assert!(message.contains("cgrup"), "{message}");
}

#[test]
fn broken_yaml_has_a_position() {
    let (at, _, _) = problem("name: [1\n");
    assert!(at.is_some_and(|at| at.0 >= 3), "{at:?}");
}

#[test]
fn wrong_type_has_a_position() {
    let (at, message, _) = problem("buffer_size_mb: lots\n");
    assert_eq!(at.map(|at| at.0), Some(3), "{message}");
}

#[test]
fn what_happens_to_unregistered_agents_is_one_of_three_words() {
    for (word, meant) in [
        ("audit", UnregisteredAgents::Audit),
        ("quarantine", UnregisteredAgents::Quarantine),
        ("deny", UnregisteredAgents::Deny),
    ] {
        let pin = "a".repeat(64);
        let yaml = format!("server: https://a\nca_sha256: {pin}\nunregistered_agents: {word}\n");
        assert_eq!(Config::parse(&yaml).expect("a configuration").unregistered_agents, meant);
    }
    let (_, message, _) = problem("unregistered_agents: block\n");
    assert!(message.contains("block"), "{message}");
}

#[test]
fn trust_must_be_named_exactly_once() {
    assert!(Config::parse("server: https://a\n").unwrap_err().message.contains("neither"));
    let pin = "a".repeat(64);
    assert!(problem(&format!("ca_sha256: {pin}\n")).1.contains("both"));
    assert!(Config::parse(&format!("server: https://a\nca_sha256: {pin}\n")).is_ok());
    assert!(Config::parse("server: https://a\nca_sha256: abc\n").unwrap_err().message.contains("64 digits"));
}

#[test]
fn reads_server_urls() {
    let read =
        |url: &str| Config::parse(&format!("server: {url}\nca_file: x\n")).map(|config| config.server.to_string());
    assert_eq!(read("https://tyr").unwrap(), "https://tyr:7700");
    assert_eq!(read("https://127.0.0.1:17700/").unwrap(), "https://127.0.0.1:17700");
    assert_eq!(read("\"https://[::1]:1\"").unwrap(), "https://[::1]:1");
    assert_eq!(read("\"https://[::1]\"").unwrap(), "https://[::1]:7700");
    for wrong in ["http://tyr", "tyr:7700", "https://", "https://a:0", "https://a:", "https://a b", "https://[::1]x"] {
        assert!(read(&format!("\"{wrong}\"")).is_err(), "{wrong}");
    }
}

#[test]
fn error_text_does_not_show_the_token() {
    let text = format!("{MINIMAL}enrollment_token: tyr_et_id_secret\nbuffer_size_mb: lots\n");
    let fault = Config::parse(&text).unwrap_err().into_fault("/x".as_ref());
    assert!(!fault.to_string().contains("tyr_et"), "{fault}");
}

#[test]
fn problems_are_told_in_words_of_our_own() {
    let (at, message, hint) = problem("heartbeat_interval_s: 30s\n");
    assert_eq!((at.map(|at| at.0), message.as_str()), (Some(3), "this is not a whole number that fits"));
    assert_eq!(hint, "a plain number, without a unit");
    let (_, message, hint) = problem("name: a\nname: b\n");
    assert_eq!((message.as_str(), hint.as_str()), ("the key `name` is there twice", "keep one of them"));
}

#[test]
fn a_token_of_another_form_is_refused_and_not_shown() {
    for wrong in ["hunter2", "tyr_et_", "tyr_et_id", "tyr_et_id_", "tyr_et__x", "\"tyr_et_i d_x\""] {
        let (_, message, hint) = problem(&format!("enrollment_token: {wrong}\n"));
        assert!(message.contains("does not look like") && !message.contains("hunter2"), "{wrong}: {message}");
        assert!(hint.contains("tyrctl token create"), "{hint}");
    }
    assert!(Config::parse(&format!("{MINIMAL}enrollment_token: tyr_et_id_secret\n")).is_ok());
}

#[test]
fn a_token_that_everybody_may_read_is_noticed() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let config = Config::parse(&format!("{MINIMAL}enrollment_token: tyr_et_id_secret\n")).unwrap();
    let with_mode = |mode| {
        fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
        config.exposes_token(file.path())
    };
    assert!(with_mode(0o644));
    assert!(!with_mode(0o640));
    assert!(!Config::parse(MINIMAL).unwrap().exposes_token(file.path()));
}

#[test]
fn mounts_of_fanotify_are_checked() {
    let config = Config::parse(&format!("{MINIMAL}fanotify: {{mounts: [/home, /srv/work]}}\n")).unwrap();
    assert_eq!(config.fanotify.unwrap().mounts, ["/home", "/srv/work"].map(std::path::PathBuf::from));
    let message = |mounts: &str| problem(&format!("fanotify: {{mounts: {mounts}}}\n")).1;
    assert!(message("[]").contains("no file system"));
    assert!(message("[home]").contains("`home` in `fanotify.mounts` is no absolute path"));
    assert!(message("[/home/../srv]").contains("no absolute path"));
    assert!(message("[/home, /srv, /home/]").contains("twice"));
    assert!(problem("fanotify: {}\n").1.contains("mounts"));
    assert_eq!(problem("fanotify: {mount: [/home]}\n").2, "did you mean `mounts`?");
}
