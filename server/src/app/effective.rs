//! The effective policy of an agent: overlays by agent type before its base, which is its own or that of all.
//!
//! Decided where assignments change, for all agents in one statement, and written down with its date: drift is judged by
//! what should have been in force when an event happened. An advisory lock puts changes in a row; an agent that enrolls
//! takes the same lock, shared, so that it can't miss a change that is being made.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use tyr_proto::v1::{PolicyLayer, PolicyPush};
use uuid::Uuid;

use crate::app::App;
use crate::db::DbError;
use crate::db::effective_policies::{self, LayerRow};

/// Effective policies kept in memory; they follow from their digest, so they never change.
const PUSHES_MAX: usize = 64;

/// What this agent should run now, recorded in `agent_policies` when it is another than before. Without an assignment: no
/// layers, empty `policy_id`.
///
/// # Errors
/// When the database failed.
pub async fn effective_for(app: &App, agent_id: Uuid) -> Result<PolicyPush, DbError> {
    // Once written down, every change is written down for this agent with the change itself.
    let policy_id = if let Some(policy_id) = effective_policies::current(&app.pool, agent_id).await? {
        policy_id
    } else {
        // It enrolled, and no assignment that concerns it was changed since.
        let mut tx = app.pool.begin().await?;
        effective_policies::lock_for_reading(&mut *tx).await?;
        settle(&mut tx, Some(agent_id)).await?;
        let policy_id = effective_policies::current(&mut *tx, agent_id).await?.flatten();
        tx.commit().await?;
        policy_id
    };
    match policy_id {
        Some(policy_id) => app.pushes.get(app, policy_id).await,
        None => Ok(PolicyPush::default()),
    }
}

/// Effective policies as agents get them, by digest: thousands ask for the same few at the same moment.
#[derive(Debug, Default)]
pub struct Pushes(Mutex<HashMap<String, PolicyPush>>);

impl Pushes {
    async fn get(&self, app: &App, policy_id: String) -> Result<PolicyPush, DbError> {
        if let Some(push) = self.lock().get(&policy_id) {
            return Ok(push.clone());
        }
        let layers = effective_policies::layers(&app.pool, &policy_id).await?.into_iter().map(|layer| PolicyLayer {
            version: layer.version.unsigned_abs(),
            name: layer.name,
            agent_type: layer.agent_type.unwrap_or_default(),
            yaml: layer.yaml,
        });
        let push = PolicyPush { policy_id: policy_id.clone(), layers: layers.collect() };
        let mut ready = self.lock();
        if ready.len() >= PUSHES_MAX {
            ready.clear();
        }
        ready.insert(policy_id, push.clone());
        Ok(push)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, PolicyPush>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Decides and records the effective policies of all agents, or of one, and gives the agents for which it is another than
/// before. The caller holds the lock.
///
/// # Errors
/// When the database failed; the transaction is lost.
pub async fn settle(conn: &mut PgConnection, agent_id: Option<Uuid>) -> Result<Vec<Uuid>, DbError> {
    let overlays = effective_policies::overlays(&mut *conn).await?;
    let bases = effective_policies::bases(&mut *conn, agent_id).await?;
    let mut hasher = Sha256::new();
    for layer in &overlays {
        add(&mut hasher, layer);
    }
    let mut made = Made::default();
    let without_base = (!overlays.is_empty()).then(|| made.add(hasher.clone(), &overlays, None));
    let mut for_all = without_base;
    let mut versions = Vec::with_capacity(bases.len());
    let mut policy_ids = Vec::with_capacity(bases.len());
    for base in bases {
        let is_for_all = base.for_all;
        let base = LayerRow { version: base.version, name: base.name, agent_type: None, yaml: base.yaml };
        let policy_id = made.add(hasher.clone(), &overlays, Some(&base));
        if is_for_all {
            for_all = Some(policy_id.clone());
        }
        versions.push(base.version);
        policy_ids.push(policy_id);
    }
    effective_policies::insert(&mut *conn, &made.policy_ids, &made.layers).await?;
    effective_policies::settle(conn, agent_id, &versions, &policy_ids, for_all.as_deref()).await
}

/// Effective policies to be stored.
#[derive(Default)]
struct Made {
    policy_ids: Vec<String>,
    layers: Vec<serde_json::Value>,
}

impl Made {
    /// `hasher` has seen the overlays.
    fn add(&mut self, mut hasher: Sha256, overlays: &[LayerRow], base: Option<&LayerRow>) -> String {
        if let Some(base) = base {
            add(&mut hasher, base);
        }
        let policy_id = digest(hasher);
        let layers = overlays
            .iter()
            .chain(base)
            .map(|layer| json!({ "version": layer.version, "name": layer.name, "agent_type": layer.agent_type }));
        self.layers.push(layers.collect());
        self.policy_ids.push(policy_id.clone());
        policy_id
    }
}

fn add(hasher: &mut Sha256, layer: &LayerRow) {
    let agent_type = layer.agent_type.as_deref().unwrap_or_default();
    hasher.update(format!("{}\n{agent_type}\n{}\n", layer.version, layer.yaml.len()));
    hasher.update(&layer.yaml);
}

fn digest(hasher: Sha256) -> String {
    hex::encode(&hasher.finalize()[..16])
}

/// `PolicyPush.policy_id` of these layers.
pub fn policy_id(layers: &[LayerRow]) -> String {
    let mut hasher = Sha256::new();
    for layer in layers {
        add(&mut hasher, layer);
    }
    digest(hasher)
}

#[cfg(test)]
mod tests {
    use super::policy_id;
    use crate::db::effective_policies::LayerRow;

    fn layer(version: i32, agent_type: Option<&str>, yaml: &str) -> LayerRow {
        LayerRow { version, name: "n".into(), agent_type: agent_type.map(str::to_owned), yaml: yaml.into() }
    }

    #[test]
    fn the_digest_is_the_one_that_agents_compute() {
        // printf '3\ncursor\n2\nä1\n\n1\nb' | sha256sum
        let layers = [layer(3, Some("cursor"), "ä"), layer(1, None, "b")];
        assert_eq!(policy_id(&layers), "cedebc2630358f24637c92ea58e140fb");
    }

    #[test]
    fn every_part_of_a_layer_counts() {
        let plain = policy_id(&[layer(1, None, "a")]);
        assert_ne!(plain, policy_id(&[layer(2, None, "a")]));
        assert_ne!(plain, policy_id(&[layer(1, Some("cursor"), "a")]));
        assert_ne!(plain, policy_id(&[layer(1, None, "b")]));
        assert_eq!(plain, policy_id(&[LayerRow { name: "other".into(), ..layer(1, None, "a") }]));
    }
}
