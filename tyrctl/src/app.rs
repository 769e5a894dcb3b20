//! What every command is given: flags, configuration and environment put together, and the output.

use std::io::IsTerminal;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::Url;

use crate::args::{ColorWhen, Global};
use crate::auth::{Secret, TokenSource};
use crate::client::{Client, Endpoint};
use crate::config::{Config, Context, DEFAULT_CONTEXT, Folder};
use crate::error::Failure;
use crate::output::Output;

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
}

impl App {
    /// Reads configuration and environment.
    ///
    /// # Errors
    /// When the configuration can't be read, or the time zone is unknown.
    pub fn new(global: Global) -> Result<Self, Failure> {
        let folder = Folder::of_user()?;
        let config = folder.load()?;
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
            out: Output::new(&global, color),
            now: Timestamp::now(),
            tz: TimeZone::UTC,
            color,
            global,
            folder,
            config,
        };
        let zone = app.global.tz.clone().or_else(|| app.context().and_then(|context| context.timezone.clone()));
        app.tz = match zone.as_deref() {
            None | Some("UTC" | "utc" | "Z") => TimeZone::UTC,
            Some("local") => TimeZone::system(),
            Some(name) => TimeZone::get(name).map_err(|error| {
                Failure::usage(format!("`{name}` is no time zone"))
                    .because(&error)
                    .hint("e.g. UTC, local or Europe/Berlin")
            })?,
        };
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
            return Err(Failure::failed(format!("there is no context `{name}`")).hint(crate::output::nearest(
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
        Client::new(self.endpoint()?)
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
