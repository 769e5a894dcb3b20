//! One function per kind of bytes that come from outside. Each takes any bytes, and panics where something is wrong: a panic in
//! our code, or two ways to judge that disagree.
//!
//! The same functions are the bodies of the libFuzzer targets in `fuzz/libfuzzer` (cargo-fuzz, nightly) and of the property tests
//! in `fuzz/tests`, which run everywhere.

use std::net::{IpAddr, Ipv6Addr};

use prost::Message;
use tyr_policy::{
    Act, Action, Automaton, CaseFile, Compiled, Effective, Glob, Held, Image, Layer, Policy, Protocol, Resource,
    differences,
};

/// A target: its name, which is that of its file in `fuzz/libfuzzer/fuzz_targets`, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("agent_message", agent_message),
    ("cases", cases),
    ("filter", filter),
    ("fingerprints", fingerprints),
    ("glob", glob),
    ("policy", policy),
    ("ring_record", ring_record),
    ("terminal", terminal),
    ("text", text),
    ("times", times),
    ("tyrd_config", tyrd_config),
];

fn utf8(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// A policy document, from `tyrctl`, REST, or a push: refused with a place, or judged the same in every way.
pub fn policy(bytes: &[u8]) {
    let Some(yaml) = utf8(bytes) else { return };
    let checked = match Policy::parse(yaml) {
        Ok(checked) => checked,
        Err(error) => {
            assert!(!error.diagnostics.is_empty(), "refused for no reason");
            return;
        }
    };
    if let Ok(survey) = checked.survey() {
        let _ = checked.warnings_with(&survey);
    }
    let effective = Effective::new(vec![Layer { version: 1, agent_type: None, policy: checked.policy }]);
    let compiled = Compiled::new(effective.clone());
    let image = Image::new(&effective).expect("the checker has tried it");
    let by_image = |act: &Act<'_>| image.judge(act).map(|word| (word.verdict(), word.rule()));
    // Held to nothing, and to rules that follow from the document.
    let sets =
        [Held::NONE, Held::from_bits(bytes.iter().fold(0, |bits: u64, byte| bits.rotate_left(5) ^ u64::from(*byte)))];
    // What to judge follows from the document too: its lines as paths, its bytes as addresses.
    for line in yaml.lines().take(64) {
        for action in Action::ALL {
            for agent_type in [None, Some("codex")] {
                let resource = Resource::Path { path: line.trim().as_bytes(), truncated: line.len() % 2 == 0 };
                for held in sets {
                    let act = Act { action: *action, resource, agent_type, binary: b"/usr/bin/node", held };
                    let plain = effective.judge(&act);
                    assert_eq!(compiled.judge(&act), plain, "{act:?}");
                    assert!(by_image(&act).is_none_or(|word| word == (plain.verdict, plain.index)), "{act:?}");
                }
            }
        }
    }
    for chunk in bytes.chunks_exact(18).take(64) {
        let bits: [u8; 16] = chunk[..16].try_into().expect("16 bytes");
        let addr = IpAddr::V6(Ipv6Addr::from(bits));
        let port = u16::from_be_bytes([chunk[16], chunk[17]]);
        let protocol = if chunk[0] % 2 == 0 { Protocol::Tcp } else { Protocol::Udp };
        let resource = Resource::Net { addr, port, protocol };
        for held in sets {
            let act = Act { action: Action::NetConnect, resource, agent_type: None, binary: b"/bin/x", held };
            let plain = effective.judge(&act);
            assert_eq!(by_image(&act), Some((plain.verdict, plain.index)), "{act:?}");
        }
    }
    assert!(differences(&effective, &effective).list.is_empty(), "a policy differs from itself");
}

/// A file of cases.
pub fn cases(bytes: &[u8]) {
    if let Some(yaml) = utf8(bytes)
        && let Err(error) = CaseFile::parse(yaml)
    {
        assert!(!error.diagnostics.is_empty(), "refused for no reason");
    }
}

/// Patterns, one a line, the last line a path: the automata say what the patterns say.
pub fn glob(bytes: &[u8]) {
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let Some(path) = lines.pop() else { return };
    let globs: Vec<Glob> =
        lines.into_iter().filter_map(utf8).filter_map(|line| Glob::parse(line).ok()).take(16).collect();
    let expected = globs.iter().position(|glob| glob.matches(path));
    for automaton in [Automaton::build(&globs, 2_000), Automaton::split(&globs, 2_000)].into_iter().flatten() {
        assert_eq!(automaton.run(path), expected, "{globs:?} {}", path.escape_ascii());
    }
}

/// What an agent sends, as the server reads it.
pub fn agent_message(bytes: &[u8]) {
    tyr_server::grpc::read_any(bytes);
    // What the server sends, as the agent reads it.
    let _ = tyr_proto::v1::ServerMessage::decode(bytes);
}

/// Bytes of a host that become text on the wire, and back.
pub fn text(bytes: &[u8]) {
    let escaped = tyr_proto::text::escape(bytes);
    assert!(!escaped.contains('\0'), "no NUL reaches the database");
    assert_eq!(*tyr_proto::text::unescape(&escaped), *bytes, "{escaped}");
    // The policy crate depends on nothing of ours, so it reads events with a function of its own.
    for text in [&*escaped, &*String::from_utf8_lossy(bytes)] {
        assert_eq!(tyr_policy::unescape(text), tyr_proto::text::unescape(text), "{text}");
    }
}

/// Text of a host on somebody's terminal.
pub fn terminal(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let shown = tyrctl::output::sanitize::sanitize(&text);
    assert!(!shown.chars().any(tyrctl::output::sanitize::acts), "{shown:?}");
}

/// A filter of `tyrctl top`.
pub fn filter(bytes: &[u8]) {
    if let Some(text) = utf8(bytes)
        && let Ok(filter) = tyrctl::tui::filter::Filter::parse(text)
    {
        let again = tyrctl::tui::filter::Filter::parse(filter.text());
        assert!(again.is_ok(), "{text:?} is read once only");
    }
}

/// Times and durations on the command line.
pub fn times(bytes: &[u8]) {
    let Some(text) = utf8(bytes) else { return };
    let _ = tyrctl::when::parse_moment(text);
    let _ = tyrctl::when::parse_duration(text);
    let _ = tyrctl::when::parse_timeout(text);
    let _ = tyrctl::when::parse_every(text);
    let _ = text.parse::<tyrctl::threshold::Range>();
}

/// Fingerprints of AI tools that a host adds.
pub fn fingerprints(bytes: &[u8]) {
    if let Some(yaml) = utf8(bytes) {
        let _ = tyr_agent::fingerprints::Fingerprints::parse("added", yaml);
    }
}

/// A record of the kernel programs, as tyrd reads it from a ring.
pub fn ring_record(bytes: &[u8]) {
    tyr_agent::decode::read_any(bytes);
}

/// tyrd's configuration: refused in words that show no token, or within its bounds.
pub fn tyrd_config(bytes: &[u8]) {
    let Some(yaml) = utf8(bytes) else { return };
    match tyr_agent::config::Config::from_text(yaml, "tyrd.yaml".as_ref()) {
        Ok(config) => {
            assert!((1..=3600).contains(&config.heartbeat_interval().as_secs()), "{config:?}");
            assert!(config.buffer_bytes_max() > 0, "{config:?}");
            assert!(!config.agent_name().is_empty(), "{config:?}");
            let mounts = config.fanotify.iter().flat_map(|fanotify| &fanotify.mounts);
            assert!(mounts.clone().all(|path| path.is_absolute()), "{config:?}");
        }
        Err(fault) => {
            let text = fault.to_string();
            assert!(text.starts_with("error: ") && text.contains("\ncause: "), "{text}");
            let token = yaml.lines().find_map(|line| line.strip_prefix("enrollment_token: "));
            // Written elsewhere too, such as for a key, it is no secret place any more.
            if let Some(token) = token.filter(|token| token.len() >= 12 && yaml.matches(token).count() == 1) {
                assert!(!text.contains(token), "{text}");
            }
        }
    }
}
