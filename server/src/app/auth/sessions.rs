//! Session tokens: JWT, HS256 alone, for 24 hours.

use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::keys::{Key, KeyError, KeyFile, Ring};

/// How long a token works.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(24);
/// Clocks may differ by this much.
const LEEWAY_S: u64 = 30;
const LEEWAY: SignedDuration = SignedDuration::from_secs(30);
/// Longest token that is looked at; ours have some 400 bytes.
const TOKEN_BYTES_MAX: usize = 4096;
const ISSUER: &str = "tyr-server";
const AUDIENCE: &str = "tyr-api";

/// The head of a token. Anything beside these is refused: whatever `crit`, `jku` or `jwk` ask for, it is not ours.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    alg: String,
    typ: Option<String>,
    /// Absent in tokens of servers from before key rotation.
    kid: Option<String>,
}

/// The claims of a token; all of them but `ver` are required.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    /// The user.
    sub: Uuid,
    /// The session.
    jti: Uuid,
    iat: i64,
    nbf: i64,
    exp: i64,
    /// The user's token version, which goes up when all of its sessions end. Servers from before it wrote none.
    #[serde(default)]
    ver: i32,
}

/// What a valid token says. It says nothing of rights: those are looked up each time, so that a removed user is out at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub user_id: Uuid,
    /// Which of the user's it is.
    pub session_id: Uuid,
    /// The user's token version when it was made.
    pub token_version: i32,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// Name of the key that signed it.
    pub key_id: String,
}

/// Why a token was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was ours and its time is over.
    #[error("the session has expired")]
    Expired,
    /// It is not one of ours, or not for this server; which of the two is nobody's business.
    #[error("the session token is not valid")]
    Invalid,
}

/// Makes and checks session tokens.
#[derive(Debug)]
pub struct SessionKeys {
    file: KeyFile,
    validation: Validation,
}

impl SessionKeys {
    /// Reads the keys from the data directory, or makes one there (mode 0600).
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn load_or_create(data_dir: &Path) -> Result<Self, KeyError> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = LEEWAY_S;
        // Off by default in jsonwebtoken.
        validation.validate_nbf = true;
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        Ok(Self { file: KeyFile::load_or_create(data_dir)?, validation })
    }

    /// A token for a user whose tokens are at that version, and when it ends.
    pub fn issue(&self, user_id: Uuid, token_version: i32, now: Timestamp) -> (String, Timestamp) {
        // Whole seconds, as in the token.
        let expires = now.as_second() + LIFETIME.as_secs();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user_id,
            jti: Uuid::now_v7(),
            iat: now.as_second(),
            nbf: now.as_second(),
            exp: expires,
            ver: token_version,
        };
        let ring = self.file.ring();
        let header = Header { kid: Some(ring.current.id.clone()), ..Header::new(Algorithm::HS256) };
        let token = encode(&header, &claims, &ring.current.signing).expect("these claims are JSON");
        (token, Timestamp::from_second(expires).expect("within a day of now"))
    }

    /// What a token says, if it is ours and valid now. Whether its session was ended is for the database to say.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub fn check(&self, token: &str) -> Result<Session, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Invalid);
        }
        let head = head(token).ok_or(TokenError::Invalid)?;
        if head.alg != "HS256" || head.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
            return Err(TokenError::Invalid);
        }
        let ring = self.file.ring();
        if let Some(id) = head.kid {
            return self.check_with(token, ring.key(&id).ok_or(TokenError::Invalid)?);
        }
        let mut answers = ring.all().map(|key| self.check_with(token, key));
        answers.find(|answer| *answer != Err(TokenError::Invalid)).unwrap_or(Err(TokenError::Invalid))
    }

    fn check_with(&self, token: &str, key: &Key) -> Result<Session, TokenError> {
        let claims = decode::<Claims>(token, &key.checking, &self.validation)
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => TokenError::Expired,
                _ => TokenError::Invalid,
            })?
            .claims;
        let instant = |seconds| Timestamp::from_second(seconds).map_err(|_| TokenError::Invalid);
        let (issued_at, expires_at) = (instant(claims.iat)?, instant(claims.exp)?);
        // Made in the future, or for longer than we make any: not by us, whatever the signature says.
        if issued_at > Timestamp::now() + LEEWAY || expires_at.duration_since(issued_at) > LIFETIME {
            return Err(TokenError::Invalid);
        }
        Ok(Session {
            user_id: claims.sub,
            session_id: claims.jti,
            token_version: claims.ver,
            expires_at,
            key_id: key.id.clone(),
        })
    }

    /// Whether tokens that were signed with the key of that name are still taken.
    pub fn takes(&self, key_id: &str) -> bool {
        self.file.ring().key(key_id).is_some()
    }

    /// Makes a new key; see [`KeyFile::rotate`]. Waits for the disk.
    ///
    /// # Errors
    /// See [`KeyError`]: then nothing has changed.
    pub fn rotate(&self, end_sessions: bool) -> Result<Arc<Ring>, KeyError> {
        self.file.rotate(end_sessions)
    }
}

/// The head of a token, if it is one of the kind that we make.
fn head(token: &str) -> Option<Head> {
    let (head, _) = token.split_once('.')?;
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(head).ok()?).ok()
}

#[cfg(test)]
mod tests;
