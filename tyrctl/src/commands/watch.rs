//! `--watch` of every command that lists: on a terminal one picture drawn over, in a pipe one output after the other.

use std::io::IsTerminal;
use std::time::Duration;

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use super::{Outcome, dispatch};
use crate::app::App;
use crate::args::{
    AgentsArgs, AiArgs, AiCommand, AlertsArgs, AlertsCommand, Command, ConfigCommand, ContextCommand, DbCommand,
    EventsCommand, Format, ListArgs, PolicyCommand, PolicyStatusArgs, SqlCommand, SqlListArgs, TokenCommand,
    UserCommand, WebhookCommand,
};
use crate::error::{Failure, Kind};
use crate::output::sanitize::sanitize;
use crate::output::screen::{self, Screen};
use crate::when;

/// After the last change of the terminal's size the output is fetched anew for it.
const SETTLED: Duration = Duration::from_millis(150);

/// The list flags of a command that lists.
pub(crate) fn list_of(command: &mut Command) -> Option<&mut ListArgs> {
    match command {
        Command::Agents(AgentsArgs { list, .. })
        | Command::Ai(AiArgs { command: None, list, .. } | AiArgs { command: Some(AiCommand::Types { list }), .. })
        | Command::Alerts(
            AlertsArgs { command: None, list, .. }
            | AlertsArgs { command: Some(AlertsCommand::Webhook(WebhookCommand::List(list))), .. },
        )
        | Command::Context(ContextCommand::List(list))
        | Command::Config(ConfigCommand::Show { list, .. })
        | Command::Policy(
            PolicyCommand::List(SqlListArgs { list, .. })
            | PolicyCommand::Assignments(list)
            | PolicyCommand::Status(PolicyStatusArgs { list, .. }),
        )
        | Command::Sql(SqlCommand::List(list))
        | Command::Token(TokenCommand::List(SqlListArgs { list, .. }))
        | Command::User(UserCommand::List(SqlListArgs { list, .. })) => Some(list),
        Command::Policy(PolicyCommand::Check(args)) => Some(&mut args.list),
        Command::Policy(PolicyCommand::Test(args)) => Some(&mut args.list),
        Command::Policy(PolicyCommand::Simulate(args)) => Some(&mut args.list),
        Command::Audit(args) => Some(&mut args.list),
        Command::Drift(args) => Some(&mut args.list),
        Command::Keys(args) => Some(&mut args.list),
        Command::Metrics(args) => Some(&mut args.list),
        Command::Events(EventsCommand::List(args)) => Some(&mut args.list),
        Command::Events(EventsCommand::Rate(args)) => Some(&mut args.list),
        Command::Events(EventsCommand::Agents(args)) => Some(&mut args.list),
        Command::Db(args) => match args.command.as_mut()? {
            DbCommand::Connections(args)
            | DbCommand::Tables(args)
            | DbCommand::Partitions(args)
            | DbCommand::Indexes(args)
            | DbCommand::Apart(args) => Some(&mut args.list),
        },
        _ => None,
    }
}

/// Runs the command until somebody ends it, a `--fail-on-…` condition holds, or its output has no reader.
pub(super) async fn run(app: &App, command: Command, every: Duration) -> Result<Outcome, Failure> {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    if std::io::stdout().is_terminal() && !dumb {
        in_place(app, &command, every).await
    } else {
        piped(app, command, every).await
    }
}

async fn piped(app: &App, mut command: Command, every: Duration) -> Result<Outcome, Failure> {
    let mut first = true;
    loop {
        let started = Instant::now();
        let (out, captured) = app.out.captured(None, false);
        let round = app.again(out);
        let result = Box::pin(dispatch(&round, command.clone())).await;
        if !first && matches!(app.out.format, Format::Table | Format::Wide) {
            app.out.text("\n")?;
        }
        app.out.text(&captured.take())?;
        app.out.flush()?;
        match result {
            Ok(Outcome::Done) => {}
            // Later the server may come back; a script that begins without one wants to know.
            Err(failure) if !first && failure.kind == Kind::Unreachable => {
                app.out.note(&format!("note: {}; trying again", failure.one_line()));
            }
            other => return other,
        }
        if matches!(app.out.format, Format::Csv | Format::Tsv)
            && let Some(list) = list_of(&mut command)
        {
            // One file with one line of heads.
            list.no_headers = true;
        }
        first = false;
        sleep_until(started + every).await;
    }
}

async fn in_place(app: &App, command: &Command, every: Duration) -> Result<Outcome, Failure> {
    let failure = |error: &std::io::Error| Failure::failed("the terminal could not be used").because(error);
    let listen = |kind| signal(kind).map_err(|error| failure(&error));
    let (mut interrupt, mut terminate, mut hang_up) =
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?, listen(SignalKind::hangup())?);
    let mut resized = listen(SignalKind::window_change())?;
    let what = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    let head = |state: &str| format!("tyrctl {}  {state}", sanitize(&what));
    // Taken with the first picture: until then a failure is one like any other.
    let mut taken: Option<Screen> = None;
    let mut picture = String::new();
    let ended = 'rounds: loop {
        let mut due = Instant::now() + every;
        let (out, captured) = app.out.captured(Some(screen::size().0.saturating_sub(1)), true);
        let round = app.again(out);
        let result = tokio::select! {
            result = Box::pin(dispatch(&round, command.clone())) => result,
            _ = interrupt.recv() => break Ok(Outcome::Interrupted),
            _ = terminate.recv() => break Ok(Outcome::Interrupted),
            _ = hang_up.recv() => break Ok(Outcome::Interrupted),
        };
        let state = match result {
            Ok(outcome) => {
                picture = captured.take();
                if outcome != Outcome::Done {
                    break Ok(outcome);
                }
                format!("each {every:?}, {}", when::show(round.now, &app.tz))
            }
            Err(cause) if taken.is_some() && cause.kind == Kind::Unreachable => {
                let now = when::show(Timestamp::now(), &app.tz);
                format!("AS BEFORE, {now}: {}", sanitize(&cause.one_line()))
            }
            Err(cause) => break Err(cause),
        };
        if taken.is_none() {
            taken = Some(Screen::take().map_err(|error| failure(&error))?);
        }
        loop {
            if let Some(screen) = &taken {
                screen.draw(&head(&state), &picture).map_err(|error| failure(&error))?;
            }
            tokio::select! {
                () = sleep_until(due) => break,
                _ = resized.recv() => due = due.min(Instant::now() + SETTLED),
                _ = interrupt.recv() => break 'rounds Ok(Outcome::Interrupted),
                _ = terminate.recv() => break 'rounds Ok(Outcome::Interrupted),
                _ = hang_up.recv() => break 'rounds Ok(Outcome::Interrupted),
            }
        }
    };
    drop(taken);
    // What was seen last stays in the scrollback.
    app.out.text(&picture)?;
    app.out.flush()?;
    ended
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::list_of;
    use crate::args::Cli;

    /// The flag exists wherever lists are flattened in, so each such command has to be known here.
    #[test]
    fn no_command_takes_the_flag_and_ignores_it() {
        fn look(command: &clap::Command, path: &[String], ignored: &mut Vec<String>) {
            if command.get_arguments().any(|argument| argument.get_id() == "watch") {
                let mut line = [&["tyrctl".to_owned()], path, &["--watch".to_owned()]].concat();
                for argument in command.get_arguments().filter(|argument| argument.is_required_set()) {
                    line.extend(argument.get_long().map(|long| format!("--{long}")));
                    line.push("x".to_owned());
                }
                let mut cli = Cli::try_parse_from(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
                if list_of(&mut cli.command).is_none_or(|list| list.watch.is_none()) {
                    ignored.push(path.join(" "));
                }
            }
            for sub in command.get_subcommands() {
                look(sub, &[path, &[sub.get_name().to_owned()]].concat(), ignored);
            }
        }
        let mut ignored = Vec::new();
        look(&Cli::command(), &[], &mut ignored);
        assert_eq!(ignored, Vec::<String>::new());
    }
}
