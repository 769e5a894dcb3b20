//! All routes.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{FromRef, Request};
use axum::handler::HandlerWithoutStateExt;
use axum::http::{Method, StatusCode};
use axum::routing::{MethodRouter, delete, get, patch, post, put};
use tokio_util::sync::CancellationToken;
use tower_http::services::ServeDir;

use super::error::{ApiError, nearest};
use super::stream::slots::Streams;
use super::{
    agent_types, agents, alerts, assignments, audit, auth, ca, db, discovered_agents, events, health, layers, metrics,
    openapi, policies, snapshot, stats, stream, tokens, users,
};
use crate::app::App;

/// What handlers share.
#[derive(Clone)]
pub struct Door {
    app: Arc<App>,
    /// Streams that are open.
    pub(super) streams: Arc<Streams>,
    /// The server stops: streams end.
    pub(super) stop: CancellationToken,
}

impl FromRef<Door> for Arc<App> {
    fn from_ref(door: &Door) -> Self {
        Arc::clone(&door.app)
    }
}

/// Method and path of each route, and who answers.
fn table() -> Vec<(Method, &'static str, MethodRouter<Door>)> {
    let (get_, post_, delete_, patch_) = (Method::GET, Method::POST, Method::DELETE, Method::PATCH);
    vec![
        (get_.clone(), "/health", get(health::show)),
        (get_.clone(), "/metrics", get(metrics::show)),
        (get_.clone(), "/openapi.json", get(openapi::show)),
        (get_.clone(), "/api/v1/auth/status", get(auth::status)),
        (post_.clone(), "/api/v1/auth/setup", post(auth::set_up)),
        (post_.clone(), "/api/v1/auth/login", post(auth::log_in)),
        (post_.clone(), "/api/v1/auth/logout", post(auth::log_out)),
        (get_.clone(), "/api/v1/auth/me", get(auth::me)),
        (post_.clone(), "/api/v1/auth/password", post(auth::change_password)),
        (post_.clone(), "/api/v1/auth/rotate-key", post(auth::rotate_key)),
        (get_.clone(), "/api/v1/users", get(users::list)),
        (post_.clone(), "/api/v1/users", post(users::create)),
        (get_.clone(), "/api/v1/users/{id}", get(users::show)),
        (Method::PATCH, "/api/v1/users/{id}", patch(users::change)),
        (delete_.clone(), "/api/v1/users/{id}", delete(users::delete)),
        (get_.clone(), "/api/v1/ca.pem", get(ca::show)),
        (get_.clone(), "/api/v1/agents", get(agents::list)),
        (get_.clone(), "/api/v1/agents/{id}", get(agents::show)),
        (patch_.clone(), "/api/v1/agents/{id}", patch(agents::change)),
        (delete_.clone(), "/api/v1/agents/{id}", delete(agents::revoke)),
        (get_.clone(), "/api/v1/agents/{id}/effective-policy", get(agents::effective_policy)),
        (get_.clone(), "/api/v1/daemons", get(agents::list)),
        (get_.clone(), "/api/v1/daemons/{id}", get(agents::show)),
        (patch_.clone(), "/api/v1/daemons/{id}", patch(agents::change)),
        (delete_.clone(), "/api/v1/daemons/{id}", delete(agents::revoke)),
        (get_.clone(), "/api/v1/daemons/{id}/effective-policy", get(agents::effective_policy)),
        (get_.clone(), "/api/v1/agent-types", get(agent_types::list)),
        (Method::PUT, "/api/v1/agent-types/{agent_type}", put(agent_types::approve)),
        (delete_.clone(), "/api/v1/agent-types/{agent_type}", delete(agent_types::quarantine)),
        (get_.clone(), "/api/v1/discovered-agents", get(discovered_agents::list)),
        (get_.clone(), "/api/v1/discovered-agents/{id}", get(discovered_agents::show)),
        (patch_, "/api/v1/discovered-agents/{id}", patch(discovered_agents::change)),
        (get_.clone(), "/api/v1/events", get(events::list)),
        (get_.clone(), "/api/v1/events/stream", get(stream::follow)),
        (get_.clone(), "/api/v1/events/{id}", get(events::show)),
        (get_.clone(), "/api/v1/stats/rate", get(stats::rate)),
        (get_.clone(), "/api/v1/stats/drift", get(stats::drift)),
        (get_.clone(), "/api/v1/stats/agents", get(stats::agents)),
        (get_.clone(), "/api/v1/db", get(db::show)),
        (get_.clone(), "/api/v1/snapshot", get(snapshot::show)),
        (get_.clone(), "/api/v1/policies", get(policies::list)),
        (post_.clone(), "/api/v1/policies", post(policies::apply)),
        (get_.clone(), "/api/v1/policies/{version}", get(policies::show)),
        (post_.clone(), "/api/v1/policies/{version}/rollback", post(policies::roll_back)),
        (get_.clone(), "/api/v1/policy-assignments", get(assignments::list)),
        (post_.clone(), "/api/v1/policy-assignments", post(assignments::create)),
        (get_.clone(), "/api/v1/policy-assignments/{id}", get(assignments::show)),
        (delete_.clone(), "/api/v1/policy-assignments/{id}", delete(assignments::end)),
        (get_.clone(), "/api/v1/audit", get(audit::list)),
        (get_.clone(), "/api/v1/alerts", get(alerts::list)),
        (post_.clone(), "/api/v1/alerts/{id}/acknowledge", post(alerts::acknowledge)),
        (get_.clone(), "/api/v1/webhooks", get(alerts::webhooks)),
        (post_.clone(), "/api/v1/webhooks", post(alerts::create_webhook)),
        (delete_.clone(), "/api/v1/webhooks/{id}", delete(alerts::delete_webhook)),
        (post_.clone(), "/api/v1/webhooks/{id}/test", post(alerts::test_webhook)),
        (get_, "/api/v1/enrollment-tokens", get(tokens::list)),
        (post_, "/api/v1/enrollment-tokens", post(tokens::create)),
        (delete_, "/api/v1/enrollment-tokens/{token_id}", delete(tokens::revoke)),
    ]
}

/// Method and path of each route; `{…}` stands for one segment.
pub fn routes() -> Vec<(Method, &'static str)> {
    table().into_iter().map(|(method, path, _)| (method, path)).collect()
}

/// The template of a route as it stands in the table, so that it may name a series or a log line.
pub(super) fn template(path: &str) -> Option<&'static str> {
    static TEMPLATES: LazyLock<HashSet<&str>> = LazyLock::new(|| routes().into_iter().map(|(_, path)| path).collect());
    TEMPLATES.get(path).copied()
}

/// All routes in all layers.
pub fn router(app: Arc<App>, stop: CancellationToken) -> Router {
    let streams = Arc::new(Streams::new(app.config.sse_streams_max, app.config.sse_streams_per_user));
    let door = Door { app: Arc::clone(&app), streams, stop };
    let routes = table().into_iter().fold(Router::new(), |router, (_, path, handler)| router.route(path, handler));
    let web_dir = &app.config.web_dir;
    let routes = if web_dir.is_dir() {
        // What is no route of ours is looked for among the files, for everybody: they are the same for all.
        let files = ServeDir::new(web_dir).call_fallback_on_method_not_allowed(true);
        routes.fallback_service(files.fallback(no_route.into_service()))
    } else {
        routes.fallback(no_route)
    };
    layers::wrap(routes.with_state(door), app)
}

async fn no_route(request: Request) -> ApiError {
    let path = request.uri().path();
    let shown: String = path.chars().take(128).collect();
    let error = ApiError::new(StatusCode::NOT_FOUND, "no_such_route", format!("there is nothing at `{shown}`"));
    let paths = routes();
    match nearest(path, paths.iter().map(|(_, path)| *path)) {
        Some(meant) => error.hint(format!("did you mean `{meant}`?")),
        None => error.hint("the REST interface is under `/api/v1/`"),
    }
}
