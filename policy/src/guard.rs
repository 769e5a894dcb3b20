//! What holds for AI processes of a type that is not registered: nobody approved it, and no overlay is assigned to it.
//!
//! A guard is never weaker than the policy: rules of the base that deny hold for these processes as for all, first. What they leave
//! is judged by the guard alone; what the base allows or alerts says nothing, nor do overlays, of which such a type has none. An
//! action that the base denies by default is another matter: there the base is a list of what is allowed, and in a quarantine it
//! holds as it is, as two such lists can't both be walked at once.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use sha2::{Digest, Sha256};

use crate::eval::Layer;
use crate::policy::Policy;
use crate::words::{Action, Unregistered, Verdict};

/// Text of the policy of a quarantine: the strict starter policy, to the byte.
pub const QUARANTINE: &str = include_str!("../../examples/policies/strict-policy.yaml");
/// Denies all that is judged.
const NOTHING: &str =
    "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: tyr-unregistered}\nspec: {default: deny, rules: []}\n";

/// For whom something else than the policy holds, and what.
#[derive(Clone, Debug)]
pub struct Guard {
    what: Unregistered,
    registered: BTreeSet<String>,
    pub(crate) layer: Arc<Layer>,
    /// Actions on which the policy's base holds as it is.
    yields: [bool; Action::ALL.len()],
}

impl Guard {
    /// For all types but these; `None` for [`Unregistered::Audit`].
    pub fn new(what: Unregistered, registered: BTreeSet<String>) -> Option<Self> {
        static LAYERS: LazyLock<[Arc<Layer>; 2]> = LazyLock::new(|| {
            [QUARANTINE, NOTHING].map(|yaml| {
                let policy = Policy::parse(yaml).expect("a test reads both").policy;
                Arc::new(Layer { version: 0, agent_type: None, policy })
            })
        });
        let layer = match what {
            Unregistered::Audit => return None,
            Unregistered::Quarantine => &LAYERS[0],
            Unregistered::Deny => &LAYERS[1],
        };
        Some(Self { what, registered, layer: Arc::clone(layer), yields: [false; Action::ALL.len()] })
    }

    /// What is done.
    pub fn what(&self) -> Unregistered {
        self.what
    }

    /// Types that are registered.
    pub fn registered(&self) -> &BTreeSet<String> {
        &self.registered
    }

    /// Does it hold for processes of this type? For one of no type it does.
    pub fn holds_for(&self, agent_type: Option<&str>) -> bool {
        agent_type.is_none_or(|agent_type| !self.registered.contains(agent_type))
    }

    /// The same in front of these layers.
    pub(crate) fn before(mut self, layers: &[Layer]) -> Self {
        for action in Action::ALL {
            let mut base = layers.iter().filter(|layer| layer.agent_type.is_none());
            let default = base.find_map(|layer| layer.policy.defaults.get(*action));
            self.yields[action.index()] = self.what == Unregistered::Quarantine && default == Some(Verdict::Deny);
        }
        self
    }

    /// Does the policy's base hold as it is for this action?
    pub(crate) fn yields(&self, action: Action) -> bool {
        self.yields[action.index()]
    }

    /// The word, `-`, and lower-case hex of the first 16 bytes of SHA-256 over the registered types, each with a line feed behind it.
    pub fn id(&self) -> String {
        let mut digest = Sha256::new();
        for agent_type in &self.registered {
            digest.update(agent_type);
            digest.update(b"\n");
        }
        format!("{}-{}", self.what, hex::encode(&digest.finalize()[..16]))
    }
}

#[cfg(test)]
mod tests;
