//! Do the tables in an agent's kernel say what its policy says? The server makes them too, and compares digests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tyr_api::agents::TablesState;
use tyr_policy::{CONTENTS_VERSION, Image};

use crate::app::App;
use crate::db::DbError;

/// Digests kept; they follow from the policies, which never change.
const KNOWN_MAX: usize = 1024;
/// Policies that are lowered at one time: each takes a core for up to a third of a second.
const MAKING_MAX: usize = 4;

/// Digests of the tables that effective policies make, by `policy_id`.
#[derive(Debug, Default)]
pub struct Expected(Mutex<HashMap<String, Digest>>);

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
    pub fn compare(&self, app: &Arc<App>, policy_id: &str, digest: &str) -> TablesState {
        let comparable = digest.split_once('-').is_some_and(|(version, _)| version == CONTENTS_VERSION.to_string());
        if policy_id.is_empty() || !comparable {
            return TablesState::Unknown;
        }
        match self.lock().get(policy_id) {
            Some(Digest::Known(expected)) if *expected == digest => return TablesState::AsExpected,
            Some(Digest::Known(_)) => return TablesState::Differ,
            Some(Digest::Making | Digest::None) | None => {}
        }
        self.prepare(app, policy_id);
        TablesState::Unknown
    }

    /// Makes the digest of a policy's tables, unless it is there or being made.
    pub fn prepare(&self, app: &Arc<App>, policy_id: &str) {
        let mut known = self.lock();
        if policy_id.is_empty() || known.contains_key(policy_id) {
            return;
        }
        if known.values().filter(|digest| matches!(digest, Digest::Making)).count() < MAKING_MAX {
            if known.len() >= KNOWN_MAX {
                known.retain(|_, digest| matches!(digest, Digest::Making));
            }
            known.insert(policy_id.to_owned(), Digest::Making);
            tokio::spawn(make(Arc::clone(app), policy_id.to_owned()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Digest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn make(app: Arc<App>, policy_id: String) {
    let made = async {
        let Some(compiled) = app.judge.effective(&app, &policy_id).await? else { return Ok(Digest::None) };
        let image = tokio::task::spawn_blocking(move || {
            Image::new(compiled.effective()).map(|image| image.contents().digest())
        });
        Ok::<_, DbError>(match image.await {
            Ok(Ok(digest)) => Digest::Known(digest),
            // The agent that has it in force knows a way.
            Ok(Err(_)) | Err(_) => Digest::None,
        })
    };
    match made.await {
        Ok(digest) => {
            app.tables.lock().insert(policy_id, digest);
        }
        // Asked again at the next heartbeat; that the database is away others say.
        Err(_) => {
            app.tables.lock().remove(&policy_id);
        }
    }
}
