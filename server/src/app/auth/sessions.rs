//! Session tokens: JWT, HS256 alone, for 24 hours.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::pki::write_private;

/// How long a token works.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(24);
/// Clocks may differ by this much.
const LEEWAY_S: u64 = 30;
/// Name of the key's file in the data directory. Deleting it while the server is stopped ends all sessions.
pub const KEY_FILE: &str = "jwt.key";
/// Bytes of a new key; a shorter one is refused.
const KEY_BYTES: usize = 32;
/// Longest token that is looked at; ours have some 350 bytes.
const TOKEN_BYTES_MAX: usize = 4096;
const ISSUER: &str = "tyr-server";
const AUDIENCE: &str = "tyr-api";

/// The claims of a token; all of them are required.
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
}

/// What a valid token says. It says nothing of rights: those are looked up each time, so that a removed user is out at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub user_id: Uuid,
    /// When it stops working.
    pub expires_at: Timestamp,
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

/// Why there is no signing key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file could not be read or made.
    #[error("the session key `{}` can't be read or made", path.display())]
    File {
        /// Where it should be.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Short keys can be guessed.
    #[error("the session key `{}` has {bytes} bytes; at least {KEY_BYTES} are needed (delete it, and a new one is made)", path.display())]
    Short {
        /// Where it is.
        path: PathBuf,
        /// How long it is.
        bytes: usize,
    },
}

/// The key that session tokens are signed with: `jwt.key` in the data directory.
#[derive(Clone)]
pub struct SessionKey {
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey([secret])")
    }
}

impl SessionKey {
    /// Reads the key from the data directory, or makes one there (mode 0600).
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn load_or_create(data_dir: &Path) -> Result<Self, KeyError> {
        let path = data_dir.join(KEY_FILE);
        let key = read_or_make(&path).map_err(|source| KeyError::File { path: path.clone(), source })?;
        if key.len() < KEY_BYTES {
            return Err(KeyError::Short { path, bytes: key.len() });
        }
        Ok(Self::new(&key))
    }

    fn new(key: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = LEEWAY_S;
        // Off by default in jsonwebtoken.
        validation.validate_nbf = true;
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        Self { signing: EncodingKey::from_secret(key), checking: DecodingKey::from_secret(key), validation }
    }

    /// A token for a user, and when it ends.
    pub fn issue(&self, user_id: Uuid, now: Timestamp) -> (String, Timestamp) {
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
        };
        let token = encode(&Header::new(Algorithm::HS256), &claims, &self.signing).expect("these claims are JSON");
        (token, Timestamp::from_second(expires).expect("within a day of now"))
    }

    /// What a token says, if it is ours and valid now.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub fn check(&self, token: &str) -> Result<Session, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Invalid);
        }
        let claims = decode::<Claims>(token, &self.checking, &self.validation)
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => TokenError::Expired,
                _ => TokenError::Invalid,
            })?
            .claims;
        let expires_at = Timestamp::from_second(claims.exp).map_err(|_| TokenError::Invalid)?;
        Ok(Session { user_id: claims.sub, expires_at })
    }
}

fn read_or_make(path: &Path) -> io::Result<Vec<u8>> {
    let key: [u8; KEY_BYTES] = rand::random();
    match write_private(path, &key) {
        Ok(()) => Ok(key.to_vec()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => fs::read(path),
        Err(error) => {
            // Written in part, it would be read, and be too short, at the next start.
            let _ = fs::remove_file(path);
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests;
