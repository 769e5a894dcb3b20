use super::{NetMatch, NetTarget, NetTargetError};
use crate::words::{Protocol, Verdict};

fn matches(target: &str, addr: &str, port: u16, protocol: Protocol) -> bool {
    NetTarget::parse(target).unwrap().matches(addr.parse().unwrap(), port, protocol)
}

#[test]
fn reads_all_forms() {
    use Protocol::{Tcp, Udp};
    for (target, addr, port, protocol, expected) in [
        ("10.0.0.0/8", "10.255.0.1", 1, Tcp, true),
        ("10.0.0.0/8", "11.0.0.1", 1, Tcp, false),
        ("10.0.0.0/8:443", "10.0.0.1", 443, Tcp, true),
        ("10.0.0.0/8:443", "10.0.0.1", 444, Tcp, false),
        ("192.0.2.7:8000-8999", "192.0.2.7", 8999, Udp, true),
        ("192.0.2.7:8000-8999", "192.0.2.7", 9000, Udp, false),
        ("192.0.2.7:53/udp", "192.0.2.7", 53, Udp, true),
        ("192.0.2.7:53/udp", "192.0.2.7", 53, Tcp, false),
        ("192.0.2.7:*/tcp", "192.0.2.7", 9, Tcp, true),
        ("192.0.2.7:*/tcp", "192.0.2.7", 9, Udp, false),
        ("2001:db8::/32", "2001:db8:1::1", 1, Tcp, true),
        ("2001:db8::1", "2001:db8::2", 1, Tcp, false),
        ("[2001:db8::1]:443", "2001:db8::1", 443, Tcp, true),
        ("[2001:db8::1]:443", "2001:db8::1", 80, Tcp, false),
        ("[2001:db8::]/32:443", "2001:db8:ffff::", 443, Tcp, true),
        ("[2001:db8::]/32", "2001:db8:ffff::", 1, Tcp, true),
        ("*", "::1", 0, Tcp, true),
        ("*:25", "192.0.2.1", 25, Tcp, true),
        ("*:25", "192.0.2.1", 26, Tcp, false),
    ] {
        assert_eq!(matches(target, addr, port, protocol), expected, "{target} {addr}:{port}");
    }
}

#[test]
fn mapped_addresses_are_ipv4() {
    assert!(matches("10.0.0.0/8", "::ffff:10.1.2.3", 1, Protocol::Tcp));
    assert!(matches("::ffff:10.0.0.0/104", "10.1.2.3", 1, Protocol::Tcp));
    assert!(!matches("::/0", "10.1.2.3", 1, Protocol::Tcp));
    assert!(!matches("::/0", "::ffff:10.1.2.3", 1, Protocol::Tcp));
    assert!(!matches("0.0.0.0/0", "2001:db8::1", 1, Protocol::Tcp));
}

#[test]
fn refuses_what_is_no_target() {
    for (text, message) in [
        ("", "`` is not an IP address or CIDR"),
        ("example.com", "`example.com` is not an IP address or CIDR"),
        ("10.0.0.0/33", "`/33` is not a prefix length of IPv4, which goes up to 32"),
        ("10.0.0.0/+8", "`/+8` is not a prefix length of IPv4, which goes up to 32"),
        ("::/129", "`/129` is not a prefix length of IPv6, which goes up to 128"),
        ("10.0.0.1/8", "`10.0.0.1/8` has bits set behind its prefix length"),
        ("10.0.0.0/8:", "`` is not a port, a range of ports or `*`"),
        ("10.0.0.0/8:65536", "`65536` is not a port, a range of ports or `*`"),
        ("10.0.0.0/8:9-8", "the range of ports `9-8` ends before it begins"),
        ("10.0.0.0/8:9/icmp", "`icmp` is not a protocol: it is `tcp` or `udp`"),
        ("[10.0.0.1]:9", "`[10.0.0.1]:9` is not an IP address or CIDR"),
        ("[::1]9", "`[::1]9` is not an IP address or CIDR"),
        ("[::1", "`[::1` is not an IP address or CIDR"),
        ("*/8", "`*/8` is not an IP address or CIDR"),
    ] {
        assert_eq!(NetTarget::parse(text).unwrap_err().to_string(), message, "{text}");
    }
    let Err(NetTargetError::HostBits { block, .. }) = NetTarget::parse("10.1.2.3/8") else { panic!("must be refused") };
    assert_eq!(block, "10.0.0.0/8");
}

#[test]
fn the_other_side_leaves_out() {
    let list = |texts: &[&str]| texts.iter().map(|t| NetTarget::parse(t).unwrap()).collect::<Vec<_>>();
    let rule = NetMatch { allow: list(&["10.1.0.0/16"]), deny: list(&["10.0.0.0/8"]) };
    let hit = |verdict, addr: &str| rule.matches(verdict, addr.parse().unwrap(), 1, Protocol::Tcp);
    assert!(hit(Verdict::Deny, "10.2.0.1") && !hit(Verdict::Deny, "10.1.0.1") && !hit(Verdict::Deny, "11.0.0.1"));
    assert!(!hit(Verdict::Allow, "10.1.0.1"), "an allow rule leaves out what is in cidr_deny");
    let anything = NetMatch { allow: list(&["10.1.0.0/16"]), deny: Vec::new() };
    assert!(anything.matches(Verdict::Alert, "192.0.2.1".parse().unwrap(), 1, Protocol::Tcp));
    assert!(!anything.matches(Verdict::Alert, "10.1.0.1".parse().unwrap(), 1, Protocol::Tcp));
}
