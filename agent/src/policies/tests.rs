use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use tyr_policy::{Act, Action, Held, Image, Resource, Unregistered, Verdict};
use tyr_proto::v1::{PolicyLayer, PolicyPush, RegisteredAgentTypes};

use super::{Enforcer, Policies, policy_id};
use crate::data_dir::DataDir;
use crate::decode::TreeId;
use crate::kernel::KernelError;

/// Takes everything until it is full.
#[derive(Default)]
struct FakeKernel {
    generation: AtomicU32,
    full: AtomicBool,
    /// The types that may run; `None`: all.
    allowed: Mutex<Option<BTreeSet<String>>>,
    /// What the tables last published say of a read of /etc/x by a newcomer, and by claude-code.
    says: Mutex<Option<[Verdict; 2]>>,
}

impl Enforcer for FakeKernel {
    fn publish(&self, image: &Image) -> Result<u32, KernelError> {
        if self.full.load(Ordering::Relaxed) {
            return Err(KernelError::Map { map: "policies", source: io::Error::other("too many rules") });
        }
        let resource = Resource::Path { path: b"/etc/x", truncated: false };
        let act = |agent_type| Act {
            action: Action::FileWrite,
            resource,
            agent_type: Some(agent_type),
            binary: b"/bin/x",
            held: Held::NONE,
        };
        let says = |agent_type| image.judge(&act(agent_type)).expect("judged").verdict();
        *self.says.lock().unwrap() = Some([says("newcomer"), says("claude-code")]);
        Ok(self.generation.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn refuse_types(&self, registered: Option<&BTreeSet<String>>) -> Result<(), KernelError> {
        *self.allowed.lock().unwrap() = registered.cloned();
        Ok(())
    }

    fn hold(&self, _: u32, _: TreeId, _: u64) -> Result<usize, KernelError> {
        Ok(0)
    }
}

fn push(rule: &str) -> PolicyPush {
    let yaml = format!(
        "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata:\n  name: p\nspec:\n  rules:\n    - name: {rule}\n      \
         action: net_connect\n      resource_pattern: 192.0.2.0/24\n      verdict: deny\n"
    );
    let layers = vec![PolicyLayer { version: 1, name: "p".to_owned(), agent_type: String::new(), yaml }];
    let mut push = PolicyPush { policy_id: String::new(), layers };
    push.policy_id = policy_id(&push);
    push
}

fn open(dir: &tempfile::TempDir) -> (Policies, Arc<FakeKernel>) {
    open_with(dir, Unregistered::Audit)
}

fn open_with(dir: &tempfile::TempDir, unregistered: Unregistered) -> (Policies, Arc<FakeKernel>) {
    let kernel = Arc::new(FakeKernel::default());
    let data = Arc::new(DataDir::open(dir.path()).unwrap());
    (Policies::new(data, Arc::clone(&kernel) as Arc<dyn Enforcer>, unregistered), kernel)
}

#[test]
fn id_is_the_agreed_digest() {
    let layers = vec![
        PolicyLayer { version: 7, name: "x".into(), agent_type: "cursor".into(), yaml: "ä".into() },
        PolicyLayer { version: 3, name: "y".into(), agent_type: String::new(), yaml: "b\n".into() },
    ];
    // printf '7\ncursor\n2\nä3\n\n2\nb\n' | sha256sum | cut -c1-32
    let push = PolicyPush { policy_id: String::new(), layers };
    assert_eq!(policy_id(&push), "3933ab774df713755cddf008dd7d0978");
    assert_eq!(policy_id(&PolicyPush::default()), "");
}

#[test]
fn a_policy_comes_into_force_and_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (policies, _) = open(&dir);
    let status = policies.apply(&push("one"));
    assert!(status.in_force, "{}", status.error);
    assert_eq!(policies.current().generation, 1);
    assert_eq!(policies.current().policy_id, push("one").policy_id);
    drop(policies);

    let (policies, kernel) = open(&dir);
    policies.load_cached();
    assert_eq!(policies.current().policy_id, push("one").policy_id);
    assert_eq!(kernel.generation.load(Ordering::Relaxed), 1);
    assert_eq!(policies.current().effective.rules().next().unwrap().rule.name, "one");
}

#[test]
fn a_policy_that_fails_leaves_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let (policies, kernel) = open(&dir);
    policies.apply(&push("one"));

    kernel.full.store(true, Ordering::Relaxed);
    let refused = policies.apply(&push("two"));
    assert_eq!((refused.in_force, refused.policy_id), (false, push("two").policy_id));
    assert!(refused.error.contains("too many rules"), "{}", refused.error);
    kernel.full.store(false, Ordering::Relaxed);

    let mut damaged = push("two");
    damaged.layers[0].yaml.push_str("# more\n");
    assert!(policies.apply(&damaged).error.contains("damaged"));

    let mut nonsense = push("two");
    nonsense.layers[0].yaml = "kind: Nothing".to_owned();
    nonsense.policy_id = policy_id(&nonsense);
    assert!(policies.apply(&nonsense).error.contains("version 1"));

    assert_eq!(policies.current().policy_id, push("one").policy_id);
    assert_eq!(kernel.generation.load(Ordering::Relaxed), 1);
}

#[test]
fn the_same_again_is_not_published_again() {
    let dir = tempfile::tempdir().unwrap();
    let (policies, kernel) = open(&dir);
    policies.apply(&push("one"));
    assert!(policies.apply(&push("one")).in_force);
    assert_eq!(kernel.generation.load(Ordering::Relaxed), 1);
}

#[test]
fn no_policy_lifts_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let (policies, kernel) = open(&dir);
    policies.apply(&push("one"));
    assert!(policies.apply(&PolicyPush::default()).in_force);
    assert_eq!(policies.current().policy_id, "");
    assert_eq!(kernel.generation.load(Ordering::Relaxed), 2, "the kernel was told");
    assert_eq!(policies.of_generation(1).policy_id, push("one").policy_id, "events in flight are still explained");
}

fn types(names: &[&str]) -> RegisteredAgentTypes {
    RegisteredAgentTypes { agent_types: names.iter().map(ToString::to_string).collect() }
}

#[test]
fn a_quarantine_holds_before_the_server_is_heard_and_ends_with_registration() {
    let dir = tempfile::tempdir().unwrap();
    let (policies, kernel) = open_with(&dir, Unregistered::Quarantine);
    let says = || kernel.says.lock().unwrap().expect("published");
    policies.load_cached();
    assert_eq!(says(), [Verdict::Deny, Verdict::Deny], "nobody is registered yet");
    policies.register(&types(&["claude-code"]));
    assert_eq!(says(), [Verdict::Deny, Verdict::Allow]);
    assert!(policies.apply(&push("one")).in_force);
    assert_eq!(says(), [Verdict::Deny, Verdict::Allow], "under a policy as well");
    let guard = policies.current().effective.guard().expect("one").id();
    let generation = policies.current().generation;
    policies.register(&types(&["claude-code"]));
    assert_eq!(policies.current().generation, generation, "nothing new");
    policies.register(&types(&["claude-code", "newcomer"]));
    assert_eq!(says(), [Verdict::Allow, Verdict::Allow]);
    assert_ne!(policies.current().effective.guard().expect("one").id(), guard);
    assert_eq!(policies.current().policy_id, push("one").policy_id, "of the same policy");
    policies.register(&types(&[]));
    assert_eq!(says(), [Verdict::Deny, Verdict::Deny], "taken back");
    assert_eq!(*kernel.allowed.lock().unwrap(), None, "nobody is ended");

    policies.register(&types(&["newcomer"]));
    drop(policies);
    let (policies, kernel) = open_with(&dir, Unregistered::Quarantine);
    policies.load_cached();
    assert_eq!(
        kernel.says.lock().unwrap().expect("published"),
        [Verdict::Allow, Verdict::Deny],
        "kept for the next start"
    );
}

#[test]
fn where_unregistered_types_are_denied_the_kernel_knows_who_may_run() {
    let dir = tempfile::tempdir().unwrap();
    let (policies, kernel) = open_with(&dir, Unregistered::Deny);
    policies.load_cached();
    assert_eq!(*kernel.allowed.lock().unwrap(), Some(BTreeSet::new()));
    assert!(policies.refuses("claude-code"));
    policies.register(&types(&["claude-code"]));
    assert_eq!(*kernel.allowed.lock().unwrap(), Some(["claude-code".to_owned()].into()));
    assert!(!policies.refuses("claude-code") && policies.refuses("newcomer"));
    assert_eq!(kernel.says.lock().unwrap().expect("published"), [Verdict::Deny, Verdict::Allow]);
    // What can't be put in force changes nothing.
    kernel.full.store(true, Ordering::Relaxed);
    policies.register(&types(&["claude-code", "newcomer"]));
    assert!(policies.refuses("newcomer"));
}

#[test]
fn an_audit_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (policies, kernel) = open(&dir);
    policies.load_cached();
    policies.register(&types(&["claude-code"]));
    assert_eq!((policies.current().generation, *kernel.says.lock().unwrap()), (0, None));
    assert!(!policies.refuses("newcomer"));
}
