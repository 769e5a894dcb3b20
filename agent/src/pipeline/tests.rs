use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tyr_policy::{Action, Image, Protocol, Unregistered, Verdict};
use tyr_proto::v1::record::Record as Payload;
use tyr_proto::v1::{self, Event, PolicyLayer, PolicyPush};

use super::Pipeline;
use crate::config::AllowEvents;
use crate::data_dir::DataDir;
use crate::decode::{
    Caller, Connect, EnforcedBy, FoundBy, Judged, KernelEvent, Open, Operation, PathFlags, Process, Program, Run,
    Socket, TreeId, What,
};
use crate::kernel::KernelError;
use crate::policies::{Enforcer, Policies, policy_id};
use crate::spool::Spool;

const YAML: &str = "\
apiVersion: tyr.dev/v1
kind: Policy
metadata:
  name: p
spec:
  rules:
    - name: no-keys
      action: file_read
      resource_pattern: \"/home/*/.ssh/**\"
      verdict: deny
      severity: critical
    - name: watch-etc
      action: file_write
      resource_pattern: \"/etc/**\"
      verdict: alert
    - name: no-net
      action: net_connect
      cidr_deny: [\"192.0.2.0/24\"]
      verdict: deny
      severity: high
    - name: by-node
      action: exec
      resource_pattern: \"/usr/bin/*\"
      binaries: [\"/usr/bin/node\"]
      verdict: alert
    - name: root-reads
      action: file_read
      resource_pattern: \"/srv/**\"
      verdict: deny
      condition: context.uid == 1000
    - name: overflows
      action: net_connect
      cidr_deny: [\"198.51.100.0/24\"]
      verdict: alert
      condition: context.uid * 9223372036854775807 > 0
    - name: of-codex
      action: exec
      agent_types: [codex]
      verdict: alert
";

/// Counts generations, and remembers who was held to what.
#[derive(Default)]
struct NoKernel {
    generations: AtomicU32,
    held: Mutex<Vec<(u32, TreeId, u64)>>,
}

impl Enforcer for NoKernel {
    fn publish(&self, _: &Image) -> Result<u32, KernelError> {
        Ok(self.generations.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn refuse_types(&self, _: Option<&BTreeSet<String>>) -> Result<(), KernelError> {
        Ok(())
    }

    fn hold(&self, pid: u32, tree: TreeId, rule: u64) -> Result<usize, KernelError> {
        let (mut held, own) = (self.held.lock().unwrap(), (pid, tree, rule));
        let fresh = usize::from(!held.contains(&own));
        held.push(own);
        Ok(fresh)
    }
}

struct Host {
    pipeline: Pipeline,
    kernel: Arc<NoKernel>,
    spool: Arc<Spool>,
    policy_id: String,
    _dir: tempfile::TempDir,
}

impl Host {
    fn new(allow_events: AllowEvents) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = Arc::new(DataDir::open(dir.path()).unwrap());
        let kernel = Arc::new(NoKernel::default());
        let policies = Arc::new(Policies::new(data, kernel.clone(), Unregistered::Audit));
        let layer = PolicyLayer { version: 4, name: "p".into(), agent_type: String::new(), yaml: YAML.into() };
        let mut push = PolicyPush { policy_id: String::new(), layers: vec![layer] };
        push.policy_id = policy_id(&push);
        let status = policies.apply(&push);
        assert!(status.in_force, "{}", status.error);
        let spool = Arc::new(Spool::new(1 << 20));
        let pipeline = Pipeline::new(allow_events, policies, Arc::clone(&spool));
        Self { pipeline, kernel, spool, policy_id: push.policy_id, _dir: dir }
    }

    fn take(&mut self, what: What) {
        self.pipeline.take(&event(what));
    }

    async fn spooled(&self) -> Vec<Payload> {
        let mut all = Vec::new();
        while let Ok(batch) = timeout(Duration::from_secs(2), self.spool.next_batch()).await {
            all.extend(batch.records.into_iter().map(|record| record.record.unwrap()));
        }
        all
    }

    async fn events(&self) -> Vec<Event> {
        let event = |payload| match payload {
            Payload::Event(event) => Some(event),
            _ => None,
        };
        self.spooled().await.into_iter().filter_map(event).collect()
    }
}

fn event(what: What) -> KernelEvent {
    let program = Program {
        exe: b"/usr/bin/c\xffat".to_vec(),
        args: b"cat\0a b\0".to_vec(),
        filename: b"cat".to_vec(),
        ..Program::default()
    };
    let process = Process {
        pid: 7,
        tid: 7,
        ppid: 3,
        uid: 1000,
        tree: TreeId(9),
        agent_type: "claude-code".into(),
        program: Arc::new(program),
    };
    KernelEvent { boot_ns: boot_ns(), process, what, judged: None }
}

/// As the kernel's own verdict under the policy of the test.
fn judged(what: What, verdict: Verdict, rule: Option<u16>, operation: Operation) -> KernelEvent {
    let mut event = event(what);
    let action = match (&event.what, verdict) {
        (What::Run(_) | What::Exec(_), _) => Action::Exec,
        (What::Open(open), _) if open.write => Action::FileWrite,
        _ => Action::FileRead,
    };
    let by = Arc::clone(&event.process.program);
    let enforced_by = EnforcedBy::Kernel;
    let (failed, guarded) = (false, false);
    event.judged = Some(Judged { action, verdict, rule, generation: 1, operation, failed, guarded, enforced_by, by });
    event
}

fn boot_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    u64::try_from(now.tv_sec * 1_000_000_000 + now.tv_nsec).unwrap()
}

fn open(path: &str, read: bool, write: bool) -> What {
    What::Open(Open {
        path: path.as_bytes().to_vec(),
        view_at: 0,
        path_flags: PathFlags::default(),
        read,
        write,
        flags: 0,
        errno: 0,
        device: 1,
        inode: 1,
        count: 1,
        last_boot_ns: 0,
    })
}

fn started(found_by: FoundBy) -> What {
    What::TreeStarted { found_by, pattern: "/usr/bin/*".into() }
}

fn verdict(event: &Event) -> v1::Verdict {
    event.verdict.try_into().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_denied_read_is_an_alert_that_says_it_was_not_enforced() {
    let mut host = Host::new(AllowEvents::Merged);
    host.take(started(FoundBy::Fingerprint));
    host.take(open("/home/a/.ssh/id", true, false));
    let events = host.events().await;
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!(verdict(event), v1::Verdict::Alert);
    assert_eq!(event.severity, i32::from(v1::Severity::Critical));
    assert_eq!(event.policy_id, host.policy_id);
    assert_eq!((event.process_exe.as_str(), event.cmdline.as_str()), ("/usr/bin/c\\xffat", "cat a b"));
    let metadata: Vec<_> = event.metadata.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(
        metadata,
        [
            ("not_enforced", "true"),
            ("ppid", "3"),
            ("reason", "not enforced here"),
            ("rule", "no-keys"),
            ("rule_version", "4"),
            ("uid", "1000")
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_kernel_denied_is_a_denial_by_its_rule() {
    let mut host = Host::new(AllowEvents::Merged);
    host.pipeline.take(&judged(open("/home/a/.ssh/id", true, false), Verdict::Deny, Some(0), Operation::Open));
    host.pipeline.take(&judged(open("/etc/x", false, true), Verdict::Alert, Some(1), Operation::Unlink));
    let run = Run { path: b"/opt/x".to_vec(), path_flags: PathFlags::default() };
    host.pipeline.take(&judged(What::Run(run), Verdict::Allow, None, Operation::Exec));
    let counters = host.pipeline.flow().counters();
    let events = host.events().await;
    let [denied, changed, ran] = &events[..] else { panic!("{events:?}") };
    assert_eq!((denied.kind(), verdict(denied)), (v1::EventKind::FileRead, v1::Verdict::Deny));
    assert_eq!(denied.severity, i32::from(v1::Severity::Critical));
    assert_eq!((denied.metadata["rule"].as_str(), denied.metadata["rule_version"].as_str()), ("no-keys", "4"));
    assert!(!denied.metadata.contains_key("not_enforced") && !denied.metadata.contains_key("operation"));
    assert_eq!((changed.kind(), verdict(changed)), (v1::EventKind::FileWrite, v1::Verdict::Alert));
    assert_eq!(changed.metadata["operation"], "unlink");
    assert_eq!((ran.kind(), verdict(ran), ran.resource.as_str()), (v1::EventKind::Exec, v1::Verdict::Allow, "/opt/x"));
    assert_eq!(counters.disagreed, 0);
}

#[tokio::test(start_paused = true)]
async fn a_condition_that_holds_is_an_alert_and_a_denial_from_then_on() {
    let mut host = Host::new(AllowEvents::Merged);
    let policy = host.pipeline.policies.current();
    let rule = |index| policy.effective.rule(index).unwrap();
    host.pipeline.take(&judged(open("/srv/a", true, false), Verdict::Allow, None, Operation::Open));
    // On its way when the process was held to it.
    host.pipeline.take(&judged(open("/srv/b", true, false), Verdict::Allow, None, Operation::Open));
    host.pipeline.take(&judged(open("/srv/c", true, false), Verdict::Deny, Some(4), Operation::Open));
    let connect = |verdict, rule| {
        let addr = "198.51.100.7".parse().unwrap();
        let (port, protocol, generation, failed) = (443, Protocol::Tcp, 1, false);
        event(What::Connect(Connect { addr, port, protocol, verdict, rule, generation, failed }))
    };
    host.pipeline.take(&connect(Verdict::Allow, None));
    host.pipeline.take(&connect(Verdict::Deny, Some(5)));
    assert_eq!(host.pipeline.flow().counters().disagreed, 0);
    let own = |index| (7, TreeId(9), rule(index).identity());
    assert_eq!(*host.kernel.held.lock().unwrap(), [own(4), own(4), own(5)]);

    let said = |event: &Event| {
        let of = |key: &str| event.metadata.get(key).cloned().unwrap_or_default();
        (verdict(event), of("rule"), of("condition"), of("held_processes"))
    };
    let events: Vec<_> = host.events().await.iter().map(said).collect();
    let one = |verdict, rule: &str, condition: &str, held: &str| {
        (verdict, rule.to_owned(), condition.to_owned(), held.to_owned())
    };
    assert_eq!(
        events,
        [
            one(v1::Verdict::Alert, "root-reads", "held", "1"),
            one(v1::Verdict::Alert, "root-reads", "held", ""),
            one(v1::Verdict::Deny, "root-reads", "earlier", ""),
            one(v1::Verdict::Alert, "overflows", "failed", "1"),
            one(v1::Verdict::Deny, "overflows", "earlier", ""),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn where_files_are_only_observed_nobody_is_held_to_a_rule_over_them() {
    let mut host = Host::new(AllowEvents::Merged);
    host.take(open("/srv/a", true, false));
    assert_eq!(*host.kernel.held.lock().unwrap(), []);
    let events = host.events().await;
    assert_eq!((verdict(&events[0]), events[0].metadata["condition"].as_str()), (v1::Verdict::Alert, "held"));
    assert!(!events[0].metadata.contains_key("held_processes"));
}

#[tokio::test(start_paused = true)]
async fn a_verdict_that_the_evaluator_does_not_share_is_told() {
    let mut host = Host::new(AllowEvents::All);
    host.pipeline.take(&judged(open("/home/a/.ssh/id", true, false), Verdict::Allow, None, Operation::Open));
    let mut failed = judged(open("/tmp/x", true, false), Verdict::Deny, None, Operation::Open);
    if let Some(judged) = &mut failed.judged {
        judged.failed = true;
    }
    host.pipeline.take(&failed);
    assert_eq!(host.pipeline.flow().counters().disagreed, 1);
    let events = host.events().await;
    assert_eq!((verdict(&events[0]), events[0].metadata["evaluator"].as_str()), (v1::Verdict::Allow, "deny"));
    assert_eq!(
        (verdict(&events[1]), events[1].metadata["reason"].as_str()),
        (v1::Verdict::Deny, "could not be judged")
    );
    assert!(!events[1].metadata.contains_key("evaluator"));
}

#[tokio::test(start_paused = true)]
async fn of_an_open_for_both_the_stricter_half_is_reported() {
    let mut host = Host::new(AllowEvents::All);
    host.take(open("/home/a/.ssh/id", true, true));
    host.take(open("/etc/x", true, true));
    host.take(open("/tmp/x", true, true));
    let kinds: Vec<_> = host.events().await.iter().map(|event| (event.kind(), verdict(event))).collect();
    assert_eq!(
        kinds,
        [
            (v1::EventKind::FileRead, v1::Verdict::Alert),
            (v1::EventKind::FileWrite, v1::Verdict::Alert),
            (v1::EventKind::FileWrite, v1::Verdict::Allow),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_kernels_verdict_on_a_connection_is_explained_by_its_rule() {
    let mut host = Host::new(AllowEvents::All);
    let connect = |addr, verdict, rule| {
        What::Connect(Connect { addr, port: 443, protocol: Protocol::Tcp, verdict, rule, generation: 1, failed: false })
    };
    host.take(connect(IpAddr::from([192, 0, 2, 1]), Verdict::Deny, Some(2)));
    host.take(connect(Ipv6Addr::LOCALHOST.into(), Verdict::Allow, None));
    let events = host.events().await;
    assert_eq!((verdict(&events[0]), events[0].resource.as_str()), (v1::Verdict::Deny, "192.0.2.1:443"));
    assert_eq!(events[0].metadata["rule"], "no-net");
    assert_eq!(events[0].metadata["protocol"], "tcp");
    assert_eq!(events[0].severity, i32::from(v1::Severity::High));
    assert_eq!((verdict(&events[1]), events[1].resource.as_str()), (v1::Verdict::Allow, "[::1]:443"));
    assert!(!events[1].metadata.contains_key("rule"));
}

#[tokio::test(start_paused = true)]
async fn a_socket_without_an_address_is_told_by_what_it_is() {
    let mut host = Host::new(AllowEvents::All);
    let (family, kind) = (u8::try_from(libc::AF_PACKET).unwrap(), u8::try_from(libc::SOCK_RAW).unwrap());
    let socket = |rule, failed| {
        What::Socket(Socket { family, kind, protocol: 768, verdict: Verdict::Deny, rule, generation: 1, failed })
    };
    host.take(socket(Some(2), false));
    host.take(socket(None, true));
    let events = host.events().await;
    assert_eq!((events[0].kind(), verdict(&events[0])), (v1::EventKind::NetConnect, v1::Verdict::Deny));
    assert_eq!((events[0].resource.as_str(), events[0].metadata["rule"].as_str()), ("socket:packet/raw/768", "no-net"));
    assert_eq!(events[1].metadata["reason"], "could not be judged");
}

#[tokio::test(start_paused = true)]
async fn what_would_make_the_policy_void_is_told_with_a_reason_of_its_own() {
    let mut host = Host::new(AllowEvents::All);
    for (path, operation) in [("/usr/sbin/sshd", Operation::Attach), ("", Operation::Bpf)] {
        let what = What::Run(Run { path: path.into(), path_flags: PathFlags::default() });
        let mut event = judged(what, Verdict::Deny, None, operation);
        event.judged.as_mut().unwrap().guarded = true;
        host.pipeline.take(&event);
    }
    assert_eq!(host.pipeline.flow().counters().disagreed, 0);
    let events = host.events().await;
    for (event, resource, operation) in [(&events[0], "/usr/sbin/sshd", "attach"), (&events[1], "bpf(2)", "bpf")] {
        assert_eq!((event.kind(), verdict(event)), (v1::EventKind::Exec, v1::Verdict::Deny));
        assert_eq!((event.resource.as_str(), event.metadata["operation"].as_str()), (resource, operation));
        let metadata = &event.metadata;
        assert_eq!((&*metadata["guarded"], &*metadata["reason"]), ("true", "would make the policy void"));
        assert!(!metadata.contains_key("rule"), "no rule says so");
        assert_eq!(event.severity, i32::from(v1::Severity::High));
    }
}

#[tokio::test(start_paused = true)]
async fn a_tree_is_announced_before_its_events_and_when_it_ends() {
    let mut host = Host::new(AllowEvents::All);
    host.take(started(FoundBy::Fingerprint));
    let trees = host.pipeline.trees();
    assert_eq!(trees.borrow().len(), 1);
    host.take(What::Exec(None));
    host.take(What::TreeEnded);
    let spooled = host.spooled().await;
    let [Payload::DiscoveredAgent(began), Payload::Event(event), Payload::DiscoveredAgent(ended)] = &spooled[..] else {
        panic!("{spooled:?}")
    };
    assert_eq!(event.discovered_agent_id.as_deref(), Some(began.discovered_agent_id.as_str()));
    assert_eq!((began.found_by.as_str(), began.ended_ns), ("fingerprint", None));
    assert!(ended.ended_ns.unwrap() >= began.first_seen_ns);
    assert_eq!(ended.discovered_agent_id, began.discovered_agent_id);
    assert!(trees.borrow().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_tyrd_run_starts_is_announced_as_the_command() {
    let mut host = Host::new(AllowEvents::All);
    let mut start = event(started(FoundBy::Run));
    start.process.program = Arc::new(Program { exe: b"/usr/bin/tyrd".to_vec(), ..Program::default() });
    host.pipeline.take(&start);
    host.take(What::Exec(None));
    let spooled = host.spooled().await;
    let [Payload::DiscoveredAgent(began), Payload::Event(_)] = &spooled[..] else { panic!("{spooled:?}") };
    assert_eq!((began.process_exe.as_str(), began.found_by.as_str()), ("/usr/bin/c\\xffat", "run"));
}

#[tokio::test(start_paused = true)]
async fn binaries_are_about_the_program_that_starts_another() {
    let mut host = Host::new(AllowEvents::All);
    let program =
        |exe: &[u8], exe_truncated| Arc::new(Program { exe: exe.to_vec(), exe_truncated, ..Program::default() });
    let agent_type: Arc<str> = "claude-code".into();
    for caller in [
        Some(program(b"/usr/bin/node", false)),
        Some(program(b"/usr/bin/bash", false)),
        Some(program(b"/usr/bin/node", true)),
        None,
    ] {
        host.take(What::Exec(caller.map(|program| Caller { program, agent_type: Arc::clone(&agent_type) })));
    }
    let events = host.events().await;
    let said = |event: &Event| {
        let of = |key: &str| event.metadata.get(key).cloned();
        (verdict(event), of("rule"), of("caller").expect("of each"))
    };
    let said: Vec<_> = events.iter().map(said).collect();
    let allowed = |caller: &str| (v1::Verdict::Allow, None, caller.to_owned());
    let alert = (v1::Verdict::Alert, Some("by-node".to_owned()), "/usr/bin/node".to_owned());
    assert_eq!(said, [alert, allowed("/usr/bin/bash"), allowed("unknown"), allowed("unknown")]);
    assert!(events.iter().all(|event| event.process_exe == "/usr/bin/c\\xffat"), "the program that was started");
}

/// The kernel judges before the new program takes the place of the one that starts it.
#[tokio::test(start_paused = true)]
async fn a_tool_that_another_one_starts_is_judged_by_the_rules_of_that_one() {
    let mut host = Host::new(AllowEvents::All);
    for agent_type in ["codex", "claude-code"] {
        let caller = Caller { program: Arc::default(), agent_type: agent_type.into() };
        let rule = (agent_type == "codex").then_some(6);
        let verdict = if rule.is_some() { Verdict::Alert } else { Verdict::Allow };
        host.pipeline.take(&judged(What::Exec(Some(caller)), verdict, rule, Operation::Exec));
    }
    assert_eq!(host.pipeline.flow().counters().disagreed, 0);
    let events = host.events().await;
    let said = |event: &Event| ["rule", "caller_type"].map(|key| event.metadata.get(key).cloned().unwrap_or_default());
    let said: Vec<_> = events.iter().map(said).collect();
    assert_eq!(said, [["of-codex", "codex"].map(str::to_owned), [String::new(), String::new()]]);
}

#[tokio::test(start_paused = true)]
async fn an_event_of_a_tree_whose_beginning_was_lost_announces_it() {
    let mut host = Host::new(AllowEvents::All);
    host.take(What::Exec(None));
    host.take(What::Exec(None));
    let spooled = host.spooled().await;
    assert!(matches!(spooled[..], [Payload::DiscoveredAgent(_), Payload::Event(_), Payload::Event(_)]), "{spooled:?}");
}

#[tokio::test(start_paused = true)]
async fn repeats_of_an_allowed_action_are_one_event_alerts_and_programs_are_each_reported() {
    let mut host = Host::new(AllowEvents::Merged);
    for _ in 0..5 {
        host.take(open("/tmp/x", true, false));
        host.take(open("/etc/x", false, true));
        host.take(What::Exec(None));
    }
    tokio::time::advance(super::merge::WINDOW).await;
    for event in host.pipeline.merge.expired(Instant::now()) {
        host.pipeline.put(event);
    }
    let events = host.events().await;
    let allowed: Vec<_> = events.iter().filter(|event| event.resource == "/tmp/x").collect();
    assert_eq!(events.len() - allowed.len(), 10, "alerts and programs");
    let [first, repeats] = allowed[..] else { panic!("{allowed:?}") };
    assert!(!first.metadata.contains_key("count"));
    assert_eq!(repeats.metadata["count"], "4");
    assert!(repeats.metadata["first_ts"] <= repeats.metadata["last_ts"]);
    let flow = host.pipeline.flow().counters();
    assert_eq!((flow.taken, flow.spooled, flow.merged), (15, 12, 4));
}

#[tokio::test(start_paused = true)]
async fn allow_events_none_leaves_out_what_is_allowed_and_nothing_else() {
    let mut host = Host::new(AllowEvents::None);
    host.take(open("/tmp/x", true, false));
    host.take(open("/etc/x", false, true));
    let events = host.events().await;
    assert_eq!(events.len(), 1);
    assert_eq!(verdict(&events[0]), v1::Verdict::Alert);
    assert_eq!(host.pipeline.flow().counters().unreported, 1);
}

#[tokio::test(start_paused = true)]
async fn a_truncated_path_says_so() {
    let mut host = Host::new(AllowEvents::All);
    let What::Open(mut open) = open("/x", true, false) else { unreachable!() };
    open.path_flags.truncated = true;
    open.path_flags.deleted = true;
    open.errno = u16::try_from(io::Error::from_raw_os_error(13).raw_os_error().unwrap()).unwrap();
    host.take(What::Open(open));
    let events = host.events().await;
    assert_eq!(events[0].metadata["flags"], "deleted,truncated");
    assert_eq!(events[0].metadata["errno"], "13");
}

#[tokio::test(start_paused = true)]
async fn names_that_are_not_there_are_news_only_when_the_policy_minds() {
    for (allow_events, expected) in [(AllowEvents::Merged, 1), (AllowEvents::All, 2)] {
        let mut host = Host::new(allow_events);
        for (path, write) in [("/tmp/x", false), ("/etc/x", true)] {
            let What::Open(mut open) = open(path, !write, write) else { unreachable!() };
            open.errno = u16::try_from(libc::ENOENT).unwrap();
            host.take(What::Open(open));
        }
        let events = host.events().await;
        assert_eq!(events.len(), expected, "{allow_events:?}");
        assert_eq!(verdict(events.last().unwrap()), v1::Verdict::Alert);
        assert_eq!(host.pipeline.flow().counters().unreported, 2 - expected as u64);
    }
}
