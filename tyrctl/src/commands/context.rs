//! `tyrctl context`: servers that one works with.

use serde::Serialize;

use super::Outcome;
use super::change::may_go_on_here;
use crate::app::{App, parse_server};
use crate::args::{ContextAddArgs, ContextCommand};
use crate::auth;
use crate::config::{Context, check_name};
use crate::error::Failure;
use crate::output::nearest;
use crate::output::rows::{Column, View, print_record};
use crate::output::value::{Tone, Value};

/// A context as listed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Named {
    name: String,
    current: bool,
    logged_in: bool,
    #[serde(flatten)]
    context: Context,
}

pub(crate) const VIEW: View<Named> = View {
    noun: "contexts",
    name: |row| row.name.clone(),
    columns: &[
        Column::new("current", |row| if row.current { Value::Word("*", Tone::Good) } else { Value::Nothing }),
        Column::new("name", |row| Value::text(&row.name)),
        Column::new("server", |row| Value::text(&row.context.server)),
        Column::new("username", |row| Value::maybe(row.context.username.clone(), Value::text)),
        Column::new("token", |row| if row.logged_in { Value::Word("stored", Tone::Good) } else { Value::Nothing }),
        Column::wide("ca_file", |row| {
            Value::maybe(row.context.ca_file.as_ref(), |file| Value::Text(file.display().to_string()))
        }),
        Column::wide("read_only", |row| Value::Text(row.context.read_only.to_string())),
        Column::wide("timezone", |row| Value::maybe(row.context.timezone.clone(), Value::text)),
    ],
};

/// `context …`.
pub(super) fn run(app: &App, command: ContextCommand) -> Result<Outcome, Failure> {
    match command {
        ContextCommand::List(list) => {
            let rows = app.config.context.keys().map(|name| named(app, name)).collect::<Result<_, _>>()?;
            VIEW.print(&app.out, &list, rows, "no contexts; `tyrctl login` and `tyrctl context add` make them")
        }
        ContextCommand::Use { name } => {
            known(app, &name)?;
            let mut config = app.config.clone();
            config.current = Some(name.clone());
            app.folder.store(&config)?;
            app.out.line(&format!("✓ context {name}"))?;
            Ok(Outcome::Done)
        }
        ContextCommand::Show { name } => {
            let row = named(app, name.as_deref().unwrap_or(app.context_name()))?;
            let fields = [
                ("name", Value::text(&row.name)),
                ("server", Value::text(&row.context.server)),
                ("ca_file", Value::maybe(row.context.ca_file.as_ref(), |file| Value::Text(file.display().to_string()))),
                ("username", Value::maybe(row.context.username.clone(), Value::text)),
                ("timezone", Value::maybe(row.context.timezone.clone(), Value::text)),
                ("read_only", Value::Text(row.context.read_only.to_string())),
                ("current", Value::Text(row.current.to_string())),
                ("logged_in", Value::Text(row.logged_in.to_string())),
            ];
            print_record(&app.out, &fields, &row)?;
            Ok(Outcome::Done)
        }
        ContextCommand::Add(args) => add(app, &args),
        ContextCommand::Remove { name, change } => {
            known(app, &name)?;
            if !may_go_on_here(app, &format!("remove the context {name} and its access token"), change)? {
                return Ok(Outcome::Done);
            }
            let mut config = app.config.clone();
            config.context.remove(&name);
            if config.current.as_deref() == Some(&name) {
                config.current = None;
            }
            auth::remove_token(&app.folder.token_file(&name))?;
            app.folder.store(&config)?;
            app.out.line(&format!("✓ context {name} is removed"))?;
            Ok(Outcome::Done)
        }
    }
}

fn add(app: &App, args: &ContextAddArgs) -> Result<Outcome, Failure> {
    check_name(&args.name)?;
    let mut config = app.config.clone();
    let before = config.context.get(&args.name).cloned().unwrap_or_default();
    let server = match (&app.global.server, before.server.as_str()) {
        (Some(server), _) => server.clone(),
        (None, "") => return Err(Failure::usage("a context needs a server").hint("`--server https://HOST:7701`")),
        (None, known) => known.to_owned(),
    };
    let url = parse_server(&server)?;
    let ca_file = match app.ca_file_to_store()? {
        Some(file) => Some(file),
        None => before.ca_file,
    };
    if let Some(file) = &ca_file {
        crate::client::trust::authorities(file)?;
    }
    let same_server = parse_server(&before.server).is_ok_and(|known| known.origin() == url.origin());
    if !same_server {
        // The token of the server before must not be shown to this one.
        auth::remove_token(&app.folder.token_file(&args.name))?;
    }
    let timezone = app.global.tz.clone().or(before.timezone);
    let context = Context {
        server: url.as_str().trim_end_matches('/').to_owned(),
        ca_file,
        timezone,
        username: before.username,
        read_only: args.read_only.unwrap_or(before.read_only),
    };
    config.context.insert(args.name.clone(), context);
    if args.use_it || config.current.is_none() {
        config.current = Some(args.name.clone());
    }
    app.folder.store(&config)?;
    app.out.line(&format!("✓ context {}", args.name))?;
    Ok(Outcome::Done)
}

fn named(app: &App, name: &str) -> Result<Named, Failure> {
    let context = known(app, name)?.clone();
    let logged_in = app.folder.token_file(name).is_file();
    Ok(Named { name: name.to_owned(), current: name == app.context_name(), logged_in, context })
}

fn known<'a>(app: &'a App, name: &str) -> Result<&'a Context, Failure> {
    app.config.context.get(name).ok_or_else(|| {
        Failure::failed(format!("there is no context `{name}`")).hint(nearest(
            name,
            app.config.context.keys().map(String::as_str),
            "`tyrctl context list` lists them",
        ))
    })
}
