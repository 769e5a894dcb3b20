//! Ways to an address that a rule denies: other calls, other forms of the address, other processes.

use super::{Attempt, Expected};

/// Denies the loopback addresses that the attempts reach for, and no other.
pub(crate) const POLICY: &str = "apiVersion: tyr.dev/v1
kind: Policy
metadata:
  name: bypass-network
spec:
  rules:
    - name: no-loopback
      action: net_connect
      cidr_deny: [127.0.0.1/32, '::1/128']
      verdict: deny
      severity: high
";

/// Where `tyr-attacker serve` has to answer.
pub(crate) fn served(port: u16) -> [String; 3] {
    [format!("127.0.0.1:{port}"), format!("127.0.0.8:{port}"), format!("[::1]:{port}")]
}

/// Classes that take one address, in the order in which they are tried.
const ONE_ADDRESS: [&str; 10] = [
    "tcp",
    "tcp_bound",
    "tcp_nonblocking",
    "tcp_fast_open",
    "tcp_fast_open_connect",
    "udp_connect",
    "udp_sendto",
    "udp_sendmsg",
    "udp_sendmmsg",
    "executed",
];
/// Classes that make sense with IPv4 alone.
const V4: [&str; 20] = [
    "tcp_mapped",
    "udp_mapped",
    "udp_v4_by_v6_socket",
    "udp_family_unspecified",
    "double_fork",
    "setsid",
    "thread",
    "executed_under_another_name",
    "comm",
    "user_namespace",
    "pid_namespace",
    "mount_namespace",
    "cgroup_namespace",
    "other_user",
    "mptcp",
    "sctp",
    "raw_udp",
    "uring_raw_udp",
    "raw_from_parent",
    "descriptor_from_parent",
];
/// Classes that also need an allowed address.
const TWO_ADDRESSES: [&str; 4] = ["tcp_again", "udp_again", "udp_connected_elsewhere", "raw_header"];
/// What needs a network made for it, as guests have: [`PREPARE_GUEST`].
const GUESTS: [&str; 7] = ["packet", "vsock", "dccp", "udplite", "udplite_connect", "ping", "ping_connect"];
/// By sockets whose peers no rule can name.
const ANY_ADDRESS: [&str; 5] = ["sctp", "raw_udp", "uring_raw_udp", "raw_from_parent", "raw_header"];
/// By io_uring.
const URING: [&str; 5] =
    ["uring_connect", "uring_connect_worker", "uring_connect_polled", "uring_sendmsg", "uring_sendmsg_polled"];

/// What judges connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    /// The programs on cgroups alone.
    Partial,
    /// The hooks of LSM too, in a guest.
    Enforcing,
}

fn expected(class: &str, on: On) -> Expected {
    match class {
        _ if on == On::Partial && ANY_ADDRESS.contains(&class) => {
            Expected::Passes("In *partial*: raw and packet sockets, SCTP")
        }
        "descriptor_from_parent" => Expected::Passes("Sockets that were connected before the tool was recognised"),
        _ => Expected::Denied,
    }
}

/// Makes a guest's network ready: pings without rights, and packets that come from the loopback device by hand.
pub(crate) const PREPARE_GUEST: &str = "echo '0 2147483647' >/proc/sys/net/ipv4/ping_group_range; \
                                        echo 1 >/proc/sys/net/ipv4/conf/lo/route_localnet; \
                                        echo 1 >/proc/sys/net/ipv4/conf/lo/accept_local";

/// In a namespace that somebody else answers in, at the same addresses.
pub(crate) fn elsewhere(port: u16, namespace: &str) -> Attempt {
    let [v4, ..] = served(port);
    Attempt { line: format!("other_network_namespace {v4} {namespace}"), expected: Expected::Denied }
}

/// Each class at the denied addresses.
pub(crate) fn denied(port: u16, on: On, supported: impl Fn(&str) -> bool) -> Vec<Attempt> {
    let [v4, allowed, v6] = served(port);
    let any = format!("0.0.0.0:{port}");
    let any6 = format!("[::]:{port}");
    let one = |class: &'static str, to: &str| (class, format!("{class} {to}"));
    let mut lines = Vec::new();
    lines.extend(ONE_ADDRESS.iter().flat_map(|class| [&v4, &v6].map(|to| one(class, to))));
    lines.extend(V4.iter().map(|class| one(class, &v4)));
    lines.extend(TWO_ADDRESSES.iter().map(|class| (*class, format!("{class} {v4} {allowed}"))));
    if on == On::Enforcing {
        lines.extend(GUESTS.iter().map(|class| one(class, &v4)));
    }
    lines.extend(URING.iter().flat_map(|class| [&v4, &v6].map(|to| one(class, to))));
    // Nobody's address is the loopback address.
    lines.extend(["tcp", "udp_connect", "udp_sendto"].iter().flat_map(|class| [&any, &any6].map(|to| one(class, to))));
    lines.extend(["tcp_mapped", "udp_mapped"].iter().map(|class| one(class, &any)));
    lines
        .into_iter()
        .filter(|(class, _)| supported(class))
        .map(|(class, line)| Attempt { line, expected: expected(class, on) })
        .collect()
}

/// Each class at an allowed address: what a governed process may do.
pub(crate) fn allowed(port: u16, on: On, supported: impl Fn(&str) -> bool) -> String {
    let to = &served(port)[1];
    let pings = if on == On::Enforcing { &GUESTS[5..] } else { &[] };
    let one = ONE_ADDRESS.iter().chain(&V4).chain(&URING).chain(pings).map(|class| (class, format!("{class} {to}\n")));
    let two = TWO_ADDRESSES.iter().map(|class| (class, format!("{class} {to} {to}\n")));
    let unnamed = |class: &&str| on == On::Enforcing && ANY_ADDRESS.contains(class);
    one.chain(two).filter(|(class, _)| supported(class) && !unnamed(class)).map(|(_, line)| line).collect()
}

/// What is denied wherever a rule denies any address, and passes where none does.
pub(crate) fn unnamed(port: u16) -> String {
    let [v4, allowed, _] = served(port);
    let classes = ANY_ADDRESS.iter().chain(&GUESTS[..5]);
    classes.map(|class| format!("{class} {v4} {allowed}")).collect::<Vec<_>>().join("\n")
}
