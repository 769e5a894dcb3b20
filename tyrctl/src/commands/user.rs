//! `tyrctl user`: who may log in, and what for.

use tyr_api::auth::Role;
use tyr_api::users::{NewUser, User, UserChange};
use uuid::Uuid;

use super::{Outcome, change::may_go_on, session, sql};
use crate::app::App;
use crate::args::{ChangeArgs, ListArgs, RoleArg, UserCommand, UserCreateArgs};
use crate::client::Client;
use crate::error::Failure;
use crate::output::nearest;
use crate::output::rows::{Column, View, print_record};
use crate::output::value::{Tone, Value};
use crate::sql::catalog;

pub(crate) const VIEW: View<User> = View {
    noun: "users",
    name: |user| user.username.clone(),
    columns: &[
        Column::flexible("username", |user| Value::text(&user.username)),
        Column::new("role", |user| role(user.role)),
        Column::new("last_login_at", |user| Value::maybe(user.last_login_at, Value::Time)),
        Column::new("created_at", |user| Value::Time(user.created_at)),
        Column::wide("password_changed_at", |user| Value::maybe(user.password_changed_at, Value::Time)),
        Column::wide("user_id", |user| Value::Text(user.user_id.to_string())),
    ],
};

/// `user …`.
pub(super) async fn run(app: &App, command: UserCommand) -> Result<Outcome, Failure> {
    match command {
        UserCommand::List(args) if args.sql.sql => sql::print(app, &args.list, &[catalog::USERS.bind(app.now)]),
        UserCommand::List(args) => list(app, &args.list).await,
        UserCommand::Show { name } => show(app, &name).await,
        UserCommand::Create(args) => create(app, args).await,
        UserCommand::SetRole { name, role, change } => set_role(app, &name, role.into(), change).await,
        UserCommand::ResetPassword { name, password_stdin, change } => {
            reset_password(app, &name, password_stdin, change).await
        }
        UserCommand::Delete { name, change } => delete(app, &name, change).await,
    }
}

async fn list(app: &App, list: &ListArgs) -> Result<Outcome, Failure> {
    VIEW.print(&app.out, list, app.client()?.users().await?, "no users")
}

async fn show(app: &App, name: &str) -> Result<Outcome, Failure> {
    let user = find(&app.client()?, name).await?;
    let fields = [
        ("username", Value::text(&user.username)),
        ("user_id", Value::Text(user.user_id.to_string())),
        ("role", role(user.role)),
        ("created_at", Value::Time(user.created_at)),
        ("last_login_at", Value::maybe(user.last_login_at, Value::Time)),
        ("password_changed_at", Value::maybe(user.password_changed_at, Value::Time)),
    ];
    print_record(&app.out, &fields, &user)?;
    Ok(Outcome::Done)
}

async fn create(app: &App, args: UserCreateArgs) -> Result<Outcome, Failure> {
    let client = app.client()?;
    let password = session::new_password(app, args.password_stdin, &args.name)?;
    let made = client.create_user(&NewUser { username: args.name, password, role: args.role.into() }).await?;
    app.out.line(&format!("✓ user {} [{}]", made.username, word(made.role)))?;
    Ok(Outcome::Done)
}

async fn set_role(app: &App, name: &str, role: Role, how: ChangeArgs) -> Result<Outcome, Failure> {
    let client = app.client()?;
    let user = find(&client, name).await?;
    if user.role == role {
        app.out.line(&format!("✓ user {} is [{}] already", user.username, word(role)))?;
        return Ok(Outcome::Done);
    }
    let what = format!("make {} of {}, and end its sessions", article(role), user.username);
    if !may_go_on(app, &what, how)? {
        return Ok(Outcome::Done);
    }
    let changed = client.change_user(user.user_id, &UserChange { role: Some(role), password: None }).await?;
    app.out.line(&format!("✓ user {} is [{}] now; its sessions have ended", changed.username, word(changed.role)))?;
    Ok(Outcome::Done)
}

async fn reset_password(app: &App, name: &str, password_stdin: bool, how: ChangeArgs) -> Result<Outcome, Failure> {
    let client = app.client()?;
    let user = find(&client, name).await?;
    if !may_go_on(app, &format!("give {} another password, and end its sessions", user.username), how)? {
        return Ok(Outcome::Done);
    }
    let password = session::new_password(app, password_stdin, &user.username)?;
    client.change_user(user.user_id, &UserChange { role: None, password: Some(password) }).await?;
    app.out.line(&format!("✓ user {} has another password; its sessions have ended", user.username))?;
    Ok(Outcome::Done)
}

async fn delete(app: &App, name: &str, how: ChangeArgs) -> Result<Outcome, Failure> {
    let client = app.client()?;
    let user = find(&client, name).await?;
    if !may_go_on(app, &format!("remove the user {}, and end its sessions", user.username), how)? {
        return Ok(Outcome::Done);
    }
    client.delete_user(user.user_id).await?;
    app.out.line(&format!("✓ user {} is removed", user.username))?;
    Ok(Outcome::Done)
}

/// The user of that name or id.
async fn find(client: &Client, name: &str) -> Result<User, Failure> {
    let users = client.users().await?;
    let by_id = Uuid::try_parse(name).ok();
    let found = users.iter().find(|user| user.username == name || Some(user.user_id) == by_id).cloned();
    found.ok_or_else(|| {
        let names = users.iter().map(|user| user.username.as_str());
        Failure::failed(format!("there is no user `{name}`")).hint(nearest(
            name,
            names,
            "`tyrctl user list` lists them all",
        ))
    })
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Viewer => Self::Viewer,
            RoleArg::Admin => Self::Admin,
        }
    }
}

fn word(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Admin => "admin",
    }
}

fn article(role: Role) -> &'static str {
    match role {
        Role::Viewer => "a viewer",
        Role::Admin => "an admin",
    }
}

fn role(role: Role) -> Value {
    match role {
        Role::Viewer => Value::Word("viewer", Tone::Dim),
        Role::Admin => Value::Word("admin", Tone::Warn),
    }
}
