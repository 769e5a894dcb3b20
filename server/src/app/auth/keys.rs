//! The keys that session tokens are signed with: the current one and the one before, in `jwt.key` of the data directory.
//!
//! The file is either the bytes of one key (what a first start writes, and what operators may put there), or, after a
//! rotation, JSON that begins with [`MAGIC`]. It is always replaced as a whole: written under another name, synced, renamed,
//! with the data directory locked; so a crash leaves the old file or the new one, and several servers on one data directory
//! agree. Each looks at the file again when a second has passed since it last did, so that a rotation by another is heard of
//! at once. A file that is gone or damaged while the server runs changes nothing until the next start.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use jsonwebtoken::{DecodingKey, EncodingKey};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::pki::write_private;

/// Name of the file in the data directory. Deleting it while the server is stopped ends all sessions.
pub const KEY_FILE: &str = "jwt.key";
/// Name under which a new file is written, until it is whole.
const NEW_KEY_FILE: &str = "jwt.key.new";
/// Bytes of a new key; a shorter one is refused.
const KEY_BYTES: usize = 32;
/// How a file with several keys begins. No key made here begins so by chance.
const MAGIC: &[u8] = b"{\"tyr_session_keys\":";
/// The file is not looked at more often than this.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Why there is no signing key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file could not be read or made. What was there before is still there.
    #[error("the session key `{}` can't be read or written", path.display())]
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
    /// The file holds something else, or is far too large.
    #[error("the session keys `{}` are damaged (delete the file, and a new key is made)", path.display())]
    Damaged {
        /// Where it is.
        path: PathBuf,
    },
}

/// One key.
#[derive(Clone)]
pub struct Key {
    /// Names it in tokens (`kid`); follows from its bytes and tells nothing about them.
    pub id: String,
    /// For new tokens.
    pub signing: EncodingKey,
    /// For tokens that come back.
    pub checking: DecodingKey,
    bytes: Vec<u8>,
    made_at: Option<Timestamp>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Key {
    fn new(bytes: Vec<u8>, made_at: Option<Timestamp>) -> Self {
        let mut digest = Sha256::new();
        digest.update(b"tyr session key\0");
        digest.update(&bytes);
        Self {
            id: hex::encode(&digest.finalize()[..8]),
            signing: EncodingKey::from_secret(&bytes),
            checking: DecodingKey::from_secret(&bytes),
            bytes,
            made_at,
        }
    }

    fn random() -> Self {
        Self::new(rand::random::<[u8; KEY_BYTES]>().to_vec(), Some(Timestamp::now()))
    }
}

/// The keys in force.
#[derive(Clone, Debug)]
pub struct Ring {
    /// Signs new tokens.
    pub current: Key,
    /// Still taken; absent before the first rotation, and after one that ended all sessions.
    pub previous: Option<Key>,
}

impl Ring {
    /// The key of that name.
    pub fn key(&self, id: &str) -> Option<&Key> {
        self.all().find(|key| key.id == id)
    }

    /// All keys, the current one first.
    pub fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

/// A file with several keys, newest first.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// Version of this form.
    tyr_session_keys: u32,
    keys: Vec<StoredKey>,
}

#[derive(Serialize, Deserialize)]
struct StoredKey {
    key: String,
    made_at: Option<Timestamp>,
}

/// What tells that a file is another one than before.
type Stamp = (u64, i64, i64, u64);

/// The key file and what it held when it was last looked at.
#[derive(Debug)]
pub struct KeyFile {
    dir: PathBuf,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    ring: Arc<Ring>,
    stamp: Option<Stamp>,
    looked: Instant,
}

impl KeyFile {
    /// Reads the keys from the data directory, or makes one there (mode 0600).
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn load_or_create(data_dir: &Path) -> Result<Self, KeyError> {
        let dir = data_dir.to_owned();
        let _lock = lock(&dir)?;
        let (ring, stamp) = if let Some(found) = read(&dir)? {
            found
        } else {
            // The plain form: servers from before rotation read it too.
            replace(&dir, &Key::random().bytes)?;
            read(&dir)?.ok_or_else(|| file_error(&dir, ErrorKind::NotFound.into()))?
        };
        Ok(Self { dir, seen: Mutex::new(Seen { ring: Arc::new(ring), stamp: Some(stamp), looked: Instant::now() }) })
    }

    /// The keys in force now.
    pub fn ring(&self) -> Arc<Ring> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.looked.elapsed() >= LOOK_EVERY {
            self.look(&mut seen);
        }
        Arc::clone(&seen.ring)
    }

    /// Makes a new current key. The one before stays good for checking, or, with `end_sessions`, none does.
    ///
    /// Waits for the disk, and for other servers that do the same.
    ///
    /// # Errors
    /// See [`KeyError`]: then nothing has changed.
    pub fn rotate(&self, end_sessions: bool) -> Result<Arc<Ring>, KeyError> {
        let _lock = lock(&self.dir)?;
        let before = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            // Another server may have been quicker.
            self.look(&mut seen);
            Arc::clone(&seen.ring)
        };
        let ring = Ring { current: Key::random(), previous: (!end_sessions).then(|| before.current.clone()) };
        let keys = ring.all().map(|key| StoredKey { key: BASE64_STANDARD.encode(&key.bytes), made_at: key.made_at });
        let stored = Stored { tyr_session_keys: 1, keys: keys.collect() };
        let text = serde_json::to_vec(&stored).map_err(|error| file_error(&self.dir, error.into()))?;
        // Requests go on meanwhile with the keys from before.
        replace(&self.dir, &text)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = Seen { ring: Arc::new(ring), stamp: stamp_of(&self.dir).ok().flatten(), looked: Instant::now() };
        Ok(Arc::clone(&seen.ring))
    }

    fn look(&self, seen: &mut Seen) {
        seen.looked = Instant::now();
        let Ok(Some(stamp)) = stamp_of(&self.dir) else { return };
        if seen.stamp == Some(stamp) {
            return;
        }
        match read(&self.dir) {
            Ok(Some((ring, stamp))) => {
                tracing::info!(key.id = ring.current.id, "the session keys were changed by another process");
                (seen.ring, seen.stamp) = (Arc::new(ring), Some(stamp));
            }
            Ok(None) => {}
            Err(error) => {
                // Said once for each state of the file.
                seen.stamp = Some(stamp);
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the session keys were changed and can't be used; those from before stay in force"
                );
            }
        }
    }
}

/// Keeps other processes away from the file until it is dropped.
fn lock(dir: &Path) -> Result<File, KeyError> {
    let locked = File::open(dir).and_then(|file| {
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    });
    locked.map_err(|source| file_error(dir, source))
}

fn file_error(dir: &Path, source: io::Error) -> KeyError {
    KeyError::File { path: dir.join(KEY_FILE), source }
}

fn stamp_of(dir: &Path) -> io::Result<Option<Stamp>> {
    match fs::metadata(dir.join(KEY_FILE)) {
        Ok(meta) => Ok(Some((meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.len()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The keys in the file, and its state; none without a file.
fn read(dir: &Path) -> Result<Option<(Ring, Stamp)>, KeyError> {
    let path = dir.join(KEY_FILE);
    // The state first: a file that is replaced in between is read once more.
    let Some(stamp) = stamp_of(dir).map_err(|source| file_error(dir, source))? else { return Ok(None) };
    if stamp.3 > FILE_BYTES_MAX {
        return Err(KeyError::Damaged { path });
    }
    let content = match fs::read(&path) {
        Ok(content) => content,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(KeyError::File { path, source }),
    };
    let mut keys = if content.starts_with(MAGIC) {
        several(&content).ok_or_else(|| KeyError::Damaged { path: path.clone() })?
    } else {
        vec![Key::new(content, None)]
    };
    if let Some(short) = keys.iter().find(|key| key.bytes.len() < KEY_BYTES) {
        return Err(KeyError::Short { path, bytes: short.bytes.len() });
    }
    let previous = if keys.len() > 1 { keys.pop() } else { None };
    let Some(current) = keys.pop() else { return Err(KeyError::Damaged { path }) };
    Ok(Some((Ring { current, previous }, stamp)))
}

/// One or two keys out of the form with several.
fn several(content: &[u8]) -> Option<Vec<Key>> {
    let stored: Stored = serde_json::from_slice(content).ok()?;
    if stored.tyr_session_keys != 1 || !(1..=2).contains(&stored.keys.len()) {
        return None;
    }
    let key = |stored: &StoredKey| Some(Key::new(BASE64_STANDARD.decode(&stored.key).ok()?, stored.made_at));
    stored.keys.iter().map(key).collect()
}

/// Puts a whole new file (mode 0600) in place of the one before. The caller holds the lock.
fn replace(dir: &Path, content: &[u8]) -> Result<(), KeyError> {
    let new = dir.join(NEW_KEY_FILE);
    let put = || {
        // Left by a process that was killed while it wrote.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        write_private(&new, content)?;
        fs::rename(&new, dir.join(KEY_FILE))?;
        File::open(dir)?.sync_all()
    };
    put().map_err(|source| file_error(dir, source))
}

#[cfg(test)]
mod tests;
