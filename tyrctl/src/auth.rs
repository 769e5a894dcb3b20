//! Access tokens: where they come from, where they lie, and what can be read off one.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;

use crate::config;
use crate::error::{Failure, Kind};

/// Something that must not be printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides it.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// Shows it, for where it has to go.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Where the access token comes from.
#[derive(Clone, Debug)]
pub enum TokenSource {
    /// `--token-file`: it has to be there.
    File(PathBuf),
    /// `TYR_TOKEN`.
    Environment(Secret),
    /// What `tyrctl login` stored; absent when nobody logged in.
    Stored(PathBuf),
    /// The stored token belongs to another server, which must not see it.
    Nowhere,
}

impl TokenSource {
    /// The token as it is now, or `None` when nobody logged in.
    ///
    /// # Errors
    /// When a file that was named can't be read, is empty, or is open to other users.
    pub fn read(&self) -> Result<Option<Secret>, Failure> {
        match self {
            Self::Environment(secret) => Ok(Some(secret.clone())),
            Self::Nowhere => Ok(None),
            Self::Stored(file) => read_token(file),
            Self::File(file) => match read_token(file)? {
                Some(token) => Ok(Some(token)),
                None => {
                    Err(Failure::new(Kind::Denied, format!("token file `{}` is not there or empty", file.display()))
                        .hint("`tyrctl login` stores a token; leave out --token-file to use it"))
                }
            },
        }
    }

    /// In words, for `tyrctl auth status`.
    pub fn describe(&self) -> String {
        match self {
            Self::File(file) | Self::Stored(file) => file.display().to_string(),
            Self::Environment(_) => "TYR_TOKEN".to_owned(),
            Self::Nowhere => "none for this server".to_owned(),
        }
    }
}

fn read_token(file: &Path) -> Result<Option<Secret>, Failure> {
    let Some(bytes) = config::read_guarded(file, 0o077)? else { return Ok(None) };
    let text = String::from_utf8(bytes).map_err(|_| {
        Failure::failed(format!("`{}` holds no access token", file.display())).hint("log in again: `tyrctl login`")
    })?;
    Ok(Some(text.trim()).filter(|token| !token.is_empty()).map(Secret::new))
}

/// Stores a token with mode 0600.
///
/// # Errors
/// When the folder can't be written.
pub fn store_token(file: &Path, token: &str) -> Result<(), Failure> {
    config::replace(file, format!("{token}\n").as_bytes())
}

/// Removes a stored token; says whether there was one.
///
/// # Errors
/// When it can't be removed.
pub fn remove_token(file: &Path) -> Result<bool, Failure> {
    match fs::remove_file(file) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failure::failed(format!("`{}` could not be removed", file.display())).because(&error)),
    }
}

/// What a token says of itself. Nothing of it is checked: only the server can.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Claims {
    /// For whom: the name, where the token carries it.
    #[serde(default)]
    pub username: Option<String>,
    /// `viewer` or `admin`.
    #[serde(default)]
    pub role: Option<String>,
    /// End, in seconds since 1970.
    #[serde(default)]
    pub exp: Option<i64>,
}

impl Claims {
    /// Reads them off a JWT; a token of another make says nothing.
    pub fn of(token: &Secret) -> Self {
        let payload = token.expose().split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        payload.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// When it stops working.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.exp.and_then(|seconds| Timestamp::from_second(seconds).ok())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::{Claims, Secret, TokenSource, remove_token, store_token};

    #[test]
    fn a_stored_token_is_found_again_until_it_is_removed() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let file = temp.path().join("tyr/token");
        let source = TokenSource::Stored(file.clone());
        assert_eq!(source.read().expect("absent"), None);
        store_token(&file, "a.b.c").expect("stored");
        assert_eq!(source.read().expect("read"), Some(Secret::new("a.b.c")));
        assert!(remove_token(&file).expect("removed"));
        assert!(!remove_token(&file).expect("already gone"));
    }

    #[test]
    fn refuses_a_token_that_others_can_read() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let file = temp.path().join("token");
        store_token(&file, "a.b.c").expect("stored");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("changed");
        let failure = TokenSource::Stored(file.clone()).read().expect_err("refused");
        assert_eq!(failure.causes, ["its mode is 0640"]);
        assert_eq!(failure.hints, [format!("chmod 600 '{}'", file.display())]);
    }

    #[test]
    fn claims_are_read_and_nonsense_says_nothing() {
        // {"sub":"alice","role":"admin","exp":1763830800}
        let token = Secret::new("x.eyJzdWIiOiJhbGljZSIsInJvbGUiOiJhZG1pbiIsImV4cCI6MTc2MzgzMDgwMH0.y");
        let claims = Claims::of(&token);
        assert_eq!((claims.role.as_deref(), claims.exp), (Some("admin"), Some(1_763_830_800)));
        for nonsense in ["", "...", "a.b.c", "x.e30.y"] {
            assert_eq!(Claims::of(&Secret::new(nonsense)), Claims::default());
        }
    }

    #[test]
    fn debug_does_not_show_a_secret() {
        assert_eq!(format!("{:?}", TokenSource::Environment(Secret::new("hunter2"))), "Environment([secret])");
    }
}
