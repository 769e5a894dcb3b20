//! Names that the server knows, kept for a while so that most presses of the tab key ask nobody.
//!
//! One file per kind of name in `$XDG_CACHE_HOME/tyr/names/CONTEXT@SERVER/`, mode 0600 in a folder of mode 0700. A file that can't be read or
//! written, or that holds something else, is as good as none.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use etcetera::BaseStrategy as _;
use jiff::SignedDuration;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::line;
use crate::app::App;
use crate::client::{Client, Endpoint};
use crate::config;
use crate::error::Kind;

/// Longest time that the server is waited for, from connecting to the last answer.
pub(super) const LIMIT: Duration = Duration::from_millis(300);
/// Names younger than this are taken as they are.
const FRESH: Duration = Duration::from_mins(1);
/// After a failure the server is left alone for this long: a shell that waits at each press of a key is a broken one.
const PAUSE: Duration = Duration::from_secs(10);
/// Most names of a kind.
const NAMES_MAX: usize = 10_000;
/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 128;
/// Longest explanation that is kept, in characters.
const HELP_CHARS_MAX: usize = 80;
/// Largest cache file that is read, in bytes; room for all names at their longest.
const CACHE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Characters of an id's end by which alerts and webhooks are named.
const SHORT_ID_CHARS: usize = 8;

/// A kind of name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Agents,
    AgentTypes,
    AiProcesses,
    Alerts,
    Policies,
    Tokens,
    Users,
    Webhooks,
}

/// A name, and what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Name {
    pub(super) value: String,
    pub(super) help: String,
}

/// What a cache file holds.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cached {
    /// Seconds since 1970 of the last answer.
    fetched_at: u64,
    /// Seconds since 1970 of the last question.
    tried_at: u64,
    names: Vec<Name>,
}

/// The names of a kind at the server that the command line on hand is about.
pub(super) fn of(what: What) -> Vec<Name> {
    find(what).unwrap_or_default()
}

fn find(what: What) -> Option<Vec<Name>> {
    let app = App::new(line::global(&line::words())?).ok()?;
    let endpoint = app.endpoint().ok()?;
    let file = folder().map(|folder| folder.join(key(app.context_name(), &endpoint)).join(what.file()));
    let mut cached = file.as_deref().and_then(load).unwrap_or_default();
    let now = now();
    if is_within(cached.fetched_at, now, FRESH) || is_within(cached.tried_at, now, PAUSE) {
        return Some(cached.names);
    }
    cached.tried_at = now;
    match ask(what, endpoint) {
        Answer::Names(names) => {
            cached.fetched_at = now;
            cached.names = names;
        }
        // What the server no longer shows us is not shown.
        Answer::Denied => cached.names.clear(),
        Answer::NotLoggedIn => return Some(cached.names),
        Answer::Failed => {}
    }
    if let Some(file) = file {
        // A read-only home: the next press asks again.
        let _ = serde_json::to_vec(&cached).map(|bytes| config::replace(&file, &bytes));
    }
    Some(cached.names)
}

/// Forgets the names of a context, whatever its server.
pub fn forget(context: &str) {
    let Some(folder) = folder() else { return };
    let prefix = format!("{context}@");
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// How long ago the newest names of the context and server in use were fetched; `None` when none are kept.
pub fn cached(app: &App) -> Option<SignedDuration> {
    let folder = folder()?.join(key(app.context_name(), &app.endpoint().ok()?));
    let files = fs::read_dir(folder).ok()?.flatten();
    let newest =
        files.filter_map(|file| load(&file.path())).map(|cached| cached.fetched_at).filter(|at| *at > 0).max()?;
    // A clock that was set back makes them older than never.
    Some(SignedDuration::from_secs(i64::try_from(now().saturating_sub(newest)).ok()?))
}

/// Where they are kept, whether or not there are any.
pub fn folder() -> Option<PathBuf> {
    Some(etcetera::base_strategy::Xdg::new().ok()?.cache_dir().join("tyr").join("names"))
}

/// Name of the folder of a context and a server. `@` is in neither, so that no two share one.
fn key(context: &str, endpoint: &Endpoint) -> String {
    let server = endpoint.name().split_once("://").map_or(endpoint.name(), |(_, host)| host);
    let plain = |text: &str| -> String {
        let kept = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-');
        text.chars().map(|character| if kept(character) { character } else { '_' }).collect()
    };
    format!("{}@{}", context.replace(['/', '@'], "_"), plain(server))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Whether a time is at most `limit` ago; one in the future, after the clock was set back, is not.
fn is_within(time: u64, now: u64, limit: Duration) -> bool {
    now.checked_sub(time).is_some_and(|age| age < limit.as_secs())
}

fn load(file: &Path) -> Option<Cached> {
    let mut bytes = Vec::new();
    let opened = fs::File::open(file).ok().filter(|file| file.metadata().is_ok_and(|meta| meta.is_file()))?;
    opened.take(CACHE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    let mut cached: Cached = serde_json::from_slice(&bytes).ok()?;
    // The file may have been written by another version, or by hand.
    cached.names.retain(|name| is_usable(&name.value));
    cached.names.truncate(NAMES_MAX);
    Some(cached)
}

/// Whether a name can be offered: one that a shell or we ourselves would read as something else never is.
fn is_usable(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && !name.starts_with('-')
        && name.chars().all(|character| character.is_alphanumeric() || "._-@+:/".contains(character))
}

enum Answer {
    Names(Vec<Name>),
    NotLoggedIn,
    Denied,
    Failed,
}

/// Asks the server in a thread of its own: whatever hangs there, be it a name server or a token file that is a pipe, is left behind.
fn ask(what: What, endpoint: Endpoint) -> Answer {
    let (sender, receiver) = mpsc::channel();
    let begun = Instant::now();
    let asking = std::thread::Builder::new().spawn(move || {
        let _ = sender.send(fetch(what, endpoint, begun, |names| drop(sender.send(Answer::Names(names)))));
    });
    if asking.is_err() {
        return Answer::Failed;
    }
    // Each page is sent as it comes: of a large fleet at least a part can be offered.
    let mut names = None;
    while let Ok(answer) = receiver.recv_timeout(LIMIT.saturating_sub(begun.elapsed())) {
        match answer {
            Answer::Names(page) => names.get_or_insert_with(Vec::new).extend(page),
            Answer::Failed => break,
            other => return other,
        }
    }
    names.map_or(Answer::Failed, |mut names: Vec<Name>| {
        names.sort_by(|a, b| what.order(a, b));
        names.dedup_by(|a, b| a.value == b.value);
        names.truncate(NAMES_MAX);
        Answer::Names(names)
    })
}

/// A page of a list, of which only names are wanted: rows of any version will do.
#[derive(Deserialize)]
struct Rows {
    items: Vec<Value>,
    #[serde(default)]
    next_cursor: Option<String>,
}

/// Reads the pages of a list, and says how it ended.
fn fetch(what: What, endpoint: Endpoint, begun: Instant, mut page: impl FnMut(Vec<Name>)) -> Answer {
    match endpoint.token.read() {
        Ok(Some(_)) => {}
        Ok(None) => return Answer::NotLoggedIn,
        Err(_) => return Answer::Failed,
    }
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return Answer::Failed };
    let Ok(client) = Client::new(Endpoint { timeout: LIMIT, ..endpoint }) else { return Answer::Failed };
    let (mut cursor, mut found) = (None::<String>, 0);
    loop {
        let query: Vec<_> = cursor.iter().map(|cursor| ("cursor".to_owned(), cursor.clone())).collect();
        let bytes = match runtime.block_on(client.raw(Method::GET, what.path(), &query, None)) {
            Ok(bytes) => bytes,
            Err(failure) if failure.kind == Kind::Denied => return Answer::Denied,
            Err(_) => return Answer::Failed,
        };
        let Ok(rows) = serde_json::from_slice::<Rows>(&bytes) else { return Answer::Failed };
        let names: Vec<_> =
            rows.items.iter().filter_map(|row| what.name(row)).filter(|name| is_usable(&name.value)).collect();
        found += rows.items.len();
        page(names);
        if rows.next_cursor.is_none() || rows.next_cursor == cursor || found >= NAMES_MAX || begun.elapsed() >= LIMIT {
            return Answer::Names(Vec::new());
        }
        cursor = rows.next_cursor;
    }
}

impl What {
    const fn file(self) -> &'static str {
        match self {
            Self::Agents => "agents.json",
            Self::AgentTypes => "agent-types.json",
            Self::AiProcesses => "ai-processes.json",
            Self::Alerts => "alerts.json",
            Self::Policies => "policies.json",
            Self::Tokens => "tokens.json",
            Self::Users => "users.json",
            Self::Webhooks => "webhooks.json",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Agents => "/api/v1/agents",
            Self::AgentTypes | Self::AiProcesses => "/api/v1/discovered-agents",
            Self::Alerts => "/api/v1/alerts",
            Self::Policies => "/api/v1/policies",
            Self::Tokens => "/api/v1/enrollment-tokens",
            Self::Users => "/api/v1/users",
            Self::Webhooks => "/api/v1/webhooks",
        }
    }

    /// The name in a row, and what it is.
    fn name(self, row: &Value) -> Option<Name> {
        let text = |key: &str| match &row[key] {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        let short = |key: &str| {
            let id = text(key).replace('-', "");
            id.get(id.len().saturating_sub(SHORT_ID_CHARS)..).unwrap_or_default().to_owned()
        };
        let (value, help) = match self {
            Self::Agents => (text("name"), text("liveness")),
            Self::AgentTypes => (text("agent_type"), String::new()),
            Self::AiProcesses if !row["ended_at"].is_null() => return None,
            Self::AiProcesses => {
                (text("id"), format!("{} pid {} on {}", text("agent_type"), text("pid"), text("agent_name")))
            }
            Self::Alerts => (short("alert_id"), format!("{} {}", text("rule"), text("agent_name"))),
            Self::Policies => (text("version"), format!("{}, {} rules", text("name"), text("rules"))),
            Self::Tokens if !row["revoked_at"].is_null() => return None,
            Self::Tokens => (text("token_id"), text("label")),
            Self::Users => (text("username"), text("role")),
            Self::Webhooks => (short("webhook_id"), text("url")),
        };
        Some(Name { value, help: help.chars().take(HELP_CHARS_MAX).collect() })
    }

    /// Newest policies first, all else by name.
    fn order(self, a: &Name, b: &Name) -> std::cmp::Ordering {
        let version = |name: &Name| name.value.parse::<u32>().ok();
        match self {
            Self::Policies => version(b).cmp(&version(a)),
            _ => a.value.cmp(&b.value),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::{
        CACHE_BYTES_MAX, Cached, HELP_CHARS_MAX, NAME_BYTES_MAX, NAMES_MAX, Name, What, is_usable, is_within, load,
    };

    #[test]
    fn only_harmless_names_are_offered() {
        for good in ["build-017", "laptop-zoë", "a@b+c", "7f3k", "10.0.0.1:7"] {
            assert!(is_usable(good), "{good}");
        }
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        for bad in ["", "-rf", "a b", "$(reboot)", "a;b", "a\nb", "a\u{202e}b", "`x`", "a'b", "~", "x\u{1b}[2J", &long]
        {
            assert!(!is_usable(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nothing_fresh() {
        let minute = Duration::from_mins(1);
        assert!(is_within(100, 159, minute) && !is_within(100, 160, minute) && !is_within(100, 99, minute));
    }

    #[test]
    fn a_cache_that_is_none_is_as_good_as_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("agents.json");
        assert_eq!(load(&file), None);
        assert_eq!(load(folder.path()), None);
        for text in ["", "{", "[]", r#"{"fetched_at": -1}"#] {
            std::fs::write(&file, text).expect("written");
            assert_eq!(load(&file), None, "{text}");
        }
        let hostile = json!({"fetched_at": 1, "tried_at": 1, "names": [{"value": "$(x)", "help": ""}, {"value": "a", "help": ""}]});
        std::fs::write(&file, hostile.to_string()).expect("written");
        let names = vec![Name { value: "a".to_owned(), help: String::new() }];
        assert_eq!(load(&file), Some(Cached { fetched_at: 1, tried_at: 1, names }));
    }

    #[test]
    fn all_names_at_their_longest_have_room_in_a_file() {
        let name = Name { value: "ä".repeat(NAME_BYTES_MAX / 2), help: "\u{10ffff}".repeat(HELP_CHARS_MAX) };
        let names = vec![name; NAMES_MAX];
        let bytes = serde_json::to_vec(&Cached { fetched_at: 0, tried_at: 0, names }).expect("JSON");
        assert!((bytes.len() as u64) < CACHE_BYTES_MAX, "{}", bytes.len());
    }

    #[test]
    fn rows_of_another_version_have_no_name_rather_than_a_wrong_one() {
        let name = |what: What, row| what.name(&row).map(|name| name.value).unwrap_or_default();
        assert_eq!(name(What::Alerts, json!({"alert_id": "00000000-0000-7000-8000-0000aaaa1234"})), "aaaa1234");
        assert_eq!(name(What::Policies, json!({"version": 3})), "3");
        assert_eq!(name(What::Agents, json!({"title": "x"})), "");
        assert_eq!(name(What::Users, json!([1])), "");
        assert_eq!(name(What::Tokens, json!({"token_id": "x", "revoked_at": "2026-11-22T19:00:00Z"})), "");
    }
}
