//! Enrollment tokens.

use serde_json::json;
use tyr_server::app::tokens::{self, CreateError, TokenError};

use super::harness::Rest;

const TOKENS: &str = "/api/v1/enrollment-tokens";

#[tokio::test]
async fn a_token_is_shown_once_and_listed_without_its_secret() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let made =
        rest.post(&admin, TOKENS, json!({"label": "build hosts", "max_uses": 3, "expires_hours": 2})).await.expect(201);
    let token = made["token"].as_str().expect("a token");
    let id = made["token_id"].as_str().expect("an id");
    assert!(token.starts_with(&format!("tyr_et_{id}_")), "{token}");
    assert_eq!((&made["max_uses"], &made["uses"]), (&json!(3), &json!(0)));
    let list = rest.get(&admin, TOKENS).await.expect(200);
    assert_eq!(list["items"][0]["token_id"], id);
    assert!(!list.to_string().contains(token.rsplit('_').next().expect("a secret")));
    assert!(tokens::verify(&rest.app, token).await.is_ok());
    let revoked = rest.delete(&admin, &format!("{TOKENS}/{id}")).await.expect(200);
    assert!(revoked["revoked_at"].is_string());
    assert!(matches!(tokens::verify(&rest.app, token).await, Err(TokenError::Revoked)));
    let again = rest.delete(&admin, &format!("{TOKENS}/{id}")).await.expect(200);
    assert_eq!(again["revoked_at"], revoked["revoked_at"]);
    rest.stop().await;
}

#[tokio::test]
async fn defaults_and_limits() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let made = rest.post(&admin, TOKENS, json!({"label": "one"})).await.expect(201);
    assert_eq!(made["max_uses"], 1);
    for (body, code) in [
        (json!({"label": " "}), "invalid_label"),
        (json!({"label": "a\u{1b}b"}), "invalid_label"),
        (json!({"label": "a".repeat(129)}), "invalid_label"),
        (json!({"label": "a", "max_uses": 0}), "invalid_max_uses"),
        (json!({"label": "a", "max_uses": 100_001}), "invalid_max_uses"),
        (json!({"label": "a", "expires_hours": 0}), "invalid_expires_hours"),
        (json!({"label": "a", "expires_hours": 8761}), "invalid_expires_hours"),
    ] {
        rest.post(&admin, TOKENS, body).await.error(400, code);
    }
    rest.delete(&admin, &format!("{TOKENS}/%00")).await.error(404, "not_found");
    rest.stop().await;
}

#[tokio::test]
async fn a_token_is_used_up_exactly_as_often_as_allowed() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let made = rest.post(&admin, TOKENS, json!({"label": "three", "max_uses": 3})).await.expect(201);
    let token = made["token"].as_str().expect("a token");
    let verified = tokens::verify(&rest.app, token).await.expect("good");
    let uses = (0..8).map(|_| async {
        let mut tx = rest.app.pool.begin().await.expect("a transaction");
        let used = tokens::use_up(&mut tx, &verified).await.is_ok();
        tx.commit().await.expect("committed");
        used
    });
    let used = futures_util::future::join_all(uses).await;
    assert_eq!(used.iter().filter(|used| **used).count(), 3);
    assert!(matches!(tokens::verify(&rest.app, token).await, Err(TokenError::UsedUp)));
    rest.stop().await;
}

#[tokio::test]
async fn a_use_that_is_rolled_back_was_none() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let made = rest.post(&admin, TOKENS, json!({"label": "one"})).await.expect(201);
    let verified = tokens::verify(&rest.app, made["token"].as_str().expect("a token")).await.expect("good");
    let mut tx = rest.app.pool.begin().await.expect("a transaction");
    tokens::use_up(&mut tx, &verified).await.expect("used");
    tx.rollback().await.expect("rolled back");
    assert_eq!(rest.get(&admin, TOKENS).await.expect(200)["items"][0]["uses"], 0);
    rest.stop().await;
}

#[tokio::test]
async fn wrong_and_expired_tokens_are_refused() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let made = rest.post(&admin, TOKENS, json!({"label": "one"})).await.expect(201);
    let token = made["token"].as_str().expect("a token");
    for wrong in ["", "tyr_et_x_y", &format!("{token}0"), &token.replace("tyr_et_", "tyr_at_")] {
        assert!(matches!(tokens::verify(&rest.app, wrong).await, Err(TokenError::Unknown)), "{wrong}");
    }
    sqlx::query("UPDATE enrollment_tokens SET expires_at = now()").execute(&rest.app.pool).await.expect("updated");
    assert!(matches!(tokens::verify(&rest.app, token).await, Err(TokenError::Expired)));
    rest.stop().await;
}

#[tokio::test]
async fn a_bootstrap_token_is_made_once() {
    let rest = Rest::start().await;
    let token = "tyr_et_boot_0123456789abcdef";
    tokens::ensure_bootstrap(&rest.app, token).await.expect("made");
    tokens::ensure_bootstrap(&rest.app, token).await.expect("there");
    assert_eq!(tokens::verify(&rest.app, token).await.expect("good").token_id(), "boot");
    let other = tokens::ensure_bootstrap(&rest.app, "tyr_et_boot_fedcba9876543210").await;
    assert!(matches!(other, Err(CreateError::OtherSecret)));
    for wrong in ["secret", "tyr_et_boot_short"] {
        assert!(matches!(tokens::ensure_bootstrap(&rest.app, wrong).await, Err(CreateError::BadForm)), "{wrong}");
    }
    rest.stop().await;
}
