//! What every command is given: flags, configuration and environment put together, and the output.

use std::cell::RefCell;
use std::io::IsTerminal;
use std::path::PathBuf;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use reqwest::Url;

use crate::args::{ColorWhen, Global, TimeStyle};
use crate::auth::{Secret, TokenSource};
use crate::client::{Client, Endpoint};
use crate::config::{Config, Context, DEFAULT_CONTEXT, Folder};
use crate::error::Failure;
use crate::output::{Output, nearest};
use crate::when;

/// From this difference on it is said: less is the network's and the answer's own time.
const CLOCK_SKEW_NOTED: SignedDuration = SignedDuration::from_secs(60);

/// One run of the program.
#[derive(Debug)]
pub struct App {
    /// The flags that every command takes.
    pub global: Global,
    /// Where configuration and tokens lie.
    pub folder: Folder,
    /// What the configuration file says.
    pub config: Config,
    /// Standard output and the notes on standard error.
    pub out: Output,
    /// When the program started: all relative times count from here.
    pub now: Timestamp,
    /// Zone in which times are read and shown.
    pub tz: TimeZone,
    /// Whether standard output may be coloured.
    pub color: bool,
    /// Why the configuration could not be read, for the few commands that go on without it.
    pub config_failure: Option<Failure>,
    /// The client that talked to the server last: what it learned there is told at the end.
    last_client: RefCell<Option<Client>>,
}

impl App {
    /// Reads configuration and environment.
    ///
    /// # Errors
    /// When the configuration can't be read, or the time zone is unknown.
    pub fn new(global: Global) -> Result<Self, Failure> {
        let folder = Folder::of_user()?;
        let config = folder.load()?;
        Self::with(global, folder, config)
    }

    /// Goes on without a configuration that can't be read: to find out what is wrong with it.
    ///
    /// # Errors
    /// When there is no place for it, or the time zone is unknown.
    pub fn lenient(global: Global) -> Result<Self, Failure> {
        let folder = Folder::of_user()?;
        match folder.load() {
            Ok(config) => Self::with(global, folder, config),
            Err(failure) => {
                let mut app = Self::with(global, folder, Config::default())?;
                app.config_failure = Some(failure);
                Ok(app)
            }
        }
    }

    fn with(global: Global, folder: Folder, config: Config) -> Result<Self, Failure> {
        let color = match global.color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => {
                let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
                !set("NO_COLOR") && (set("CLICOLOR_FORCE") || (std::io::stdout().is_terminal() && !dumb))
            }
        };
        let mut app = Self {
            out: Output::new(&global, color)?,
            now: Timestamp::now(),
            tz: TimeZone::UTC,
            color,
            global,
            folder,
            config,
            config_failure: None,
            last_client: RefCell::new(None),
        };
        let local = app.global.time == Some(TimeStyle::Local);
        let zone = app
            .global
            .tz
            .clone()
            .or_else(|| local.then(|| "local".to_owned()))
            .or_else(|| app.context().and_then(|context| context.timezone.clone()));
        app.tz = zone.as_deref().map_or(Ok(TimeZone::UTC), time_zone)?;
        app.out.tz = app.tz.clone();
        Ok(app)
    }

    /// Name of the context in use.
    pub fn context_name(&self) -> &str {
        self.global.context.as_deref().or(self.config.current.as_deref()).unwrap_or(DEFAULT_CONTEXT)
    }

    /// The context in use, if the configuration has it.
    pub fn context(&self) -> Option<&Context> {
        self.config.context.get(self.context_name())
    }

    /// Where the server is.
    ///
    /// # Errors
    /// When no server is known, or its address is none.
    pub fn endpoint(&self) -> Result<Endpoint, Failure> {
        let name = self.context_name();
        let context = self.context();
        if context.is_none() && self.global.context.is_some() && self.global.server.is_none() {
            let names = self.config.context.keys().map(String::as_str);
            return Err(Failure::failed(format!("there is no context `{name}`")).hint(nearest(
                name,
                names,
                "`tyrctl context list` lists them",
            )));
        }
        let Some(server) = self.global.server.as_deref().or(context.map(|context| context.server.as_str())) else {
            return Err(Failure::usage("no server is known")
                .hint("name it: `--server https://HOST:7701` or TYR_SERVER; `tyrctl login` and `tyrctl context add` remember it"));
        };
        let server = parse_server(server)?;
        // A token is shown to the server that gave it, and to no other.
        let of_this_server = context
            .is_none_or(|context| parse_server(&context.server).is_ok_and(|known| known.origin() == server.origin()));
        let token = match (&self.global.token_file, token_in_environment()) {
            (Some(file), _) => TokenSource::File(file.clone()),
            (None, Some(secret)) => TokenSource::Environment(secret),
            (None, None) if of_this_server => TokenSource::Stored(self.folder.token_file(name)),
            (None, None) => TokenSource::Nowhere,
        };
        let ca_file = self
            .global
            .ca_file
            .clone()
            .or_else(|| context.filter(|_| of_this_server).and_then(|context| context.ca_file.clone()));
        Ok(Endpoint { server, ca_file, token, timeout: self.global.timeout })
    }

    /// A client of the server in use; nothing is sent yet.
    ///
    /// # Errors
    /// When no server is known, or the CA file can't be read.
    pub fn client(&self) -> Result<Client, Failure> {
        let endpoint = self.endpoint()?;
        let client = if self.is_read_only() { Client::read_only(endpoint)? } else { Client::new(endpoint)? };
        self.last_client.replace(Some(client.clone()));
        Ok(client)
    }

    /// Whether the context in use refuses everything that changes something on the server.
    pub fn is_read_only(&self) -> bool {
        self.context().is_some_and(|context| context.read_only)
    }

    /// The same run of the program once more, at a later time and with another output.
    pub(crate) fn again(&self, out: Output) -> Self {
        Self {
            global: self.global.clone(),
            folder: self.folder.clone(),
            config: self.config.clone(),
            out,
            now: Timestamp::now(),
            tz: self.tz.clone(),
            color: self.color,
            config_failure: self.config_failure.clone(),
            last_client: RefCell::new(None),
        }
    }

    /// Says that the clocks of this machine and of the server differ, where they do: times like `--since 1h` count from ours.
    pub(crate) fn note_clock_skew(&self) {
        let skew = self.last_client.borrow().as_ref().and_then(Client::clock_skew);
        if let Some(skew) = skew.filter(|skew| skew.abs() >= CLOCK_SKEW_NOTED) {
            self.out.note(&format!(
                "note: this machine's clock is {} {} the server's; times like `--since 1h` count from here",
                when::short(skew.abs()),
                if skew.is_negative() { "behind" } else { "ahead of" }
            ));
        }
    }

    /// A CA file's absolute path, for the configuration: later commands run in other folders.
    pub(crate) fn ca_file_to_store(&self) -> Result<Option<PathBuf>, Failure> {
        self.global
            .ca_file
            .as_deref()
            .map(|file| {
                file.canonicalize().map_err(|error| {
                    Failure::failed(format!("CA file `{}` could not be found", file.display())).because(&error)
                })
            })
            .transpose()
    }
}

/// The time zone of that name.
///
/// # Errors
/// When there is none; the nearest names are said.
pub fn time_zone(name: &str) -> Result<TimeZone, Failure> {
    match name {
        "UTC" | "utc" | "Z" => Ok(TimeZone::UTC),
        "local" => Ok(TimeZone::system()),
        name => TimeZone::get(name).map_err(|error| {
            let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
            let names = known.iter().map(String::as_str);
            Failure::usage(format!("`{name}` is no time zone")).because(&error).hint(nearest(
                name,
                names,
                "e.g. UTC, local or Europe/Berlin",
            ))
        }),
    }
}

fn token_in_environment() -> Option<Secret> {
    std::env::var("TYR_TOKEN").ok().filter(|token| !token.trim().is_empty()).map(|token| Secret::new(token.trim()))
}

/// Reads a server's address. Without TLS a password could be read on the way, so that is for this very machine only.
///
/// # Errors
/// When it is none, has a path, or would be unprotected.
pub fn parse_server(text: &str) -> Result<Url, Failure> {
    let failure = |cause: String| {
        Failure::usage(format!("`{text}` is no server address")).cause(cause).hint("e.g. https://tyr.example.com:7701")
    };
    let url = Url::parse(text).map_err(|error| failure(error.to_string()))?;
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(failure("it names no host".to_owned())),
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => {
            return Err(failure(
                "without TLS anyone on the way could read the password; only this machine itself may be asked so"
                    .to_owned(),
            ));
        }
        scheme => return Err(failure(format!("its scheme is {scheme}, not https"))),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(failure("user names and passwords don't belong into it; use `tyrctl login`".to_owned()));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(failure("it has more than scheme, host and port".to_owned()));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::parse_server;

    #[test]
    fn takes_https_and_the_machine_itself() {
        for good in
            ["https://tyr.example.com:7701", "https://[::1]:7701/", "http://127.0.0.1:7701", "http://localhost:1"]
        {
            parse_server(good).expect(good);
        }
    }

    #[test]
    fn refuses_what_is_unprotected_or_no_address() {
        for bad in [
            "tyr.example.com:7701",
            "http://tyr.example.com:7701",
            "http://localhost.evil.example",
            "ftp://localhost",
            "https://a:b@tyr.example.com",
            "https://tyr.example.com/api",
            "https://tyr.example.com/?x",
            "localhost",
            "",
        ] {
            parse_server(bad).expect_err(bad);
        }
    }
}
