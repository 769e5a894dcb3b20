//! One module per verb.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::app::App;
use crate::args::{AgentCommand, AuthCommand, Command, EventsCommand};
use crate::error::Failure;
use crate::output::sanitize::sanitize;

use agents::Change;

pub mod agents;
pub mod ai;
pub mod alerts;
pub mod api;
pub mod audit;
pub mod completions;
pub mod context;
pub mod db;
pub mod drift;
pub mod events;
pub mod health;
pub mod metrics;
pub mod policy;
pub mod session;
pub mod sql;
pub mod token;
pub mod top;
pub mod user;
pub mod why;

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All went well: 0.
    Done,
    /// `--fail-on-any` or `--fail-on-none` holds: 3.
    ConditionHolds,
}

/// Does what was asked for.
///
/// # Errors
/// The command's.
pub async fn run(app: &App, command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Top(args) => top::run(app, &args).await,
        Command::Agents(args) => agents::list(app, &args).await,
        Command::Agent(AgentCommand::Show { name }) => agents::show(app, &name).await,
        Command::Agent(AgentCommand::Archive(args)) => agents::change(app, &args, Change::Archive).await,
        Command::Agent(AgentCommand::Unarchive(args)) => agents::change(app, &args, Change::Unarchive).await,
        Command::Agent(AgentCommand::Revoke(args)) => agents::change(app, &args, Change::Revoke).await,
        Command::Ai(args) => ai::run(app, &args).await,
        Command::Alerts(args) => alerts::run(app, args).await,
        Command::Drift(args) => drift::run(app, &args).await,
        Command::Events(EventsCommand::List(args)) => events::list(app, &args).await,
        Command::Events(EventsCommand::Tail(args)) => events::tail::run(app, &args).await,
        Command::Events(EventsCommand::Agents(args)) => events::agents::run(app, &args).await,
        Command::Events(EventsCommand::Rate(args)) => events::rate::run(app, &args).await,
        Command::Policy(command) => policy::run(app, command).await,
        Command::Token(command) => token::run(app, command).await,
        Command::Setup(args) => session::setup(app, &args).await,
        Command::Login(args) => session::login(app, &args).await,
        Command::Logout(args) => session::logout(app, &args).await,
        Command::Auth(AuthCommand::Status) => session::status(app).await,
        Command::Auth(AuthCommand::RotateKey(args)) => session::rotate_key(app, &args).await,
        Command::Passwd(args) => session::passwd(app, &args).await,
        Command::User(command) => user::run(app, command).await,
        Command::Audit(args) => audit::run(app, &args).await,
        Command::Context(command) => context::run(app, command),
        Command::Db(args) => db::run(app, &args).await,
        Command::Sql(command) => sql::run(app, &command),
        Command::Why(args) => why::run(app, &args).await,
        Command::Health => health::health(app).await,
        Command::Metrics(args) => metrics::run(app, &args).await,
        Command::Version(args) => health::version(app, &args).await,
        Command::Api(args) => api::run(app, &args).await,
        Command::Completions(args) => completions::completions(app, &args),
        Command::Man(args) => completions::man(app, &args),
    }
}

/// Asks before something is changed that others depend on.
///
/// # Errors
/// When the answer is no, or nobody can be asked and `--yes` is missing.
fn confirm(app: &App, question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if app.global.no_input || !io::stdin().is_terminal() {
        return Err(Failure::usage(format!("not done: {question}"))
            .cause("nobody can be asked to confirm it")
            .hint("`--yes` does it without asking"));
    }
    let failure = |error: &io::Error| Failure::failed("the question could not be asked").because(error);
    let mut err = io::stderr();
    write!(err, "{}? [y/N] ", sanitize(question)).and_then(|()| err.flush()).map_err(|error| failure(&error))?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(|error| failure(&error))?;
    if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        Ok(())
    } else {
        Err(Failure::failed("nothing was changed").cause("the answer was not yes"))
    }
}
