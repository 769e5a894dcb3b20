//! Do the tables in an agent's kernel say what its policy says? The server makes them too, and compares digests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tyr_api::agents::TablesState;
use tyr_policy::{CONTENTS_VERSION, Effective, Guard, Image, Layer};

use crate::app::App;
use crate::db::DbError;

/// Digests kept; they follow from the policies, which never change.
const KNOWN_MAX: usize = 1024;
/// Policies that are lowered at one time: each takes a core for up to a third of a second.
const MAKING_MAX: usize = 4;

/// An effective policy, empty for none, and what the tables hold besides ([`Guard::id`]), empty for nothing.
type Key = (String, String);

/// Digests of the tables that agents should have.
#[derive(Debug, Default)]
pub struct Expected(Mutex<HashMap<Key, Digest>>);

#[derive(Clone, Debug)]
enum Digest {
    /// It is being made.
    Making,
    /// The policy is not known here, or makes no tables.
    None,
    Known(String),
}

impl Expected {
    /// Compares what an agent read back from its kernel. Where the digest is not known yet it is made beside, and known at one
    /// of the next heartbeats.
    pub fn compare(&self, app: &Arc<App>, policy_id: &str, guard: Option<Guard>, digest: &str) -> TablesState {
        let comparable = digest.split_once('-').is_some_and(|(version, _)| version == CONTENTS_VERSION.to_string());
        if !comparable {
            return TablesState::Unknown;
        }
        match self.lock().get(&key(policy_id, guard.as_ref())) {
            Some(Digest::Known(expected)) if *expected == digest => return TablesState::AsExpected,
            Some(Digest::Known(_)) => return TablesState::Differ,
            Some(Digest::Making | Digest::None) | None => {}
        }
        self.prepare(app, policy_id, guard);
        TablesState::Unknown
    }

    /// Makes the digest of the tables, unless it is there or being made. Without a policy and a guard there are none.
    pub fn prepare(&self, app: &Arc<App>, policy_id: &str, guard: Option<Guard>) {
        let key = key(policy_id, guard.as_ref());
        let mut known = self.lock();
        if (policy_id.is_empty() && guard.is_none()) || known.contains_key(&key) {
            return;
        }
        if known.values().filter(|digest| matches!(digest, Digest::Making)).count() < MAKING_MAX {
            if known.len() >= KNOWN_MAX {
                known.retain(|_, digest| matches!(digest, Digest::Making));
            }
            known.insert(key.clone(), Digest::Making);
            tokio::spawn(make(Arc::clone(app), key, guard));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Digest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(policy_id: &str, guard: Option<&Guard>) -> Key {
    (policy_id.to_owned(), guard.map(Guard::id).unwrap_or_default())
}

async fn make(app: Arc<App>, key: Key, guard: Option<Guard>) {
    let made = async {
        let Some(layers) = layers(&app, &key.0).await? else { return Ok(Digest::None) };
        let image = tokio::task::spawn_blocking(move || {
            Image::new(&Effective::guarded(layers, guard)).map(|image| image.contents().digest())
        });
        Ok::<_, DbError>(match image.await {
            Ok(Ok(digest)) => Digest::Known(digest),
            // The agent that has it in force knows a way.
            Ok(Err(_)) | Err(_) => Digest::None,
        })
    };
    match made.await {
        Ok(digest) => {
            app.tables.lock().insert(key, digest);
        }
        // Asked again at the next heartbeat; that the database is away others say.
        Err(_) => {
            app.tables.lock().remove(&key);
        }
    }
}

/// The layers of an effective policy; `None`: it is not known here.
async fn layers(app: &App, policy_id: &str) -> Result<Option<Vec<Layer>>, DbError> {
    if policy_id.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let compiled = app.judge.effective(app, policy_id).await?;
    Ok(compiled.map(|ready| ready.layers().to_vec()))
}
