//! The configuration file: which servers there are, and which one is in use.
//!
//! `$XDG_CONFIG_HOME/tyr/config.toml`, else `~/.config/tyr/config.toml`. It decides whom we trust and where the password is sent,
//! so it is refused when others may write to it. Files are replaced whole, by a rename, with mode 0600.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::tui::keymap::KeyNames;

/// Name of the context that is used when none is chosen.
pub const DEFAULT_CONTEXT: &str = "default";

/// What the file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The context in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// All contexts by name.
    #[serde(default)]
    pub context: BTreeMap<String, Context>,
    /// Keys of the dashboard, by action, that differ from the usual ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, KeyNames>,
}

/// One server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// Its address, `https://host:7701`.
    pub server: String,
    /// The only authorities to trust; absent for those of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// Name to log in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Zone in which times are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Whether everything that changes something on the server is refused here.
    #[serde(default, skip_serializing_if = "is_false")]
    pub read_only: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(value: &bool) -> bool {
    !value
}

/// The folder of configuration and tokens.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The user's.
    ///
    /// # Errors
    /// When neither `XDG_CONFIG_HOME` nor a home folder is known.
    pub fn of_user() -> Result<Self, Failure> {
        let base = etcetera::base_strategy::Xdg::new().map_err(|error| {
            Failure::failed("no folder for the configuration").because(&error).hint("set HOME or XDG_CONFIG_HOME")
        })?;
        Ok(Self(base.config_dir().join("tyr")))
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where the configuration is.
    pub fn config_file(&self) -> PathBuf {
        self.0.join("config.toml")
    }

    /// Where a context's access token is: `token` for the default one, as documented, `tokens/NAME` for others.
    pub fn token_file(&self, context: &str) -> PathBuf {
        if context == DEFAULT_CONTEXT { self.0.join("token") } else { self.0.join("tokens").join(context) }
    }

    /// Reads the configuration; an absent file is an empty one.
    ///
    /// # Errors
    /// When it can't be read, others may write to it, or it holds something else.
    pub fn load(&self) -> Result<Config, Failure> {
        let file = self.config_file();
        let failure = || Failure::failed(format!("configuration `{}` could not be read", file.display()));
        let Some(text) = read_guarded(&file, 0o022)? else { return Ok(Config::default()) };
        let text = String::from_utf8(text).map_err(|error| failure().because(&error))?;
        let config: Config = toml::from_str(&text).map_err(|error| failure().cause(error.to_string().trim_end()))?;
        for name in config.context.keys() {
            check_name(name).map_err(|bad| failure().cause(bad.message))?;
        }
        Ok(config)
    }

    /// Writes the configuration.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub fn store(&self, config: &Config) -> Result<(), Failure> {
        let text = toml::to_string(config)
            .map_err(|error| Failure::failed("the configuration could not be written").because(&error))?;
        replace(&self.config_file(), text.as_bytes())
    }
}

/// Refuses names that would be a path elsewhere.
///
/// # Errors
/// When it is empty, longer than 64 bytes, begins with a dot, or has characters other than letters, digits, `-`, `_`, `.`.
pub fn check_name(name: &str) -> Result<(), Failure> {
    let good = (1..=64).contains(&name.len())
        && !name.starts_with(['.', '-'])
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if good {
        Ok(())
    } else {
        Err(Failure::usage(format!("`{name}` can't be the name of a context"))
            .hint("1-64 letters, digits, `-`, `_` and `.`, not beginning with `.` or `-`"))
    }
}

/// Reads a file unless its mode has one of these bits. `None` when it isn't there.
///
/// # Errors
/// When it can't be read or is open to others.
pub fn read_guarded(file: &Path, forbidden_mode: u32) -> Result<Option<Vec<u8>>, Failure> {
    let failure = |error: &io::Error| Failure::failed(format!("`{}` could not be read", file.display())).because(error);
    let mut opened = match fs::File::open(file) {
        Ok(opened) => opened,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        // In a folder that is closed to us, as root's home is to a service, nothing of ours can lie.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && file.symlink_metadata().is_err() => {
            return Ok(None);
        }
        Err(error) => return Err(failure(&error)),
    };
    let meta = opened.metadata().map_err(|error| failure(&error))?;
    let mode = meta.permissions().mode() & 0o777;
    if meta.is_file() && mode & forbidden_mode != 0 {
        return Err(Failure::failed(format!("`{}` is open to other users", file.display()))
            .cause(format!("its mode is {mode:04o}"))
            .hint(format!("chmod 600 '{}'", file.display())));
    }
    let mut bytes = Vec::new();
    // Nothing that is read here is large; a device or a mistaken path must not fill the memory.
    io::Read::read_to_end(&mut io::Read::take(&mut opened, 1 << 20), &mut bytes).map_err(|error| failure(&error))?;
    Ok(Some(bytes))
}

/// Replaces a file whole, with mode 0600; its folders are made with 0700.
///
/// # Errors
/// When the folder can't be made or written; the old file is then as it was.
pub fn replace(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failure =
        |error: &io::Error| Failure::failed(format!("`{}` could not be written", file.display())).because(error);
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| failure(&error))?;
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.new", std::process::id()));
    let new = folder.join(name);
    // Left by an earlier process of the same id that was killed.
    let _ = fs::remove_file(&new);
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut opened| {
            opened.write_all(bytes)?;
            opened.sync_all()
        })
        .and_then(|()| fs::rename(&new, file));
    written.map_err(|error| {
        let _ = fs::remove_file(&new);
        failure(&error)
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::{Config, Context, Folder, check_name};

    #[test]
    fn keeps_what_was_stored_and_hides_it_from_others() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder(temp.path().join("deep/tyr"));
        assert_eq!(folder.load().expect("an absent file is an empty one"), Config::default());
        let mut config = Config { current: Some("prod".to_owned()), ..Config::default() };
        config
            .context
            .insert("prod".to_owned(), Context { server: "https://tyr:7701".to_owned(), ..Context::default() });
        folder.store(&config).expect("stored");
        folder.store(&config).expect("stored over itself");
        assert_eq!(folder.load().expect("loaded"), config);
        let mode = |path: &std::path::Path| std::fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
        assert_eq!(mode(&folder.config_file()), 0o600);
        assert_eq!(mode(folder.config_file().parent().expect("a parent")), 0o700);
        assert_eq!(std::fs::read_dir(temp.path().join("deep/tyr")).expect("listed").count(), 1, "no leftovers");
    }

    #[test]
    fn refuses_what_others_may_write() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder(temp.path().to_owned());
        folder.store(&Config::default()).expect("stored");
        std::fs::set_permissions(folder.config_file(), std::fs::Permissions::from_mode(0o666)).expect("changed");
        let failure = folder.load().expect_err("refused");
        assert!(failure.hints[0].starts_with("chmod 600 '"), "{failure}");
    }

    #[test]
    fn says_where_a_wrong_key_is() {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder(temp.path().to_owned());
        super::replace(&folder.config_file(), b"[context.prod]\nserver = \"https://tyr:7701\"\ncafile = \"x\"\n")
            .expect("written");
        let failure = folder.load().expect_err("refused").to_string();
        assert!(failure.contains("line 3") && failure.contains("cafile"), "{failure}");
    }

    #[test]
    fn names_are_no_paths() {
        for good in ["default", "prod-eu.1", "A_b"] {
            check_name(good).expect(good);
        }
        for bad in ["", "..", "a/b", ".hidden", "-x", "a b", "ä", "x\n"] {
            check_name(bad).expect_err(bad);
        }
    }
}
