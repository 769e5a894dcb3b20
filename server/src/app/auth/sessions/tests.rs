//! Forged, damaged and foreign tokens, each of which is refused.

use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{KEY_FILE, KeyError, SessionKey, TokenError};

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

fn claims() -> Value {
    let now = Timestamp::now().as_second();
    json!({
        "iss": "tyr-server", "aud": "tyr-api", "sub": Uuid::now_v7(), "jti": Uuid::now_v7(),
        "iat": now, "nbf": now, "exp": now + 3600,
    })
}

fn signed(claims: &Value, algorithm: Algorithm, key: &[u8]) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(key)).expect("encodes")
}

fn with(name: &str, value: Value) -> String {
    let mut claims = claims();
    claims[name] = value;
    signed(&claims, Algorithm::HS256, KEY)
}

fn without(name: &str) -> String {
    let mut claims = claims();
    claims.as_object_mut().expect("an object").remove(name);
    signed(&claims, Algorithm::HS256, KEY)
}

fn unsigned(header: &Value, claims: &Value, signature: &str) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(claims))
}

#[test]
fn takes_its_own_tokens() {
    let sessions = SessionKey::new(KEY);
    let user_id = Uuid::now_v7();
    let (token, expires_at) = sessions.issue(user_id, Timestamp::now());
    let session = sessions.check(&token).expect("valid");
    assert_eq!((session.user_id, session.expires_at), (user_id, expires_at));
    assert_eq!(
        sessions.check(&signed(&claims(), Algorithm::HS256, KEY)).map(|_| ()),
        Ok(()),
        "the claims of these tests are good"
    );
}

#[test]
fn refuses_forged_tokens() {
    let sessions = SessionKey::new(KEY);
    let now = Timestamp::now().as_second();
    let good = sessions.issue(Uuid::now_v7(), Timestamp::now()).0;
    let (body, signature) = good.rsplit_once('.').expect("three parts");
    let other_header = |header: Value| unsigned(&header, &claims(), signature);
    let mut forged = vec![
        ("empty", String::new()),
        ("one word", "token".to_owned()),
        ("dots", "...".to_owned()),
        ("no signature", format!("{body}.")),
        ("two parts", body.to_owned()),
        ("cut", good[..good.len() - 2].to_owned()),
        ("four parts", format!("{good}.x")),
        ("padding", format!("{good}=")),
        ("space", format!(" {good}")),
        ("huge", "a".repeat(10_000)),
        ("alg none", unsigned(&json!({"alg": "none", "typ": "JWT"}), &claims(), "")),
        ("alg NONE", unsigned(&json!({"alg": "NONE"}), &claims(), "")),
        ("alg missing", other_header(json!({"typ": "JWT"}))),
        ("alg null", other_header(json!({"alg": null}))),
        ("alg RS256", other_header(json!({"alg": "RS256"}))),
        ("alg ES256", other_header(json!({"alg": "ES256"}))),
        ("alg unknown", other_header(json!({"alg": "HS257"}))),
        ("foreign body", unsigned(&json!({"alg": "HS256", "typ": "JWT"}), &claims(), signature)),
        ("HS384", signed(&claims(), Algorithm::HS384, KEY)),
        ("HS512", signed(&claims(), Algorithm::HS512, KEY)),
        ("other key", signed(&claims(), Algorithm::HS256, b"another key, as long as the first")),
        ("empty key", signed(&claims(), Algorithm::HS256, b"")),
        ("not an object", signed(&json!([1]), Algorithm::HS256, KEY)),
        ("exp as text", with("exp", json!((now + 3600).to_string()))),
        ("exp null", with("exp", Value::Null)),
        ("exp negative", with("exp", json!(-1))),
        ("exp beyond all times", with("exp", json!(u64::MAX))),
        ("nbf as text", with("nbf", json!(now.to_string()))),
        ("nbf ahead", with("nbf", json!(now + 3600))),
        ("iat as text", with("iat", json!("now"))),
        ("other issuer", with("iss", json!("tyr"))),
        ("issuer number", with("iss", json!(1))),
        ("other audience", with("aud", json!("tyr-agent"))),
        ("no audience", with("aud", json!([]))),
        ("subject no id", with("sub", json!("admin"))),
        ("subject number", with("sub", json!(1))),
        ("session no id", with("jti", json!("1"))),
    ];
    for claim in ["exp", "nbf", "iat", "iss", "aud", "sub", "jti"] {
        forged.push((claim, without(claim)));
    }
    for (name, token) in forged {
        assert_eq!(sessions.check(&token), Err(TokenError::Invalid), "{name}");
    }
}

#[test]
fn tells_an_expired_token_from_a_forged_one() {
    let sessions = SessionKey::new(KEY);
    let issued = Timestamp::now() - super::LIFETIME - SignedDuration::from_secs(31);
    assert_eq!(sessions.check(&sessions.issue(Uuid::now_v7(), issued).0), Err(TokenError::Expired));
    let within_leeway = issued + SignedDuration::from_secs(11);
    assert!(sessions.check(&sessions.issue(Uuid::now_v7(), within_leeway).0).is_ok());
}

#[test]
fn keeps_its_key_and_refuses_a_short_one() {
    let dir = tempfile::tempdir().expect("a folder");
    let (token, _) = SessionKey::load_or_create(dir.path()).expect("a new key").issue(Uuid::now_v7(), Timestamp::now());
    SessionKey::load_or_create(dir.path()).expect("the same key").check(&token).expect("still valid");
    let path = dir.path().join(KEY_FILE);
    assert_eq!(path.metadata().expect("there").permissions().mode() & 0o777, 0o600);
    std::fs::write(&path, "short").expect("written");
    assert!(matches!(SessionKey::load_or_create(dir.path()), Err(KeyError::Short { bytes: 5, .. })));
}
