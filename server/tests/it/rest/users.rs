//! Users, their passwords, and how sessions end.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use super::harness::{Answer, Rest};

const USERS: &str = "/api/v1/users";
const LOGIN: &str = "/api/v1/auth/login";
const ME: &str = "/api/v1/auth/me";
const LOGOUT: &str = "/api/v1/auth/logout";
const PASSWORD: &str = "/api/v1/auth/password";
const ROTATE: &str = "/api/v1/auth/rotate-key";

async fn create(rest: &Rest, admin: &str, username: &str, role: &str) -> Uuid {
    let body = json!({"username": username, "password": format!("password of {username}"), "role": role});
    let made = rest.post(admin, USERS, body).await.expect(201);
    made["user_id"].as_str().expect("an id").parse().expect("a UUID")
}

async fn try_log_in(rest: &Rest, username: &str, password: &str) -> Answer {
    rest.send(Method::POST, LOGIN, None, Some(&json!({"username": username, "password": password}))).await
}

async fn log_in(rest: &Rest, username: &str, password: &str) -> String {
    try_log_in(rest, username, password).await.expect(200)["token"].as_str().expect("a token").to_owned()
}

async fn patch(rest: &Rest, admin: &str, user_id: Uuid, body: Value) -> Answer {
    rest.send(Method::PATCH, &format!("{USERS}/{user_id}"), Some(admin), Some(&body)).await
}

/// The actions in the audit log, newest first, of that area.
async fn audited(rest: &Rest, admin: &str, area: &str) -> Vec<(String, String, String)> {
    let page = rest.get(admin, &format!("/api/v1/audit?action={area}")).await.expect(200);
    let text = |entry: &Value, name: &str| entry[name].as_str().expect("text").to_owned();
    let entries = page["items"].as_array().expect("a list").iter();
    entries.map(|entry| (text(entry, "action"), text(entry, "actor"), text(entry, "target"))).collect()
}

/// A stream that is open; gives its last words once it ends.
async fn open_stream(rest: &Rest, token: &str) -> impl Future<Output = String> + use<> {
    let response =
        rest.client.get(rest.url("/api/v1/events/stream")).bearer_auth(token).send().await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    async move { timeout(Duration::from_secs(20), response.text()).await.expect("ended").expect("text") }
}

#[tokio::test]
async fn users_are_made_listed_and_removed() {
    let rest = Rest::start().await;
    let (root_id, admin) = rest.session("admin").await;
    let ada = create(&rest, &admin, "ada", "viewer").await;
    let listed = rest.get(&admin, USERS).await.expect(200);
    let names: Vec<_> =
        listed["items"].as_array().expect("a list").iter().map(|user| user["username"].clone()).collect();
    assert_eq!(names, [json!("ada"), json!(format!("admin-{root_id}"))]);
    assert!(!listed.to_string().contains("argon2"), "no hashes: {listed}");
    let shown = rest.get(&admin, &format!("{USERS}/{ada}")).await.expect(200);
    assert_eq!((&shown["role"], &shown["last_login_at"]), (&json!("viewer"), &Value::Null));
    let token = log_in(&rest, "ada", "password of ada").await;
    let me = rest.get(&token, ME).await.expect(200);
    assert_eq!((&me["username"], &me["role"], &me["user_id"]), (&json!("ada"), &json!("viewer"), &json!(ada)));
    assert!(rest.get(&admin, &format!("{USERS}/{ada}")).await.expect(200)["last_login_at"].is_string());
    rest.delete(&admin, &format!("{USERS}/{ada}")).await.expect(204);
    rest.get(&token, ME).await.error(401, "user_removed");
    rest.delete(&admin, &format!("{USERS}/{ada}")).await.error(404, "not_found");
    rest.get(&admin, &format!("{USERS}/{ada}")).await.error(404, "not_found");
    try_log_in(&rest, "ada", "password of ada").await.error(401, "wrong_credentials");
    let again = create(&rest, &admin, "ada", "viewer").await;
    assert_ne!(again, ada);
    rest.get(&token, ME).await.error(401, "user_removed");
    let admin_name = format!("admin-{root_id}");
    let entry = |action: &str| (action.to_owned(), admin_name.clone(), "ada".to_owned());
    let expected = [entry("user.create"), entry("user.delete"), entry("user.create")];
    assert_eq!(audited(&rest, &admin, "user").await, expected);
    rest.stop().await;
}

#[tokio::test]
async fn bad_names_passwords_and_bodies_make_no_user() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let good = "a good password";
    let long = "a".repeat(65);
    for name in ["", " ", "a b", "-a", ".a", "a\n", "a\0", "a\u{202e}b", "a\u{200b}", "a/b", "<a>", &long] {
        let body = json!({"username": name, "password": good, "role": "viewer"});
        rest.post(&admin, USERS, body).await.error(400, "invalid_username");
    }
    for password in [String::new(), "short".to_owned(), "a".repeat(1025)] {
        let body = json!({"username": "ada", "password": password, "role": "viewer"});
        rest.post(&admin, USERS, body).await.error(400, "invalid_password");
    }
    for body in [
        json!({"username": "ada", "password": good}),
        json!({"username": "ada", "password": good, "role": "root"}),
        json!({"username": "ada", "password": good, "role": "viewer", "admin": true}),
        json!({"username": ["ada"], "password": good, "role": "viewer"}),
        json!([]),
    ] {
        rest.post(&admin, USERS, body).await.error(400, "invalid_body");
    }
    let ada = create(&rest, &admin, "ada", "viewer").await;
    let body = json!({"username": "ada", "password": good, "role": "admin"});
    rest.post(&admin, USERS, body).await.error(409, "username_taken");
    patch(&rest, &admin, ada, json!({})).await.error(400, "invalid_body");
    patch(&rest, &admin, ada, json!({"password": "short"})).await.error(400, "invalid_password");
    patch(&rest, &admin, ada, json!({"role": "root"})).await.error(400, "invalid_body");
    patch(&rest, &admin, Uuid::nil(), json!({"role": "admin"})).await.error(404, "not_found");
    create(&rest, &admin, "zoë_7.b-c+d@example.com", "viewer").await;
    assert_eq!(rest.get(&admin, USERS).await.expect(200)["items"].as_array().map(Vec::len), Some(3));
    log_in(&rest, "ada", "password of ada").await;
    rest.stop().await;
}

#[tokio::test]
async fn another_role_or_password_ends_all_sessions_at_once() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let ada = create(&rest, &admin, "ada", "admin").await;
    let (one, two) = (log_in(&rest, "ada", "password of ada").await, log_in(&rest, "ada", "password of ada").await);
    let stream = open_stream(&rest, &one).await;
    patch(&rest, &admin, ada, json!({"role": "admin"})).await.expect(200);
    rest.get(&one, ME).await.expect(200);
    let changed = patch(&rest, &admin, ada, json!({"role": "viewer"})).await.expect(200);
    assert_eq!(changed["role"], "viewer");
    for token in [&one, &two] {
        rest.get(token, ME).await.error(401, "session_ended");
    }
    assert!(stream.await.ends_with(": the session has ended\n\n"));
    let three = log_in(&rest, "ada", "password of ada").await;
    rest.get(&three, USERS).await.error(403, "admin_only");
    let stream = open_stream(&rest, &three).await;
    let reset = patch(&rest, &admin, ada, json!({"password": "another password"})).await.expect(200);
    assert!(reset["password_changed_at"].is_string());
    rest.get(&three, ME).await.error(401, "session_ended");
    assert!(stream.await.ends_with(": the session has ended\n\n"));
    try_log_in(&rest, "ada", "password of ada").await.error(401, "wrong_credentials");
    log_in(&rest, "ada", "another password").await;
    let actions: Vec<String> = audited(&rest, &admin, "user").await.into_iter().map(|entry| entry.0).collect();
    assert_eq!(actions, ["user.password_reset", "user.role_change", "user.create"], "the same role again is no deed");
    rest.stop().await;
}

#[tokio::test]
async fn the_last_admin_can_neither_go_nor_step_down() {
    let rest = Rest::start().await;
    let (root_id, admin) = rest.session("admin").await;
    create(&rest, &admin, "ada", "viewer").await;
    let path = format!("{USERS}/{root_id}");
    let error = rest.delete(&admin, &path).await.error(409, "last_admin");
    assert_eq!(error.hint.as_deref(), Some("make another user an admin first, so that somebody is left"));
    let body = json!({"role": "viewer", "password": "would be a good one"});
    patch(&rest, &admin, root_id, body).await.error(409, "last_admin");
    rest.get(&admin, ME).await.expect(200);
    assert_eq!(audited(&rest, &admin, "user").await.len(), 1, "nothing was half done");
    rest.stop().await;
}

#[tokio::test]
async fn of_many_admins_that_remove_and_demote_each_other_at_once_one_is_left() {
    let rest = Rest::start().await;
    let mut admins = Vec::new();
    for _ in 0..8 {
        admins.push(rest.session("admin").await);
    }
    let deeds = admins.iter().enumerate().map(|(n, (_, token))| {
        let (rest, victim) = (&rest, admins[(n + 1) % admins.len()].0);
        async move {
            if n % 2 == 0 {
                rest.delete(token, &format!("{USERS}/{victim}")).await.status
            } else {
                patch(rest, token, victim, json!({"role": "viewer"})).await.status
            }
        }
    });
    let answers = futures_util::future::join_all(deeds).await;
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM users WHERE role = 'admin'")
        .fetch_one(&rest.app.pool)
        .await
        .expect("counted");
    assert!(left >= 1, "{answers:?}");
    // And then one by one, until somebody is told that it is the last.
    let token = {
        let mut working = None;
        for (_, token) in &admins {
            if rest.get(token, USERS).await.status == StatusCode::OK {
                working = Some(token.clone());
            }
        }
        working.expect("an admin that is left")
    };
    let users = rest.get(&token, USERS).await.expect(200);
    let ids = users["items"].as_array().expect("a list").iter().filter(|user| user["role"] == "admin");
    let deletes = ids.map(|user| {
        let (rest, token) = (&rest, &token);
        let path = format!("{USERS}/{}", user["user_id"].as_str().expect("an id"));
        async move { rest.delete(token, &path).await.status }
    });
    futures_util::future::join_all(deletes).await;
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM users WHERE role = 'admin'")
        .fetch_one(&rest.app.pool)
        .await
        .expect("counted");
    assert!(left >= 1);
    rest.stop().await;
}

#[tokio::test]
async fn two_admins_that_remove_each_other_are_never_both_gone() {
    let rest = Rest::start().await;
    for round in 0..20 {
        sqlx::query("DELETE FROM users").execute(&rest.app.pool).await.expect("emptied");
        let (one, two) = (rest.session("admin").await, rest.session("admin").await);
        let (one_path, two_path) = (format!("{USERS}/{}", one.0), format!("{USERS}/{}", two.0));
        let answers = tokio::join!(
            rest.delete(&one.1, &two_path),
            patch(&rest, &two.1, one.0, json!({"role": "viewer"})),
            rest.delete(&one.1, &one_path),
        );
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM users WHERE role = 'admin'")
            .fetch_one(&rest.app.pool)
            .await
            .expect("counted");
        assert_eq!(left, 1, "round {round}: {answers:?}");
    }
    rest.stop().await;
}

#[tokio::test]
async fn logging_out_ends_that_token_and_everywhere_all_of_them() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    create(&rest, &admin, "ada", "viewer").await;
    let mut tokens = Vec::new();
    for _ in 0..3 {
        tokens.push(log_in(&rest, "ada", "password of ada").await);
    }
    let (ended, staying) = (open_stream(&rest, &tokens[0]).await, open_stream(&rest, &tokens[1]).await);
    rest.send(Method::POST, LOGOUT, Some(&tokens[0]), None).await.expect(204);
    assert!(ended.await.ends_with(": the session has ended\n\n"));
    rest.get(&tokens[0], ME).await.error(401, "session_ended");
    rest.send(Method::POST, LOGOUT, Some(&tokens[0]), None).await.error(401, "session_ended");
    rest.get(&tokens[1], ME).await.expect(200);
    rest.send(Method::POST, &format!("{LOGOUT}?everywhere=yes"), Some(&tokens[1]), None)
        .await
        .error(400, "invalid_parameter");
    rest.send(Method::POST, &format!("{LOGOUT}?everywhere=true"), Some(&tokens[1]), None).await.expect(204);
    assert!(staying.await.ends_with(": the session has ended\n\n"));
    for token in &tokens {
        rest.get(token, ME).await.error(401, "session_ended");
    }
    log_in(&rest, "ada", "password of ada").await;
    rest.get(&admin, ME).await.expect(200);
    let entries = audited(&rest, &admin, "auth.logout").await;
    assert_eq!(entries.iter().map(|entry| entry.1.as_str()).collect::<Vec<_>>(), ["ada", "ada"]);
    rest.stop().await;
}

#[tokio::test]
async fn one_s_own_password_is_changed_by_who_knows_it() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    create(&rest, &admin, "ada", "viewer").await;
    let (one, two) = (log_in(&rest, "ada", "password of ada").await, log_in(&rest, "ada", "password of ada").await);
    let change = |current: &str, new: &str| json!({"current_password": current, "new_password": new});
    rest.post(&one, PASSWORD, change("wrong", "a new password")).await.error(403, "wrong_password");
    rest.post(&one, PASSWORD, change("password of ada", "short")).await.error(400, "invalid_password");
    rest.post(&one, PASSWORD, change("password of ada", "password of ada")).await.error(400, "invalid_password");
    rest.post(&one, PASSWORD, json!({"current_password": "password of ada"})).await.error(400, "invalid_body");
    rest.post(&one, PASSWORD, change(&"a".repeat(2000), "a new password")).await.error(403, "wrong_password");
    rest.get(&two, ME).await.expect(200);
    let session = rest.post(&one, PASSWORD, change("password of ada", "a new password")).await.expect(200);
    for token in [&one, &two] {
        rest.get(token, ME).await.error(401, "session_ended");
    }
    rest.get(session["token"].as_str().expect("a token"), ME).await.expect(200);
    try_log_in(&rest, "ada", "password of ada").await.error(401, "wrong_credentials");
    log_in(&rest, "ada", "a new password").await;
    let actions: Vec<String> = audited(&rest, &admin, "auth").await.into_iter().map(|entry| entry.0).collect();
    let failed = "auth.password_change_failed";
    let expected =
        ["auth.login", "auth.login_failed", "auth.password_change", failed, failed, "auth.login", "auth.login"];
    assert_eq!(actions, expected);
    rest.stop().await;
}

#[tokio::test]
async fn a_stolen_session_can_not_be_used_to_guess_the_password() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    create(&rest, &admin, "ada", "viewer").await;
    let stolen = log_in(&rest, "ada", "password of ada").await;
    let body = json!({"current_password": "guess", "new_password": "a new password"});
    for _ in 0..5 {
        rest.post(&stolen, PASSWORD, body.clone()).await.error(403, "wrong_password");
    }
    let answer = rest.post(&stolen, PASSWORD, body).await;
    assert!(answer.headers.contains_key("retry-after"));
    answer.error(429, "too_many_attempts");
    rest.stop().await;
}

#[tokio::test]
async fn the_key_is_replaced_without_ending_sessions_or_with() {
    let rest = Rest::start().await;
    let (_, admin) = rest.session("admin").await;
    let (_, viewer) = rest.session("viewer").await;
    let rotated = rest.send(Method::POST, ROTATE, Some(&admin), None).await.expect(200);
    assert_ne!(rotated["key_id"], rotated["previous_key_id"]);
    assert_eq!(rotated["session"], Value::Null);
    rest.get(&viewer, ME).await.expect(200);
    let stream = open_stream(&rest, &viewer).await;
    let rotated = rest.send(Method::POST, &format!("{ROTATE}?end_sessions=true"), Some(&admin), None).await.expect(200);
    assert_eq!(rotated["previous_key_id"], Value::Null);
    assert!(stream.await.ends_with(": the session has ended\n\n"));
    for token in [&admin, &viewer] {
        rest.get(token, ME).await.error(401, "invalid_token");
    }
    let new = rotated["session"]["token"].as_str().expect("a token");
    rest.get(new, ME).await.expect(200);
    let targets: Vec<String> = audited(&rest, new, "auth.key_rotate").await.into_iter().map(|entry| entry.2).collect();
    assert_eq!((targets.len(), json!(targets[0])), (2, rotated["key_id"].clone()));
    rest.stop().await;
}

#[tokio::test]
async fn logins_are_written_down_and_names_that_nobody_has_are_not() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    create(&rest, &admin, "ada", "viewer").await;
    try_log_in(&rest, "ada", "wrong").await.error(401, "wrong_credentials");
    try_log_in(&rest, "my-secret-password", "ada").await.error(401, "wrong_credentials");
    log_in(&rest, "ada", "password of ada").await;
    let page = rest.get(&admin, "/api/v1/audit?action=auth").await.expect(200);
    assert!(!page.to_string().contains("my-secret-password"));
    let entries: Vec<_> = page["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| (entry["action"].as_str(), entry["actor"].as_str(), entry["source"].as_str()))
        .collect();
    let here = Some("127.0.0.1");
    assert_eq!(
        entries,
        [
            (Some("auth.login"), Some("ada"), here),
            (Some("auth.login_failed"), Some("<unknown>"), here),
            (Some("auth.login_failed"), Some("ada"), here)
        ]
    );
    rest.stop().await;
}

#[tokio::test]
async fn a_session_row_is_forgotten_once_its_token_has_expired() {
    let rest = Rest::start().await;
    let (user_id, token) = rest.session("viewer").await;
    sqlx::query("INSERT INTO ended_sessions VALUES (gen_random_uuid(), $1, now() - interval '2 hours')")
        .bind(user_id)
        .execute(&rest.app.pool)
        .await
        .expect("inserted");
    rest.send(Method::POST, LOGOUT, Some(&token), None).await.expect(204);
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM ended_sessions").fetch_one(&rest.app.pool).await.expect("counted");
    assert_eq!(rows, 1, "its own alone");
    rest.stop().await;
}
