//! `tyrctl setup`, `login`, `logout`, `passwd`, `auth status` and `auth rotate-key`.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use jiff::Timestamp;
use serde::Serialize;
use tyr_api::auth::{Credentials, Role, Session};
use tyr_api::users::PasswordChange;

use super::{Outcome, change::may_go_on};
use crate::app::{App, parse_server};
use crate::args::{LoginArgs, LogoutArgs, PasswdArgs, RotateKeyArgs, SetupArgs};
use crate::auth::{self, Claims, TokenSource};
use crate::client::{Client, Endpoint};
use crate::config::Context;
use crate::error::{Failure, Kind};
use crate::output::rows::print_record;
use crate::output::value::{Tone, Value};

/// Longest password, in bytes: what the server takes.
const PASSWORD_BYTES_MAX: u64 = 1024;

/// Who is logged in where, without the token.
#[derive(Debug, Serialize)]
struct LoggedIn {
    server: String,
    context: String,
    username: Option<String>,
    role: Option<String>,
    expires_at: Option<Timestamp>,
    token_from: String,
}

/// `setup --username NAME`.
pub(super) async fn setup(app: &App, args: &SetupArgs) -> Result<Outcome, Failure> {
    let client = open_client(app)?;
    if client.auth_status().await?.configured {
        return Err(Failure::failed("this server has its first admin already")
            .hint(format!("log in: `tyrctl login --username {}`", args.username)));
    }
    let password = new_password(app, args.password_stdin, &args.username)?;
    let session = client.setup(&Credentials { username: args.username.clone(), password }).await?;
    keep(app, &client, &session)
}

/// `login [--username NAME]`.
pub(super) async fn login(app: &App, args: &LoginArgs) -> Result<Outcome, Failure> {
    let client = open_client(app)?;
    let known = app.context().and_then(|context| context.username.clone());
    let username = match args.username.clone().or(known) {
        Some(username) => username,
        None if args.password_stdin || !may_ask(app) => {
            return Err(Failure::usage("no user name").hint("`--username NAME`"));
        }
        None => ask_line("Username: ")?,
    };
    let password = password(app, args.password_stdin, &format!("Password for {username}: "))?;
    let session = client.login(&Credentials { username, password }).await?;
    keep(app, &client, &session)
}

/// A client that sends no token: who logs in has none that works.
fn open_client(app: &App) -> Result<Client, Failure> {
    Client::new(Endpoint { token: TokenSource::Nowhere, ..app.endpoint()? })
}

/// Stores the token, and remembers server and CA file, so that later commands need neither. Gives back the context as it was.
pub(super) fn remember(app: &App, endpoint: &Endpoint, session: &Session) -> Result<Option<Context>, Failure> {
    let name = app.context_name().to_owned();
    crate::config::check_name(&name)?;
    let mut config = app.config.clone();
    let before = config.context.get(&name).cloned();
    let ca_file = match app.ca_file_to_store()? {
        Some(file) => Some(file),
        None => endpoint.ca_file.clone(),
    };
    let timezone = before.as_ref().and_then(|before| before.timezone.clone());
    let read_only = before.as_ref().is_some_and(|before| before.read_only);
    let (server, username) = (endpoint.name().to_owned(), Some(session.username.clone()));
    let context = Context { server, ca_file, username, timezone, read_only };
    config.context.insert(name.clone(), context);
    config.current.get_or_insert_with(|| name.clone());
    let stored = if config == app.config { Ok(()) } else { app.folder.store(&config) };
    let stored = stored.and_then(|()| auth::store_token(&app.folder.token_file(&name), &session.token));
    stored.map_err(|failure| {
        failure
            .hint("the login itself went well; with a folder that can't be written, set XDG_CONFIG_HOME to another one")
    })?;
    // Another user may see other names.
    crate::complete::forget(&name);
    Ok(before)
}

/// Remembers a session and says so.
fn keep(app: &App, client: &Client, session: &Session) -> Result<Outcome, Failure> {
    let endpoint = client.endpoint();
    let before = remember(app, endpoint, session)?;
    let (name, server) = (app.context_name().to_owned(), endpoint.name().to_owned());
    let moved =
        before.as_ref().is_some_and(|before| parse_server(&before.server).ok().as_ref() != Some(&endpoint.server));
    if let (true, Some(before)) = (moved, before) {
        app.out.note(&format!("note: context `{name}` is now {server}; it was {}", before.server));
    }
    if !matches!(app.endpoint()?.token, TokenSource::Stored(_) | TokenSource::Nowhere) {
        app.out.note("note: --token-file or TYR_TOKEN goes before the token that was stored now");
    }
    let role = role_word(session.role);
    let logged_in = LoggedIn {
        server,
        context: name,
        username: Some(session.username.clone()),
        role: Some(role.to_owned()),
        expires_at: Some(session.expires_at),
        token_from: app.folder.token_file(app.context_name()).display().to_string(),
    };
    print(app, &logged_in, Value::Word("logged in", Tone::Good))?;
    Ok(Outcome::Done)
}

fn print(app: &App, logged_in: &LoggedIn, state: Value) -> Result<(), Failure> {
    let fields = [
        ("state", state),
        ("server", Value::text(&logged_in.server)),
        ("context", Value::text(&logged_in.context)),
        ("username", Value::maybe(logged_in.username.clone(), Value::text)),
        ("role", Value::maybe(logged_in.role.clone(), Value::text)),
        ("expires_at", Value::maybe(logged_in.expires_at, Value::Time)),
        ("token", Value::text(&logged_in.token_from)),
    ];
    print_record(&app.out, &fields, logged_in)
}

/// `logout`: the server is told first, but the token is forgotten here whatever it says.
pub(super) async fn logout(app: &App, args: &LogoutArgs) -> Result<Outcome, Failure> {
    let mut sessions = Vec::new();
    if args.all {
        for (name, context) in &app.config.context {
            crate::config::check_name(name)?;
            let token = TokenSource::Stored(app.folder.token_file(name));
            let server = parse_server(&context.server)?;
            let endpoint = Endpoint { server, ca_file: context.ca_file.clone(), token, timeout: app.global.timeout };
            sessions.push((name.clone(), Some(endpoint)));
        }
        if !app.config.context.contains_key(crate::config::DEFAULT_CONTEXT) {
            sessions.push((crate::config::DEFAULT_CONTEXT.to_owned(), None));
        }
    } else {
        crate::config::check_name(app.context_name())?;
        // Without a server there may still be a token to forget.
        sessions.push((app.context_name().to_owned(), app.endpoint().ok()));
    }
    let (mut ended, mut failed) = (0, None);
    for (name, endpoint) in sessions {
        crate::complete::forget(&name);
        let named = endpoint
            .as_ref()
            .is_some_and(|endpoint| matches!(endpoint.token, TokenSource::File(_) | TokenSource::Environment(_)));
        let told = match endpoint {
            Some(endpoint) => end_session(endpoint, args.everywhere).await,
            None => Ok(false),
        };
        // A token that was named on the command line or in the environment isn't ours to forget.
        let forgotten = !named && auth::remove_token(&app.folder.token_file(&name))?;
        match told {
            Ok(told) => ended += usize::from(told || forgotten),
            Err(failure) if forgotten => {
                failed = Some(failure.hint(format!(
                    "the token of context `{name}` was forgotten here; on the server it works until it expires"
                )));
            }
            Err(failure) => failed = Some(failure),
        }
    }
    match ended {
        0 if failed.is_some() => {}
        0 => app.out.note("note: nobody was logged in"),
        1 if args.everywhere => app.out.line("✓ logged out everywhere")?,
        1 => app.out.line("✓ logged out")?,
        n => app.out.line(&format!("✓ logged out of {n} contexts"))?,
    }
    if std::env::var_os("TYR_TOKEN").is_some() {
        app.out.note("note: TYR_TOKEN is still set");
    }
    failed.map_or(Ok(Outcome::Done), Err)
}

/// Ends the session of a token on its server; false: there is no token.
async fn end_session(endpoint: Endpoint, everywhere: bool) -> Result<bool, Failure> {
    if endpoint.token.read()?.is_none() {
        return Ok(false);
    }
    match Client::new(endpoint)?.logout(everywhere).await {
        Ok(()) => Ok(true),
        // It had ended already.
        Err(failure) if failure.kind == Kind::Denied && !everywhere => Ok(true),
        Err(failure) => Err(failure),
    }
}

/// `passwd`.
pub(super) async fn passwd(app: &App, args: &PasswdArgs) -> Result<Outcome, Failure> {
    let client = app.client()?;
    let me = client.me().await?;
    let current_password = password(app, args.password_stdin, &format!("Current password of {}: ", me.username))?;
    let new_password = new_password(app, args.password_stdin, &me.username)?;
    let session = client.change_password(&PasswordChange { current_password, new_password }).await?;
    renew(app, &client, &session)?;
    app.out.line("✓ password changed; your other sessions have ended")?;
    Ok(Outcome::Done)
}

/// `auth rotate-key`.
pub(super) async fn rotate_key(app: &App, args: &RotateKeyArgs) -> Result<Outcome, Failure> {
    let question = if args.end_sessions {
        "replace the session key, and end all sessions but this one"
    } else {
        "replace the session key"
    };
    let client = app.client()?;
    if !may_go_on(app, question, args.change)? {
        return Ok(Outcome::Done);
    }
    let rotation = client.rotate_key(args.end_sessions).await?;
    match &rotation.session {
        Some(session) => {
            renew(app, &client, session)?;
            app.out.line(&format!("✓ key {} signs from now on; all other sessions have ended", rotation.key_id))?;
        }
        None => app.out.line(&format!("✓ key {} signs from now on; sessions go on", rotation.key_id))?,
    }
    Ok(Outcome::Done)
}

/// Stores the token that takes the place of the one in use, where that was stored by us.
fn renew(app: &App, client: &Client, session: &Session) -> Result<(), Failure> {
    match &client.endpoint().token {
        TokenSource::Stored(file) => auth::store_token(file, &session.token),
        other => {
            app.out.note(&format!("note: the token from {} has ended; log in for a new one", other.describe()));
            Ok(())
        }
    }
}

/// `auth status`.
pub(super) async fn status(app: &App) -> Result<Outcome, Failure> {
    let client = app.client()?;
    let source = &client.endpoint().token;
    let token = source.read()?;
    let claims = token.as_ref().map(Claims::of).unwrap_or_default();
    let logged_in = LoggedIn {
        server: client.endpoint().name().to_owned(),
        context: app.context_name().to_owned(),
        // Of the stored token we know who logged in; one from elsewhere may say so itself.
        username: match source {
            TokenSource::Stored(_) if token.is_some() => app.context().and_then(|context| context.username.clone()),
            _ => claims.username.clone(),
        },
        role: claims.role.clone(),
        expires_at: claims.expires_at(),
        token_from: source.describe(),
    };
    if token.is_none() {
        let configured = client.auth_status().await?.configured;
        print(app, &logged_in, Value::Word("not logged in", Tone::Bad))?;
        let failure = Failure::new(Kind::Denied, "not logged in");
        return Err(if configured {
            failure.hint("`tyrctl login --username NAME`")
        } else {
            failure.hint("the server has no admin yet: `tyrctl setup --username NAME`")
        });
    }
    // Only the server knows whether it still takes the token, and whose it is.
    match client.me().await {
        Ok(me) => {
            let logged_in = LoggedIn {
                username: Some(me.username),
                role: Some(role_word(me.role).to_owned()),
                expires_at: Some(me.expires_at),
                ..logged_in
            };
            print(app, &logged_in, Value::Word("logged in", Tone::Good))?;
            Ok(Outcome::Done)
        }
        Err(failure) => {
            if failure.kind == Kind::Denied {
                print(app, &logged_in, Value::Word("refused", Tone::Bad))?;
            }
            Err(failure)
        }
    }
}

/// A role as words say it.
pub fn role_word(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Admin => "admin",
    }
}

fn may_ask(app: &App) -> bool {
    !app.global.no_input && io::stdin().is_terminal()
}

/// A password that is to hold from now on: asked for twice, as nobody sees what is typed.
pub(super) fn new_password(app: &App, from_stdin: bool, username: &str) -> Result<String, Failure> {
    let new = password(app, from_stdin, &format!("New password for {username}: "))?;
    if !from_stdin && ask("Again: ")? != new {
        return Err(Failure::failed("the two passwords differ").hint("nothing was changed; try again"));
    }
    Ok(new)
}

fn password(app: &App, from_stdin: bool, prompt: &str) -> Result<String, Failure> {
    if !from_stdin {
        if !may_ask(app) {
            return Err(Failure::usage("no password, and nobody can be asked")
                .hint("`--password-stdin` reads it from standard input"));
        }
        return ask(prompt);
    }
    if io::stdin().is_terminal() {
        app.out.note("note: reading the password from standard input; it will be visible");
    }
    let failure = |error: &io::Error| Failure::failed("the password could not be read").because(error);
    let mut line = String::new();
    io::stdin().lock().take(PASSWORD_BYTES_MAX + 2).read_line(&mut line).map_err(|error| failure(&error))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::usage("standard input holds no password"));
    }
    Ok(password.to_owned())
}

/// Asks without showing what is typed.
fn ask(prompt: &str) -> Result<String, Failure> {
    rpassword::prompt_password(prompt).map_err(|error| {
        Failure::failed("the password could not be asked for")
            .because(&error)
            .hint("`--password-stdin` reads it from standard input")
    })
}

fn ask_line(prompt: &str) -> Result<String, Failure> {
    let failure = |error: &io::Error| Failure::failed("the question could not be asked").because(error);
    let mut err = io::stderr();
    write!(err, "{prompt}").and_then(|()| err.flush()).map_err(|error| failure(&error))?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(|error| failure(&error))?;
    let line = line.trim();
    if line.is_empty() { Err(Failure::usage("no user name").hint("`--username NAME`")) } else { Ok(line.to_owned()) }
}
