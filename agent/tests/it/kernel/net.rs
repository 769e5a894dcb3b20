//! Connections: judged in the kernel, refused with EPERM.

use std::net::{SocketAddr, TcpListener};

use super::ground::{Ground, connects, ground};
use tyr_policy::{Effective, Image, Layer, Policy, Verdict};

/// A layer of an effective policy; `None`: the base.
fn layer(agent_type: Option<&str>, rules: &str) -> Layer {
    let yaml = format!("apiVersion: tyr.dev/v1\nkind: Policy\nmetadata:\n  name: test\nspec:\n  rules:\n{rules}");
    let policy = Policy::parse(&yaml).unwrap_or_else(|e| panic!("{e:?}")).policy;
    Layer { version: 1, agent_type: agent_type.map(str::to_owned), policy }
}

/// The tables of an effective policy of these layers.
fn tables(layers: Vec<Layer>) -> Image {
    Image::new(&Effective::new(layers)).expect("fits")
}

#[tokio::test(flavor = "multi_thread")]
async fn denies_with_eperm_and_allows_the_rest() {
    let mut ground = ground!();
    let rules = layer(None, "  - {name: no-test-net, action: net_connect, verdict: deny, cidr_deny: [127.9.9.0/24]}\n");
    let generation = ground.kernel.publish(&tables(vec![rules])).expect("published");
    let script = "
import socket, errno
def tcp(addr, family=socket.AF_INET):
    s = socket.socket(family, socket.SOCK_STREAM)
    return s.connect_ex((addr, 9))
def udp(addr, family=socket.AF_INET):
    s = socket.socket(family, socket.SOCK_DGRAM)
    try:
        s.sendto(b'x', (addr, 9))
        return 0
    except OSError as e:
        return e.errno
assert tcp('127.9.9.1') == errno.EPERM
assert tcp('127.0.0.1') == errno.ECONNREFUSED
assert tcp('::ffff:127.9.9.2', socket.AF_INET6) == errno.EPERM
assert udp('127.9.9.3') == errno.EPERM
assert udp('127.0.0.1') == 0
assert udp('::ffff:127.9.9.4', socket.AF_INET6) == errno.EPERM
assert tcp('::1', socket.AF_INET6) == errno.ECONNREFUSED
";
    let waiting = ground.start("/usr/bin/python3", &["-c", script]);
    let tree = ground.kernel.mark(waiting.pid(), "test-agent").expect("marked");
    assert!(waiting.go().wait().expect("ends").success(), "each connection has the errno that it should have");
    let events = ground.until_end(tree).await;
    let got: Vec<_> = connects(&events).iter().map(|c| (c.addr.to_string(), c.verdict, c.rule)).collect();
    let denied = |addr: &str| (addr.to_owned(), Verdict::Deny, Some(0));
    let allowed = |addr: &str| (addr.to_owned(), Verdict::Allow, None);
    assert_eq!(
        got,
        [
            denied("127.9.9.1"),
            allowed("127.0.0.1"),
            denied("127.9.9.2"),
            denied("127.9.9.3"),
            allowed("127.0.0.1"),
            denied("127.9.9.4"),
            allowed("::1"),
        ]
    );
    assert!(connects(&events).iter().all(|c| c.generation == generation));
}

/// A copy of bash connects once, as a tree of this agent type: whether it got through, the verdict and the rule.
async fn connect(ground: &mut Ground, bash: &str, agent_type: &str, to: SocketAddr) -> (bool, Verdict, Option<u16>) {
    let script = format!("exec 2> /dev/null 3<> /dev/tcp/{}/{}", to.ip(), to.port());
    let waiting = ground.start(bash, &["-c", &script]);
    let tree = ground.kernel.mark(waiting.pid(), agent_type).expect("marked");
    let through = waiting.go().wait().expect("ends").success();
    let events = ground.until_end(tree).await;
    let connects = connects(&events);
    let [connect] = connects[..] else { panic!("one connection: {events:#?}") };
    assert_eq!((connect.addr, connect.port), (to.ip(), to.port()));
    (through, connect.verdict, connect.rule)
}

#[tokio::test(flavor = "multi_thread")]
async fn binaries_tell_copies_of_one_program_apart() {
    let mut ground = ground!();
    let folder = ground.folder.path().canonicalize().expect("it exists");
    let copy = |name: &str| {
        let path = folder.join(name);
        std::fs::create_dir(path.parent().expect("within the folder")).expect("writable");
        std::fs::copy("/bin/bash", &path).expect("writable");
        path.display().to_string()
    };
    let (refused, allowed) = (copy("refused/bash"), copy("allowed/bash"));
    let listener = TcpListener::bind("127.9.9.1:0").expect("a port is free");
    let to = listener.local_addr().expect("bound");
    let rules = layer(
        None,
        &format!(
            "  - {{name: named, action: net_connect, verdict: alert, binaries: [{allowed}]}}\n\
             \x20 - {{name: rest, action: net_connect, verdict: deny, binaries: [\"**/bash\"], cidr_deny: [127.9.9.0/24]}}\n"
        ),
    );
    ground.kernel.publish(&tables(vec![rules])).expect("published");
    assert_eq!(connect(&mut ground, &refused, "test-agent", to).await, (false, Verdict::Deny, Some(1)));
    assert_eq!(connect(&mut ground, &allowed, "test-agent", to).await, (true, Verdict::Alert, Some(0)));

    // The same two, the other way round.
    let swapped =
        layer(None, &format!("  - {{name: named, action: net_connect, verdict: deny, binaries: [{allowed}]}}\n"));
    ground.kernel.publish(&tables(vec![swapped])).expect("published");
    assert_eq!(connect(&mut ground, &refused, "test-agent", to).await, (true, Verdict::Allow, None));
    assert_eq!(connect(&mut ground, &allowed, "test-agent", to).await, (false, Verdict::Deny, Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn agent_types_have_rules_of_their_own() {
    let mut ground = ground!();
    let listener = TcpListener::bind("127.9.9.1:0").expect("a port is free");
    let to = listener.local_addr().expect("bound");
    let overlay = layer(Some("third"), "  - {name: own, action: net_connect, verdict: allow}\n");
    let base = layer(
        None,
        "  - {name: no, action: net_connect, verdict: deny, agent_types: [first, third]}\n\
         \x20 - {name: tell, action: net_connect, verdict: alert, agent_types: [second]}\n",
    );
    // Known before the rules are, so that its number is not the one that the rules' types begin with.
    assert_eq!(connect(&mut ground, "/bin/bash", "unnamed", to).await, (true, Verdict::Allow, None));
    ground.kernel.publish(&tables(vec![overlay, base])).expect("published");
    for (agent_type, expected) in [
        ("first", (false, Verdict::Deny, Some(1))),
        ("second", (true, Verdict::Alert, Some(2))),
        ("third", (true, Verdict::Allow, Some(0))),
        ("unnamed", (true, Verdict::Allow, None)),
        ("never-heard-of", (true, Verdict::Allow, None)),
    ] {
        assert_eq!(connect(&mut ground, "/bin/bash", agent_type, to).await, expected, "{agent_type}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_in_force_are_read_back() {
    let ground = ground!();
    assert_eq!(ground.kernel.tables().expect("readable"), None);
    let rules = |verdict: &str| {
        layer(None, &format!("  - {{name: r, action: file_read, verdict: {verdict}, resource_pattern: '/x/**'}}\n"))
    };
    let mut digests = Vec::new();
    for verdict in ["deny", "alert"] {
        ground.kernel.publish(&tables(vec![rules(verdict)])).expect("published");
        let tables = ground.kernel.tables().expect("readable").expect("there are some");
        assert!(tables.intact, "{tables:?}");
        digests.push(tables.digest);
    }
    assert_ne!(digests[0], digests[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_files_are_not_enforced_a_tried_denial_is_none() {
    let ground = ground!();
    if ground.kernel.posture().0 == tyr_agent::kernel::Posture::Enforcing {
        return;
    }
    assert!(matches!(ground.kernel.try_denial(), Err(tyr_agent::kernel::CanaryError::Opened)));
}

/// Connects to the test net twice; between them it says so, and waits.
const TWICE: &str = "
import socket, os, sys, time
folder = sys.argv[1]
def connect():
    return socket.socket().connect_ex(('127.9.9.1', 9))
first = connect()
open(folder + '/first', 'w').close()
while not os.path.exists(folder + '/held'):
    time.sleep(0.01)
child = os.fork()
if child == 0:
    os._exit(connect())
of_child = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(first, connect(), of_child, socket.socket().connect_ex(('127.0.0.1', 9)), flush=True)
";

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_a_process_is_held_to_denies_from_then_on() {
    let mut ground = ground!();
    let rules = layer(
        None,
        "  - {name: first, action: net_connect, verdict: deny, cidr_deny: [192.0.2.1], condition: 'context.uid == 0'}\n\
         \x20 - {name: held, action: net_connect, verdict: deny, cidr_deny: [127.9.9.0/24], condition: 'context.uid == 0'}\n",
    );
    let effective = Effective::new(vec![rules]);
    ground.kernel.publish(&Image::new(&effective).expect("fits")).expect("published");
    let held = effective.rule(1).expect("the second rule").identity();
    let folder = ground.folder.path().display().to_string();
    let waiting = ground.start("/usr/bin/python3", &["-c", TWICE, &folder]);
    let pid = waiting.pid();
    let tree = ground.kernel.mark(pid, "test-agent").expect("marked");
    let child = waiting.go();
    tyr_e2e::wait_for("the first connection", std::time::Duration::from_secs(30), || {
        ground.folder.path().join("first").exists().then_some(())
    });
    let hold = |pid, tree, rule| ground.kernel.hold(pid, tree, rule).expect("held");
    assert_eq!(hold(pid, tyr_agent::decode::TreeId(1), held), 0, "another tree's");
    assert_eq!(hold(pid, tree, 1), 0, "no rule of this policy");
    assert_eq!(hold(pid, tree, held), 1);
    assert_eq!(hold(pid, tree, held), 0, "held already");
    // The same rules but for one that is gone: another bit now.
    let mut rest = effective.layers().to_vec();
    rest[0].policy.rules.remove(0);
    ground.kernel.publish(&Image::new(&Effective::new(rest)).expect("fits")).expect("published");
    std::fs::write(ground.folder.path().join("held"), "").expect("writable");
    let output = child.wait_with_output().expect("ends");
    let (refused, denied) = (libc::ECONNREFUSED, libc::EPERM);
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{refused} {denied} {denied} {refused}\n"));
    let events = ground.until_end(tree).await;
    let said: Vec<_> = connects(&events).iter().map(|c| (c.verdict, c.rule)).collect();
    let (allowed, denied) = ((Verdict::Allow, None), (Verdict::Deny, Some(0)));
    assert_eq!(said, [allowed, denied, denied, allowed]);
}
