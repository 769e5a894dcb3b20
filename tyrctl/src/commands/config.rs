//! `tyrctl config`: where the configuration is, what is in force, and whether it is right.

use clap::CommandFactory;
use clap::parser::ValueSource;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::Outcome;
use crate::app::{App, parse_server, time_zone};
use crate::args::{Cli, ConfigCommand, ListArgs};
use crate::auth::TokenSource;
use crate::client::trust;
use crate::config::Config;
use crate::error::Failure;
use crate::output::nearest;
use crate::output::rows::{Column, View};
use crate::output::value::Value;
use crate::tui::keymap::Keymap;

/// A setting and its value.
#[derive(Debug, Serialize)]
pub(crate) struct Setting {
    name: &'static str,
    value: Option<String>,
    origin: String,
}

pub(crate) const VIEW: View<Setting> = View {
    noun: "settings",
    name: |setting| setting.name.to_owned(),
    columns: &[
        Column::new("name", |setting| Value::text(setting.name)),
        Column::flexible("value", |setting| Value::maybe(setting.value.clone(), Value::text)),
        Column::wide("origin", |setting| Value::text(&setting.origin)),
    ],
};

/// `config path|show|schema|check`.
pub(super) fn run(app: &App, command: ConfigCommand) -> Result<Outcome, Failure> {
    match command {
        ConfigCommand::Path => app.out.line(&app.folder.config_file().display().to_string())?,
        ConfigCommand::Show { origin, mut list } => {
            fail_if_unreadable(app)?;
            if origin && list.columns.is_empty() {
                list.columns = vec!["+origin".to_owned()];
            }
            return show(app, &list);
        }
        ConfigCommand::Schema => app.out.text(&crate::output::json::pretty(&schema())?)?,
        ConfigCommand::Check => {
            fail_if_unreadable(app)?;
            check(&app.config)?;
            app.out.line(&format!("✓ {} is right", app.folder.config_file().display()))?;
        }
    }
    Ok(Outcome::Done)
}

fn fail_if_unreadable(app: &App) -> Result<(), Failure> {
    app.config_failure.clone().map_or(Ok(()), Err)
}

fn show(app: &App, list: &ListArgs) -> Result<Outcome, Failure> {
    let given = given();
    // A flag goes before a variable of the environment, that before the file.
    let from = |flag: &str, variable: &str| match given(flag) {
        Some(ValueSource::CommandLine) => Some(format!("--{}", flag.replace('_', "-"))),
        Some(ValueSource::EnvVariable) => Some(variable.to_owned()),
        _ => None,
    };
    let file = app.folder.config_file().display().to_string();
    let context = app.context();
    let endpoint = app.endpoint().ok();
    let of_context =
        |set: bool| if set { format!("{file}, context.{}", app.context_name()) } else { "default".to_owned() };
    let setting = |name, value: Option<String>, origin: String| Setting { name, value, origin };
    let token = match endpoint.as_ref().map(|endpoint| &endpoint.token) {
        Some(TokenSource::File(_)) => "--token-file".to_owned(),
        Some(TokenSource::Environment(_)) => "TYR_TOKEN".to_owned(),
        Some(TokenSource::Stored(_)) => "tyrctl login".to_owned(),
        Some(TokenSource::Nowhere) | None => "default".to_owned(),
    };
    let settings = vec![
        setting(
            "context",
            Some(app.context_name().to_owned()),
            from("context", "TYR_CONTEXT").unwrap_or_else(|| {
                if app.config.current.is_some() { format!("{file}, current") } else { "default".to_owned() }
            }),
        ),
        setting(
            "server",
            endpoint.as_ref().map(|endpoint| endpoint.name().to_owned()),
            from("server", "TYR_SERVER").unwrap_or_else(|| of_context(context.is_some())),
        ),
        setting(
            "ca_file",
            endpoint.as_ref().and_then(|endpoint| endpoint.ca_file.as_ref()).map(|file| file.display().to_string()),
            from("ca_file", "TYR_CA_FILE")
                .unwrap_or_else(|| of_context(context.is_some_and(|context| context.ca_file.is_some()))),
        ),
        setting("token", endpoint.as_ref().map(|endpoint| endpoint.token.describe()), token),
        setting(
            "username",
            context.and_then(|context| context.username.clone()),
            of_context(context.is_some_and(|context| context.username.is_some())),
        ),
        setting(
            "timezone",
            Some(app.tz.iana_name().unwrap_or("local").to_owned()),
            from("tz", "TYR_TZ")
                .unwrap_or_else(|| of_context(context.is_some_and(|context| context.timezone.is_some()))),
        ),
        setting(
            "read_only",
            Some(app.is_read_only().to_string()),
            of_context(context.is_some_and(|context| context.read_only)),
        ),
        setting(
            "timeout",
            Some(format!("{:?}", app.global.timeout)),
            from("timeout", "").unwrap_or_else(|| "default".to_owned()),
        ),
    ];
    VIEW.print(&app.out, list, settings, "no settings")
}

/// Where each flag of this very command line got its value from.
fn given() -> impl Fn(&str) -> Option<ValueSource> {
    let mut innermost = Cli::command().try_get_matches_from(std::env::args_os()).ok();
    while let Some((_, sub)) = innermost.as_ref().and_then(|matches| matches.subcommand()) {
        innermost = Some(sub.clone());
    }
    move |flag| innermost.as_ref().and_then(|matches| matches.value_source(flag))
}

/// What would fail later: each wrong thing is a cause of its own.
fn check(config: &Config) -> Result<(), Failure> {
    let mut wrong: Vec<Failure> = Vec::new();
    if let Some(current) = config.current.as_deref().filter(|current| !config.context.contains_key(*current)) {
        let names = config.context.keys().map(String::as_str);
        let hint = nearest(current, names, "`tyrctl context use NAME` chooses one");
        wrong.push(Failure::failed(format!("current: there is no context `{current}`")).hint(hint));
    }
    for (name, context) in &config.context {
        let mut of = |key: &str, result: Result<(), Failure>| {
            if let Err(mut failure) = result {
                failure.message = format!("context.{name}.{key}: {}", failure.message);
                wrong.push(failure);
            }
        };
        of("server", parse_server(&context.server).map(|_| ()));
        of("ca_file", context.ca_file.as_ref().map_or(Ok(()), |file| trust::authorities(file).map(|_| ())));
        of("timezone", context.timezone.as_ref().map_or(Ok(()), |zone| time_zone(zone).map(|_| ())));
    }
    wrong.extend(Keymap::new(&config.keys).err());
    if wrong.is_empty() {
        return Ok(());
    }
    Err(wrong.into_iter().fold(Failure::failed("the configuration is not right"), |mut all, failure| {
        all = all.cause(std::iter::once(failure.message).chain(failure.causes).collect::<Vec<_>>().join(": "));
        failure.hints.into_iter().fold(all, |all, hint| if all.hints.contains(&hint) { all } else { all.hint(hint) })
    }))
}

/// The file's form. A test holds it against [`Config`].
pub fn schema() -> Json {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of tyrctl (config.toml)",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "current": { "type": "string", "description": "The context in use." },
            "keys": {
                "type": "object",
                "description": "Keys of the dashboard by action (`tyrctl keys -o wide`), where they differ from the usual ones; [] for none.",
                "additionalProperties": {
                    "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }]
                }
            },
            "context": {
                "type": "object",
                "description": "All contexts by name.",
                "propertyNames": { "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$" },
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["server"],
                    "properties": {
                        "server": { "type": "string", "format": "uri", "description": "Address of the server, https://HOST:7701." },
                        "ca_file": { "type": "string", "description": "PEM file with the only certificate authorities to trust." },
                        "username": { "type": "string", "description": "Name to log in with." },
                        "timezone": { "type": "string", "description": "Zone in which times are shown, e.g. Europe/Berlin or local." },
                        "read_only": { "type": "boolean", "description": "Refuse everything that changes something on the server." }
                    }
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{check, schema};
    use crate::config::{Config, Context};
    use crate::tui::keymap::KeyNames;

    #[test]
    fn the_schema_has_each_key_and_no_other() {
        let context = Context {
            server: "https://tyr:7701".to_owned(),
            ca_file: Some("x".into()),
            username: Some("x".to_owned()),
            timezone: Some("UTC".to_owned()),
            read_only: true,
        };
        let keys = [("freeze".to_owned(), KeyNames::One("F2".to_owned()))].into();
        let config = Config { current: Some("a".to_owned()), context: [("a".to_owned(), context)].into(), keys };
        let written = serde_json::to_value(&config).expect("JSON");
        let keys =
            |value: &serde_json::Value| value.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>();
        let schema = schema();
        assert_eq!(keys(&schema["properties"]), keys(&written));
        let context = &schema["properties"]["context"]["additionalProperties"]["properties"];
        assert_eq!(keys(context), keys(&written["context"]["a"]));
    }

    #[test]
    fn each_wrong_thing_is_said() {
        let context = Context {
            server: "tyr:7701".to_owned(),
            ca_file: Some("/nonexistent".into()),
            timezone: Some("Europe/Berlim".to_owned()),
            ..Context::default()
        };
        let keys = [("freze".to_owned(), KeyNames::Many(Vec::new()))].into();
        let config = Config { current: Some("prd".to_owned()), context: [("prod".to_owned(), context)].into(), keys };
        let said = check(&config).expect_err("wrong").to_string();
        for part in [
            "no context `prd`",
            "did you mean `prod`?",
            "context.prod.server",
            "context.prod.ca_file",
            "`Europe/Berlin`",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        check(&Config::default()).expect("nothing to be wrong");
    }
}
