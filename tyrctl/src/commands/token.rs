//! `tyrctl token`: enrollment tokens.

use tyr_api::auth::{EnrollmentToken, NewEnrollmentToken};

use super::{Outcome, change::may_go_on, sql};
use crate::app::App;
use crate::args::{Format, ListArgs, TokenCommand, TokenCreateArgs};
use crate::error::Failure;
use crate::output::rows::{Column, View, print_record};
use crate::output::value::Value;
use crate::sql::catalog;

pub(crate) const VIEW: View<EnrollmentToken> = View {
    noun: "tokens",
    name: |token| token.token_id.clone(),
    columns: &[
        Column::new("token_id", |token| Value::text(&token.token_id)),
        Column::flexible("label", |token| Value::text(&token.label)),
        Column::new("uses", |token| Value::Count(token.uses.into())),
        Column::new("max_uses", |token| Value::Count(token.max_uses.into())),
        Column::new("expires_at", |token| Value::Time(token.expires_at)),
        Column::new("revoked_at", |token| Value::maybe(token.revoked_at, Value::Time)),
        Column::new("created_by", |token| Value::text(&token.created_by)),
        Column::wide("created_at", |token| Value::Time(token.created_at)),
    ],
};

/// `token …`.
pub(super) async fn run(app: &App, command: TokenCommand) -> Result<Outcome, Failure> {
    match command {
        TokenCommand::Create(args) => create(app, &args).await,
        TokenCommand::List(args) if args.sql.sql => sql::print(app, &args.list, &[catalog::TOKENS.bind(app.now)]),
        TokenCommand::List(args) => list(app, &args.list).await,
        TokenCommand::Revoke { token_id, change } => {
            let client = app.client()?;
            if !may_go_on(app, &format!("revoke the enrollment token {token_id}"), change)? {
                return Ok(Outcome::Done);
            }
            client.revoke_enrollment_token(&token_id).await?;
            app.out.line(&format!("✓ token {token_id} is revoked"))?;
            Ok(Outcome::Done)
        }
    }
}

async fn create(app: &App, args: &TokenCreateArgs) -> Result<Outcome, Failure> {
    let wanted =
        NewEnrollmentToken { label: args.label.clone(), max_uses: args.max_uses, expires_hours: args.expires_hours };
    let created = app.client()?.create_enrollment_token(&wanted).await?;
    let fields = [
        ("token", Value::text(&created.token)),
        ("label", Value::text(&created.details.label)),
        ("max_uses", Value::Count(created.details.max_uses.into())),
        ("expires_at", Value::Time(created.details.expires_at)),
    ];
    print_record(&app.out, &fields, &created)?;
    if matches!(app.out.format, Format::Table | Format::Wide) {
        app.out.note(
            "note: the token is shown only this once; put it as `enrollment_token` into /etc/tyr/tyrd.yaml of the host",
        );
    }
    Ok(Outcome::Done)
}

async fn list(app: &App, list: &ListArgs) -> Result<Outcome, Failure> {
    let tokens = app.client()?.enrollment_tokens().await?;
    let none = tokens.is_empty();
    let outcome = VIEW.print(&app.out, list, tokens, "no enrollment tokens")?;
    if none {
        app.out.advise("`tyrctl token create --label NAME` makes one");
    }
    Ok(outcome)
}
