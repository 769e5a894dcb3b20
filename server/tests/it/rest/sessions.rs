//! Setup and login.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tyr_server::app::auth::PASSWORD_BYTES_MIN;

use super::harness::Rest;

const SETUP: &str = "/api/v1/auth/setup";
const LOGIN: &str = "/api/v1/auth/login";

async fn public(rest: &Rest, path: &str, body: Value) -> super::harness::Answer {
    rest.send(Method::POST, path, None, Some(&body)).await
}

#[tokio::test]
async fn setup_makes_the_first_admin_and_login_lets_it_in_again() {
    let rest = Rest::start().await;
    let status = async || rest.send(Method::GET, "/api/v1/auth/status", None, None).await.expect(200);
    assert_eq!(status().await, json!({"configured": false}));
    let ada = json!({"username": "ada", "password": "correct horse battery"});
    let session = public(&rest, SETUP, ada.clone()).await.expect(201);
    assert_eq!((&session["username"], &session["role"]), (&json!("ada"), &json!("admin")));
    assert_eq!(status().await, json!({"configured": true}));
    rest.get(session["token"].as_str().expect("a token"), "/api/v1/enrollment-tokens").await.expect(200);
    public(&rest, SETUP, ada.clone()).await.error(409, "already_set_up");
    let again = public(&rest, LOGIN, ada).await.expect(200);
    rest.get(again["token"].as_str().expect("a token"), "/api/v1/agents").await.expect(200);
    rest.stop().await;
}

#[tokio::test]
async fn setup_refuses_bad_names_and_passwords() {
    let rest = Rest::start().await;
    for name in ["", " ", "a b", "a\nb", "a\0", &"a".repeat(65)] {
        let body = json!({"username": name, "password": "correct horse battery"});
        public(&rest, SETUP, body).await.error(400, "invalid_username");
    }
    for password in [String::new(), "a".repeat(PASSWORD_BYTES_MIN - 1), "a".repeat(1025)] {
        let body = json!({"username": "ada", "password": password});
        public(&rest, SETUP, body).await.error(400, "invalid_password");
    }
    rest.stop().await;
}

#[tokio::test]
async fn of_twenty_setups_at_once_one_succeeds() {
    let rest = Rest::start().await;
    let tries = (0..20).map(|n| {
        let rest = &rest;
        async move {
            let body = json!({"username": format!("user{n}"), "password": "correct horse battery"});
            public(rest, SETUP, body).await.status
        }
    });
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|status| **status == StatusCode::CREATED).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == StatusCode::CONFLICT).count(), 19, "{answers:?}");
    let users = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM users").fetch_one(&rest.app.pool).await;
    assert_eq!(users.expect("counted"), 1);
    rest.stop().await;
}

#[tokio::test]
async fn failed_logins_tell_nothing_and_are_slowed_down() {
    let rest = Rest::start().await;
    public(&rest, SETUP, json!({"username": "ada", "password": "correct horse battery"})).await.expect(201);
    let wrong =
        public(&rest, LOGIN, json!({"username": "ada", "password": "wrong"})).await.error(401, "wrong_credentials");
    let unknown =
        public(&rest, LOGIN, json!({"username": "bob", "password": "wrong"})).await.error(401, "wrong_credentials");
    assert_eq!(wrong.message, unknown.message);
    for name in ["a\0b", &"a".repeat(65)] {
        public(&rest, LOGIN, json!({"username": name, "password": "x"})).await.error(401, "wrong_credentials");
    }
    for _ in 0..4 {
        public(&rest, LOGIN, json!({"username": "bob", "password": "wrong"})).await.error(401, "wrong_credentials");
    }
    let answer = public(&rest, LOGIN, json!({"username": "bob", "password": "wrong"})).await;
    assert_eq!(answer.headers["retry-after"], "1");
    answer.error(429, "too_many_attempts");
    public(&rest, LOGIN, json!({"username": "ada", "password": "correct horse battery"})).await.expect(200);
    rest.stop().await;
}
