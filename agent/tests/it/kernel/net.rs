//! Connections: judged in the kernel, refused with EPERM.

use super::ground::{connects, ground};
use tyr_agent::kernel::NetTables;
use tyr_policy::{Effective, Layer, Policy, Verdict};

/// An effective policy of one layer.
fn policy(rules: &str) -> Effective {
    let yaml = format!("apiVersion: tyr.dev/v1\nkind: Policy\nmetadata:\n  name: test\nspec:\n  rules:\n{rules}");
    let policy = Policy::parse(&yaml).unwrap_or_else(|e| panic!("{e:?}")).policy;
    Effective::new(vec![Layer { version: 1, agent_type: None, policy }])
}

#[tokio::test(flavor = "multi_thread")]
async fn denies_with_eperm_and_allows_the_rest() {
    let mut ground = ground!();
    let rules =
        policy("  - name: no-test-net\n    action: net_connect\n    verdict: deny\n    cidr_deny: [127.9.9.0/24]\n");
    let generation = ground.kernel.publish(&NetTables::lower(&rules).expect("fits")).expect("published");
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
