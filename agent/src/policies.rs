//! The policy in force: taken from the server, checked, published to the kernel, and kept for the next start.
//!
//! A policy that can't be loaded changes nothing: the one before it stays in force, and the server hears why.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use prost::Message;
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tracing::{error, info, warn};
use tyr_policy::{Effective, Guard, Image, ImageError, Layer, Policy, RuleRef, Unregistered};
use tyr_proto::v1::{PolicyPush, PolicyStatus, RegisteredAgentTypes};

use crate::data_dir::DataDir;
use crate::decode::{Process, TreeId};
use crate::fault::chain;
use crate::kernel::{Kernel, KernelError};
use crate::memory;

/// File in the data folder: the last push that came into force.
const FILE: &str = "policy.pb";
/// Policies that events in flight may still refer to, the one in force included.
const GENERATIONS_MAX: usize = 16;
/// The same: the agent types that the server named last.
const REGISTERED_FILE: &str = "registered.pb";
/// Most layers in a push: one overlay per agent type, and a base.
const LAYERS_MAX: usize = 64;

/// What the policy needs of the kernel: the narrow place where tests put their own.
pub trait Enforcer: Send + Sync {
    /// Puts a policy in force, in one step; see [`Kernel::publish`].
    ///
    /// # Errors
    ///
    /// Why it can't be enforced; the policy before it then still is.
    fn publish(&self, image: &Image) -> Result<u32, KernelError>;

    /// Ends AI tools of all types but these at their start, `None`: of none; see [`Kernel::refuse_types`].
    ///
    /// # Errors
    ///
    /// Why the kernel can't be told.
    fn refuse_types(&self, registered: Option<&BTreeSet<String>>) -> Result<(), KernelError>;

    /// Holds a process to a rule whose condition held for it; see [`Kernel::hold`].
    ///
    /// # Errors
    ///
    /// Why it can't be held.
    fn hold(&self, pid: u32, tree: TreeId, rule: u64) -> Result<usize, KernelError>;
}

impl Enforcer for Kernel {
    fn publish(&self, image: &Image) -> Result<u32, KernelError> {
        Kernel::publish(self, image)
    }

    fn refuse_types(&self, registered: Option<&BTreeSet<String>>) -> Result<(), KernelError> {
        Kernel::refuse_types(self, registered)
    }

    fn hold(&self, pid: u32, tree: TreeId, rule: u64) -> Result<usize, KernelError> {
        Kernel::hold(self, pid, tree, rule)
    }
}

/// A policy that is, or was, in force.
#[derive(Debug, Default)]
pub struct InForce {
    /// Identity of the effective policy; empty for none.
    pub policy_id: String,
    /// The policy.
    pub effective: Effective,
    /// Number of the kernel's tables made from it; 0: none were published.
    pub generation: u32,
}

/// A push that can't come into force.
#[derive(Debug, thiserror::Error)]
enum PushError {
    /// The layers are not those that the id was made of.
    #[error("the policy is damaged: its layers have the id {computed}")]
    Damaged { computed: String },
    /// More layers than are taken.
    #[error("the policy has {0} layers, at most {LAYERS_MAX} are taken")]
    Layers(usize),
    /// A layer is no policy, for this version of the agent.
    #[error("version {version} (`{name}`) is not a policy that this agent understands")]
    Layer {
        version: u32,
        name: String,
        #[source]
        source: tyr_policy::PolicyError,
    },
    /// More rules than the kernel's tables hold.
    #[error("the rules can't be enforced by this agent")]
    Tables(#[from] ImageError),
    /// The kernel did not take the rules.
    #[error("the kernel does not take the rules")]
    Publish(#[source] KernelError),
}

/// Which policy holds, and how it changes.
pub struct Policies {
    data: Arc<DataDir>,
    enforcer: Arc<dyn Enforcer>,
    /// Newest last; never empty.
    generations: RwLock<VecDeque<Arc<InForce>>>,
    images: watch::Sender<Option<Arc<Lowered>>>,
    /// The newest one's number.
    newest: watch::Sender<u32>,
    /// What is done with AI processes of types that aren't registered.
    unregistered: Unregistered,
    /// Held by whoever makes the next generation.
    told: Mutex<Told>,
}

/// The tables of the policy in force, for who judges by them outside of the kernel.
#[derive(Debug)]
pub struct Lowered {
    /// The number of the kernel's.
    pub generation: u32,
    /// The same as the kernel's.
    pub image: Image,
}

/// What the server said last.
#[derive(Default)]
struct Told {
    /// The policy that came into force last.
    push: PolicyPush,
    registered: BTreeSet<String>,
}

impl Policies {
    /// No policy yet: everything is allowed, and observed.
    pub fn new(data: Arc<DataDir>, enforcer: Arc<dyn Enforcer>, unregistered: Unregistered) -> Self {
        let generations = RwLock::new(VecDeque::from([Arc::default()]));
        Self {
            data,
            enforcer,
            generations,
            images: watch::Sender::default(),
            newest: watch::Sender::new(0),
            unregistered,
            told: Mutex::default(),
        }
    }

    /// What is done with AI processes of types that aren't registered.
    pub fn unregistered(&self) -> Unregistered {
        self.unregistered
    }

    /// May tools of this type not run?
    pub fn refuses(&self, agent_type: &str) -> bool {
        self.unregistered == Unregistered::Deny && !self.told().registered.contains(agent_type)
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the agent types that are registered in place of those before, and keeps them for the next start. Takes milliseconds
    /// where something hangs on it.
    pub fn register(&self, types: &RegisteredAgentTypes) {
        let registered: BTreeSet<String> = types.agent_types.iter().cloned().collect();
        let mut told = self.told();
        if told.registered == registered {
            return;
        }
        info!(agent_types = registered.len(), "agent types are registered");
        if let Err(error) = self.data.write(REGISTERED_FILE, &types.encode_to_vec()) {
            warn!(reason = %error, "the registered agent types could not be kept for the next start");
        }
        let before = std::mem::replace(&mut told.registered, registered);
        if self.unregistered == Unregistered::Audit {
            return;
        }
        if let Err(error) = self.load(&told.push, &told.registered) {
            error!(reason = chain(&error), "the registered agent types can't be put in force, those before stay so");
            told.registered = before;
        }
        memory::give_back();
    }

    /// Holds a process to a rule from now on, as its condition held for it: it denies without being asked. Gives the number of processes
    /// that were not held to it before, descendants included.
    pub fn hold(&self, process: &Process, rule: &RuleRef<'_>) -> usize {
        let name = &rule.rule.name;
        match self.enforcer.hold(process.pid, process.tree, rule.identity()) {
            Ok(processes) => {
                if processes > 0 {
                    info!(rule = name, pid = process.pid, processes, "a condition held: the rule denies from now on");
                }
                processes
            }
            Err(error) => {
                error!(rule = name, pid = process.pid, reason = chain(&error), "a process can't be held to a rule");
                0
            }
        }
    }

    /// Are files and programs judged by somebody else than the kernel programs?
    pub fn judged_elsewhere(&self) -> bool {
        !self.images.is_closed()
    }

    /// Changes when another policy is in force.
    pub fn generations(&self) -> watch::Receiver<u32> {
        self.newest.subscribe()
    }

    /// The tables of each policy that comes into force from now on; `None` before the first.
    pub fn images(&self) -> watch::Receiver<Option<Arc<Lowered>>> {
        self.images.subscribe()
    }

    /// The policy in force.
    pub fn current(&self) -> Arc<InForce> {
        let generations = self.generations.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(generations.back().expect("never empty"))
    }

    /// The policy that the kernel's tables of this generation were made from, or the one in force when it is forgotten.
    pub fn of_generation(&self, generation: u32) -> Arc<InForce> {
        let generations = self.generations.read().unwrap_or_else(PoisonError::into_inner);
        let found = generations.iter().rev().find(|policy| policy.generation == generation);
        Arc::clone(found.or(generations.back()).expect("never empty"))
    }

    /// Puts the policy of the last run in force again, so that a host without its server isn't a host without rules.
    pub fn load_cached(&self) {
        if let Ok(Some(bytes)) = self.data.read(REGISTERED_FILE)
            && let Ok(types) = RegisteredAgentTypes::decode(&*bytes)
        {
            self.told().registered = types.agent_types.into_iter().collect();
        }
        // Not only with the first policy: nobody unregistered is to run freely on a host that never heard of its server.
        if self.unregistered != Unregistered::Audit {
            self.apply(&PolicyPush::default());
        }
        let push = match self.data.read(FILE) {
            Ok(Some(bytes)) => PolicyPush::decode(&*bytes).map_err(|error| error.to_string()),
            Ok(None) => return,
            Err(error) => Err(error.to_string()),
        };
        match push {
            Ok(push) => {
                self.apply(&push);
            }
            Err(reason) => warn!(file = FILE, reason, "the policy of the last run can't be read"),
        }
    }

    /// Puts a policy in force if it can be; says what became of it. Takes milliseconds: not for an async thread.
    pub fn apply(&self, push: &PolicyPush) -> PolicyStatus {
        let start = Instant::now();
        let mut status = PolicyStatus { policy_id: push.policy_id.clone(), in_force: true, ..PolicyStatus::default() };
        let mut told = self.told();
        let current = self.current();
        // The server pushes at each connect; publishing the same again would only forget older generations.
        if current.policy_id == push.policy_id
            && (current.generation != 0 || push.layers.is_empty() && self.unregistered == Unregistered::Audit)
        {
            info!(policy.id = %push.policy_id, "policy loaded, it was in force already");
            return status;
        }
        let loaded = self.load(push, &told.registered);
        memory::give_back();
        match loaded {
            Ok(()) => {
                told.push = push.clone();
                status.load_us = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
                info!(policy.id = %push.policy_id, policy.layers = push.layers.len(), load_us = status.load_us, "policy loaded");
                if let Err(error) = self.data.write(FILE, &push.encode_to_vec()) {
                    warn!(reason = %error, "the policy is in force, but could not be kept for the next start");
                }
            }
            Err(error) => {
                status.in_force = false;
                status.error = chain(&error);
                error!(policy.id = %push.policy_id, reason = status.error, "policy refused, the one before stays in force");
            }
        }
        status
    }

    fn load(&self, push: &PolicyPush, registered: &BTreeSet<String>) -> Result<(), PushError> {
        if push.layers.len() > LAYERS_MAX {
            return Err(PushError::Layers(push.layers.len()));
        }
        let computed = policy_id(push);
        if computed != push.policy_id {
            return Err(PushError::Damaged { computed });
        }
        let layer = |layer: &tyr_proto::v1::PolicyLayer| match Policy::parse(&layer.yaml) {
            Ok(checked) => Ok(Layer {
                version: layer.version,
                agent_type: (!layer.agent_type.is_empty()).then(|| layer.agent_type.clone()),
                policy: checked.policy,
            }),
            Err(source) => Err(PushError::Layer { version: layer.version, name: layer.name.clone(), source }),
        };
        let layers = push.layers.iter().map(layer).collect::<Result<_, _>>()?;
        let effective = Effective::guarded(layers, Guard::new(self.unregistered, registered.clone()));
        let image = Image::new(&effective)?;
        // Held while publishing: an event of the new generation is not looked up before the generation is known.
        let mut generations = self.generations.write().unwrap_or_else(PoisonError::into_inner);
        let generation = self.enforcer.publish(&image).map_err(PushError::Publish)?;
        if generations.len() == GENERATIONS_MAX {
            generations.pop_front();
        }
        generations.push_back(Arc::new(InForce { policy_id: push.policy_id.clone(), effective, generation }));
        drop(generations);
        // Some MiB that nobody needs where the kernel alone judges.
        if self.judged_elsewhere() {
            self.images.send_replace(Some(Arc::new(Lowered { generation, image })));
        }
        let refusing = (self.unregistered == Unregistered::Deny).then_some(registered);
        self.enforcer.refuse_types(refusing).map_err(PushError::Publish)?;
        self.newest.send_replace(generation);
        Ok(())
    }
}

/// The identity of an effective policy: lower-case hex of the first 16 bytes of SHA-256 over its layers. The layers of no
/// policy have the empty id.
pub fn policy_id(push: &PolicyPush) -> String {
    if push.layers.is_empty() {
        return String::new();
    }
    let mut digest = Sha256::new();
    for layer in &push.layers {
        digest.update(format!("{}\n{}\n{}\n{}", layer.version, layer.agent_type, layer.yaml.len(), layer.yaml));
    }
    hex::encode(&digest.finalize()[..16])
}

#[cfg(test)]
mod tests;
