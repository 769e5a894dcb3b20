//! Actions as events record them: text, judged the same by the server when it comes in and by whoever looks at it later.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::compiled::Compiled;
use crate::condition::Facts;
use crate::eval::{Act, Judgement, Resource};
use crate::words::{Action, Protocol};

/// One recorded action.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// What was done.
    pub action: Action,
    /// To what: a path or an executable with bytes that are no text as `\xNN`, `address:port`, or a server name.
    pub resource: &'a str,
    /// `tcp` where it is not said.
    pub protocol: Option<&'a str>,
    /// Only a part of the path is known.
    pub truncated: bool,
    /// Agent type of the acting process.
    pub agent_type: Option<&'a str>,
    /// Its executable, written as a path is. Of a program that was started this is the new one.
    pub exe: &'a str,
    /// The executable that started it, which `binaries` is about: written as a path is, anything else where it is not known.
    /// `None`: `exe` is it, as of what was refused.
    pub caller: Option<&'a str>,
    /// Its command line.
    pub cmdline: &'a str,
    /// Who it ran as; -1 where that is not known.
    pub uid: i64,
}

impl Recorded<'_> {
    /// With what an event's metadata says besides: `protocol`, `flags` (`truncated` among them), `caller` and `uid`.
    #[must_use]
    pub fn with_metadata<'m>(self, metadata: &'m BTreeMap<String, String>) -> Recorded<'m>
    where
        Self: 'm,
    {
        let of = |key: &str| metadata.get(key).map(String::as_str);
        Recorded {
            protocol: of("protocol"),
            caller: of("caller").filter(|_| self.action == Action::Exec),
            truncated: of("flags").is_some_and(|flags| flags.split([',', '|', ' ']).any(|flag| flag == "truncated")),
            uid: of("uid").and_then(|uid| uid.parse().ok()).unwrap_or(-1),
            ..self
        }
    }
}

impl Compiled {
    /// Judges a recorded action, conditions included; `None` when its resource can't be read.
    pub fn judge_recorded(&self, recorded: &Recorded<'_>) -> Option<Judgement<'_>> {
        let path;
        let resource = match recorded.action {
            Action::FileRead | Action::FileWrite | Action::Exec => {
                path = unescape(recorded.resource);
                Resource::Path { path: &path, truncated: recorded.truncated }
            }
            Action::NetConnect => {
                let target: SocketAddr = recorded.resource.parse().ok()?;
                let protocol: Protocol = recorded.protocol.unwrap_or("tcp").parse().ok()?;
                Resource::Net { addr: target.ip(), port: target.port(), protocol }
            }
            Action::TlsConnect => Resource::ServerName(recorded.resource),
        };
        let binary = match recorded.caller {
            None => unescape(recorded.exe),
            Some(path) if path.starts_with('/') => unescape(path),
            Some(_) => Cow::Borrowed(&[][..]),
        };
        let act = Act { action: recorded.action, resource, agent_type: recorded.agent_type, binary: &binary };
        let Recorded { resource, exe, cmdline, uid, .. } = *recorded;
        Some(self.judge_with(&act, &Facts { resource, exe, cmdline, uid }))
    }
}

/// The bytes behind `\xNN`; every other backslash stands for itself.
pub fn unescape(text: &str) -> Cow<'_, [u8]> {
    let bytes = text.as_bytes();
    if !text.contains("\\x") {
        return Cow::Borrowed(bytes);
    }
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1), digit(at + 2), digit(at + 3)) {
            (b'\\', Some(b'x'), Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).expect("two digits of 16"));
                at += 4;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    Cow::Owned(out)
}
