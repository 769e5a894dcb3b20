//! Who may do what: every route × no session, viewer, admin, expired, forged, removed.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use tyr_api::auth::Role;
use tyr_api::users::UserChange;
use tyr_server::app::audit::Actor;
use tyr_server::app::users;
use tyr_server::http::{openapi, router};
use uuid::Uuid;

use super::harness::Rest;

#[derive(Clone, Copy, PartialEq)]
enum Who {
    Public,
    Viewer,
    Admin,
}

/// Every route, with what the one who may gets. Requests are such that no answer depends on what another test made.
fn table() -> Vec<(Method, &'static str, Who, u16, Option<Value>)> {
    use Who::{Admin, Public, Viewer};
    let (get, post, delete, patch) = (Method::GET, Method::POST, Method::DELETE, Method::PATCH);
    let some = "00000000-0000-0000-0000-000000000000";
    vec![
        (get.clone(), "/health", Public, 200, None),
        (get.clone(), "/metrics", Viewer, 200, None),
        (get.clone(), "/openapi.json", Public, 200, None),
        (get.clone(), "/api/v1/auth/status", Public, 200, None),
        (
            post.clone(),
            "/api/v1/auth/setup",
            Public,
            409,
            Some(json!({"username": "x", "password": "long enough for it"})),
        ),
        (post.clone(), "/api/v1/auth/login", Public, 400, Some(json!({}))),
        (post.clone(), "/api/v1/auth/logout", Viewer, 400, None),
        (get.clone(), "/api/v1/auth/me", Viewer, 200, None),
        (post.clone(), "/api/v1/auth/password", Viewer, 400, Some(json!({}))),
        (post.clone(), "/api/v1/auth/rotate-key", Admin, 200, None),
        (get.clone(), "/api/v1/users", Admin, 200, None),
        (post.clone(), "/api/v1/users", Admin, 400, Some(json!({}))),
        (get.clone(), "/api/v1/users/{id}", Admin, 404, None),
        (Method::PATCH, "/api/v1/users/{id}", Admin, 400, Some(json!({}))),
        (delete.clone(), "/api/v1/users/{id}", Admin, 404, None),
        (get.clone(), "/api/v1/ca.pem", Public, 200, None),
        (get.clone(), "/api/v1/agents", Viewer, 200, None),
        (get.clone(), "/api/v1/agents/{id}", Viewer, 404, None),
        (patch.clone(), "/api/v1/agents/{id}", Admin, 404, Some(json!({"archived": true}))),
        (delete.clone(), "/api/v1/agents/{id}", Admin, 404, None),
        (get.clone(), "/api/v1/agents/{id}/effective-policy", Viewer, 404, None),
        (get.clone(), "/api/v1/daemons", Viewer, 200, None),
        (get.clone(), "/api/v1/daemons/{id}", Viewer, 404, None),
        (patch.clone(), "/api/v1/daemons/{id}", Admin, 404, Some(json!({"archived": true}))),
        (delete.clone(), "/api/v1/daemons/{id}", Admin, 404, None),
        (get.clone(), "/api/v1/daemons/{id}/effective-policy", Viewer, 404, None),
        (get.clone(), "/api/v1/agent-types", Viewer, 200, None),
        (Method::PUT, "/api/v1/agent-types/{agent_type}", Admin, 200, None),
        (delete.clone(), "/api/v1/agent-types/{agent_type}", Admin, 200, None),
        (get.clone(), "/api/v1/discovered-agents", Viewer, 200, None),
        (get.clone(), "/api/v1/discovered-agents/{id}", Viewer, 404, None),
        (patch, "/api/v1/discovered-agents/{id}", Admin, 404, Some(json!({"display_name": "x"}))),
        (get.clone(), "/api/v1/events", Viewer, 200, None),
        (get.clone(), "/api/v1/events/stream", Viewer, 200, None),
        (get.clone(), "/api/v1/events/{id}", Viewer, 404, None),
        (get.clone(), "/api/v1/stats/rate", Viewer, 200, None),
        (get.clone(), "/api/v1/stats/drift", Viewer, 200, None),
        (get.clone(), "/api/v1/stats/agents", Viewer, 200, None),
        (get.clone(), "/api/v1/db", Viewer, 200, None),
        (get.clone(), "/api/v1/snapshot", Viewer, 200, None),
        (get.clone(), "/api/v1/policies", Viewer, 200, None),
        (post.clone(), "/api/v1/policies", Admin, 400, Some(json!({"yaml": ""}))),
        (get.clone(), "/api/v1/policies/{version}", Viewer, 404, None),
        (post.clone(), "/api/v1/policies/{version}/rollback", Admin, 404, None),
        (get.clone(), "/api/v1/policy-assignments", Viewer, 200, None),
        (
            post.clone(),
            "/api/v1/policy-assignments",
            Admin,
            400,
            Some(json!({"version": 1, "target_type": "agent", "target_id": some})),
        ),
        (get.clone(), "/api/v1/policy-assignments/{id}", Viewer, 404, None),
        (delete.clone(), "/api/v1/policy-assignments/{id}", Admin, 404, None),
        (get.clone(), "/api/v1/audit", Admin, 200, None),
        (get.clone(), "/api/v1/alerts", Viewer, 200, None),
        (post.clone(), "/api/v1/alerts/{id}/acknowledge", Admin, 404, Some(json!({}))),
        (get.clone(), "/api/v1/webhooks", Admin, 200, None),
        (post.clone(), "/api/v1/webhooks", Admin, 400, Some(json!({"url": ""}))),
        (delete.clone(), "/api/v1/webhooks/{id}", Admin, 404, None),
        (post.clone(), "/api/v1/webhooks/{id}/test", Admin, 404, None),
        (get, "/api/v1/enrollment-tokens", Admin, 200, None),
        (post, "/api/v1/enrollment-tokens", Admin, 400, Some(json!({"label": ""}))),
        (delete, "/api/v1/enrollment-tokens/{token_id}", Admin, 404, None),
    ]
}

#[test]
fn every_route_has_an_entry() {
    let listed: Vec<_> = table().into_iter().map(|(method, path, ..)| (method, path)).collect();
    assert_eq!(router::routes(), listed, "a new route needs its line in the table above, in the same order");
}

#[test]
fn the_description_names_the_same_routes_and_roles() {
    let document = openapi::document();
    let mut described: Vec<(String, String, Option<String>)> = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let role = operation["security"][0]["session"][0].as_str().map(str::to_owned);
            described.push((path.clone(), method.to_uppercase(), role));
        }
    }
    let mut listed: Vec<(String, String, Option<String>)> = table()
        .into_iter()
        .map(|(method, path, who, ..)| {
            let role = match who {
                Who::Public => None,
                Who::Viewer => Some("viewer".to_owned()),
                Who::Admin => Some("admin".to_owned()),
            };
            (path.to_owned(), method.to_string(), role)
        })
        .collect();
    described.sort();
    listed.sort();
    assert_eq!(
        described, listed,
        "annotate the handler with #[utoipa::path] and name it in server/src/http/openapi.rs"
    );
}

#[tokio::test]
async fn every_route_lets_in_whom_it_should() {
    let rest = Rest::start().await;
    let (_, admin) = rest.session("admin").await;
    let (_, viewer) = rest.session("viewer").await;
    let (removed_id, removed) = rest.session("admin").await;
    users::delete(&rest.app, removed_id, &Actor::environment()).await.expect("deleted");
    let (_, logged_out) = rest.session("admin").await;
    rest.post(&logged_out, "/api/v1/auth/logout", json!({})).await.expect(204);
    let (demoted_id, demoted) = rest.session("admin").await;
    let change = UserChange { role: Some(Role::Viewer), password: None };
    users::change(&rest.app, demoted_id, &change, &Actor::environment()).await.expect("changed");
    let (user_id, _) = rest.session("admin").await;
    let expired = rest.app.session_keys.issue(user_id, 0, Timestamp::now() - SignedDuration::from_hours(25)).0;
    let forged = format!("{}x", &admin[..admin.len() - 1]);
    let foreign = {
        let dir = tempfile::tempdir().expect("a folder");
        let other = tyr_server::app::auth::sessions::SessionKeys::load_or_create(dir.path()).expect("a key");
        other.issue(user_id, 0, Timestamp::now()).0
    };
    for (method, route, who, status, body) in table() {
        let path = route
            .replace("{id}", &Uuid::nil().to_string())
            .replace("{version}", "999")
            .replace("{token_id}", "none")
            .replace("{agent_type}", "none");
        // Nobody is to be logged out here.
        let path = if route == "/api/v1/auth/logout" { format!("{path}?everywhere=perhaps") } else { path };
        let is_public = who == Who::Public;
        let viewer_may = who != Who::Admin;
        let expected = [
            ("none", None, if is_public { status } else { 401 }),
            ("viewer", Some(&viewer), if viewer_may { status } else { 403 }),
            ("admin", Some(&admin), status),
            ("expired", Some(&expired), if is_public { status } else { 401 }),
            ("forged", Some(&forged), if is_public { status } else { 401 }),
            ("foreign", Some(&foreign), if is_public { status } else { 401 }),
            ("removed", Some(&removed), if is_public { status } else { 401 }),
            ("logged out", Some(&logged_out), if is_public { status } else { 401 }),
            ("with another role", Some(&demoted), if is_public { status } else { 401 }),
        ];
        for (name, token, expected) in expected {
            let mut request = rest.client.request(method.clone(), rest.url(&path));
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            if let Some(body) = &body {
                request = request.json(body);
            }
            let response = request.send().await.expect("an answer");
            assert_eq!(response.status().as_u16(), expected, "{method} {route} as {name}");
            if expected == 401 {
                assert_eq!(
                    response.headers()["www-authenticate"],
                    "Bearer realm=\"tyr\"",
                    "{method} {route} as {name}"
                );
            }
        }
    }
    rest.stop().await;
}

#[tokio::test]
async fn says_what_is_wrong_with_a_session() {
    let rest = Rest::start().await;
    let (user_id, token) = rest.session("viewer").await;
    let path = "/api/v1/agents";
    rest.send(Method::GET, path, None, None).await.error(401, "not_logged_in");
    rest.get("nonsense", path).await.error(401, "invalid_token");
    let basic = rest.client.get(rest.url(path)).basic_auth("a", Some("b")).send().await.expect("an answer");
    super::harness::Answer::read(basic).await.error(401, "invalid_token");
    let expired = rest.app.session_keys.issue(user_id, 0, Timestamp::now() - SignedDuration::from_hours(25)).0;
    rest.get(&expired, path).await.error(401, "token_expired");
    rest.get(&token, "/api/v1/enrollment-tokens").await.error(403, "admin_only");
    users::delete(&rest.app, user_id, &Actor::environment()).await.expect("deleted");
    rest.get(&token, path).await.error(401, "user_removed");
    rest.stop().await;
}
