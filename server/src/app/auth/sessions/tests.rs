//! Forged, damaged and foreign tokens, each of which is refused.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::keys::KEY_FILE;
use super::{SessionKeys, TokenError};

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

/// Keys, and the folder that they lie in.
fn sessions() -> (SessionKeys, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join(KEY_FILE), KEY).expect("written");
    (SessionKeys::load_or_create(dir.path()).expect("a key"), dir)
}

fn claims() -> Value {
    let now = Timestamp::now().as_second();
    json!({
        "iss": "tyr-server", "aud": "tyr-api", "sub": Uuid::now_v7(), "jti": Uuid::now_v7(),
        "iat": now, "nbf": now, "exp": now + 3600, "ver": 0,
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

fn part(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

fn unsigned(header: &Value, claims: &Value, signature: &str) -> String {
    format!("{}.{}.{signature}", part(header), part(claims))
}

/// A token with that very head, and a signature over it by the right key.
fn headed(header: &str) -> String {
    let message = format!("{}.{}", BASE64_URL_SAFE_NO_PAD.encode(header), part(&claims()));
    sign(&message)
}

fn sign(message: &str) -> String {
    let key = EncodingKey::from_secret(KEY);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).expect("signs");
    format!("{message}.{signature}")
}

/// A token whose payload is that very text, signed by the right key.
fn with_payload(payload: &str) -> String {
    let header = json!({"alg": "HS256", "typ": "JWT"});
    sign(&format!("{}.{}", part(&header), BASE64_URL_SAFE_NO_PAD.encode(payload)))
}

#[test]
fn takes_its_own_tokens_and_those_of_older_servers() {
    let (sessions, _dir) = sessions();
    let user_id = Uuid::now_v7();
    let (token, expires_at) = sessions.issue(user_id, 3, Timestamp::now());
    let session = sessions.check(&token).expect("valid");
    assert_eq!((session.user_id, session.token_version, session.expires_at), (user_id, 3, expires_at));
    for (name, good) in [
        ("the claims of these tests", signed(&claims(), Algorithm::HS256, KEY)),
        ("no version, no kid", without("ver")),
        ("the heads of these tests", headed(r#"{"alg":"HS256","typ":"JWT"}"#)),
        ("typ in small letters", headed(r#"{"alg":"HS256","typ":"jwt"}"#)),
        ("the payloads of these tests", with_payload(&claims().to_string())),
    ] {
        assert!(sessions.check(&good).is_ok(), "{name}");
    }
}

#[test]
fn refuses_forged_tokens() {
    let (sessions, _dir) = sessions();
    let now = Timestamp::now().as_second();
    let good = sessions.issue(Uuid::now_v7(), 0, Timestamp::now()).0;
    let kid = sessions.check(&good).expect("valid").key_id;
    let (body, signature) = good.rsplit_once('.').expect("three parts");
    let other_header = |header: Value| unsigned(&header, &claims(), signature);
    let twice = claims().to_string().replacen('{', "{\"exp\":99999999999,", 1);
    let jwk = json!({"alg": "HS256", "jwk": {"kty": "oct", "k": BASE64_URL_SAFE_NO_PAD.encode(KEY)}});
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
        (
            "not UTF-8 inside",
            sign(&format!("{}.{}", part(&json!({"alg": "HS256"})), BASE64_URL_SAFE_NO_PAD.encode([255]))),
        ),
        ("alg none", unsigned(&json!({"alg": "none", "typ": "JWT"}), &claims(), "")),
        ("alg NONE", unsigned(&json!({"alg": "NONE"}), &claims(), "")),
        ("alg none with a signature", headed(r#"{"alg":"none"}"#)),
        ("alg missing", headed(r#"{"typ":"JWT"}"#)),
        ("alg null", headed(r#"{"alg":null}"#)),
        ("alg twice", headed(r#"{"alg":"HS256","alg":"none"}"#)),
        ("alg in small letters", headed(r#"{"alg":"hs256"}"#)),
        ("alg RS256", other_header(json!({"alg": "RS256"}))),
        ("alg RS256 signed as HS256", headed(r#"{"alg":"RS256"}"#)),
        ("alg ES256", other_header(json!({"alg": "ES256"}))),
        ("alg unknown", other_header(json!({"alg": "HS257"}))),
        ("typ of another kind", headed(r#"{"alg":"HS256","typ":"at+jwt"}"#)),
        ("head no object", headed("[]")),
        ("crit", headed(r#"{"alg":"HS256","crit":["exp"],"exp":1}"#)),
        ("b64 false", headed(r#"{"alg":"HS256","b64":false}"#)),
        ("jku", headed(r#"{"alg":"HS256","jku":"https://evil.example/keys"}"#)),
        ("jwk", headed(&jwk.to_string())),
        ("x5u", headed(r#"{"alg":"HS256","x5u":"https://evil.example/cert"}"#)),
        ("encrypted", headed(r#"{"alg":"HS256","enc":"A256GCM"}"#)),
        ("kid of a file", headed(r#"{"alg":"HS256","kid":"../../../dev/null"}"#)),
        ("kid of SQL", headed(r#"{"alg":"HS256","kid":"x' UNION SELECT 'key"}"#)),
        ("kid empty", headed(r#"{"alg":"HS256","kid":""}"#)),
        ("kid number", headed(r#"{"alg":"HS256","kid":1}"#)),
        ("kid cut", headed(&json!({"alg": "HS256", "kid": kid[..8]}).to_string())),
        ("foreign body", unsigned(&json!({"alg": "HS256", "typ": "JWT", "kid": kid}), &claims(), signature)),
        ("HS384", signed(&claims(), Algorithm::HS384, KEY)),
        ("HS512", signed(&claims(), Algorithm::HS512, KEY)),
        ("other key", signed(&claims(), Algorithm::HS256, b"another key, as long as the first")),
        ("empty key", signed(&claims(), Algorithm::HS256, b"")),
        ("key's name as key", signed(&claims(), Algorithm::HS256, kid.as_bytes())),
        ("not an object", signed(&json!([1]), Algorithm::HS256, KEY)),
        ("claims no JSON", with_payload("exp")),
        ("claim twice", with_payload(&twice)),
        ("exp as text", with("exp", json!((now + 3600).to_string()))),
        ("exp null", with("exp", Value::Null)),
        ("exp negative", with("exp", json!(-1))),
        ("exp beyond all times", with("exp", json!(u64::MAX))),
        ("exp infinite", with_payload(&claims().to_string().replace(&format!("{}", now + 3600), "1e400"))),
        ("exp in a year", with("exp", json!(now + 365 * 86_400))),
        ("nbf as text", with("nbf", json!(now.to_string()))),
        ("nbf ahead", with("nbf", json!(now + 3600))),
        ("nbf null", with("nbf", Value::Null)),
        ("iat as text", with("iat", json!("now"))),
        ("iat ahead", with("iat", json!(now + 3600))),
        ("iat long ago", with("iat", json!(now - 86_400))),
        ("other issuer", with("iss", json!("tyr"))),
        ("issuer number", with("iss", json!(1))),
        ("issuers", with("iss", json!(["tyr-server", "evil"]))),
        ("other audience", with("aud", json!("tyr-agent"))),
        ("audiences", with("aud", json!(["tyr-api", "other"]))),
        ("no audience", with("aud", json!([]))),
        ("subject no id", with("sub", json!("admin"))),
        ("subject number", with("sub", json!(1))),
        ("session no id", with("jti", json!("1"))),
        ("version no number", with("ver", json!("0"))),
    ];
    for claim in ["exp", "nbf", "iat", "iss", "aud", "sub", "jti"] {
        forged.push((claim, without(claim)));
    }
    for (name, token) in forged {
        assert!(matches!(sessions.check(&token), Err(TokenError::Invalid | TokenError::Expired)), "{name}");
        // Only what once was ours has expired.
        assert!(name == "exp negative" || sessions.check(&token) == Err(TokenError::Invalid), "{name}");
    }
}

#[test]
fn tells_an_expired_token_from_a_forged_one() {
    let (sessions, _dir) = sessions();
    let issued = Timestamp::now() - super::LIFETIME - SignedDuration::from_secs(31);
    assert_eq!(sessions.check(&sessions.issue(Uuid::now_v7(), 0, issued).0), Err(TokenError::Expired));
    let within_leeway = issued + SignedDuration::from_secs(11);
    assert!(sessions.check(&sessions.issue(Uuid::now_v7(), 0, within_leeway).0).is_ok());
}

#[test]
fn a_rotation_ends_no_session_the_next_one_does_and_one_may_be_asked_to() {
    let (sessions, _dir) = sessions();
    let first = sessions.issue(Uuid::now_v7(), 0, Timestamp::now()).0;
    let from_before_rotation = signed(&claims(), Algorithm::HS256, KEY);
    sessions.rotate(false).expect("rotated");
    let session = sessions.check(&first).expect("signed with the key before");
    assert!(sessions.takes(&session.key_id));
    sessions.check(&from_before_rotation).expect("a token without `kid` is tried with both");
    let second = sessions.issue(Uuid::now_v7(), 0, Timestamp::now()).0;
    sessions.rotate(false).expect("rotated");
    assert_eq!(sessions.check(&first), Err(TokenError::Invalid));
    assert_eq!(sessions.check(&from_before_rotation), Err(TokenError::Invalid));
    assert!(!sessions.takes(&session.key_id));
    sessions.check(&second).expect("signed with the key before");
    sessions.rotate(true).expect("rotated");
    assert_eq!(sessions.check(&second), Err(TokenError::Invalid));
}
