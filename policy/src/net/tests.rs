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

mod table {
    use std::fmt::Write;
    use std::net::IpAddr;

    use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

    use crate::eval::{Act, Effective, Layer, Resource};
    use crate::held::Held;
    use crate::image::{Image, ImageError};
    use crate::net::table::{Effect, NET_ENTRIES_MAX, NetTableError};
    use crate::policy::Policy;
    use crate::words::{Action, Protocol, Verdict};

    const HEAD: &str = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: t}\nspec:\n";

    fn policy(spec: &str) -> Policy {
        Policy::parse(&format!("{HEAD}{spec}")).unwrap_or_else(|e| panic!("{e}\n{spec}")).policy
    }

    fn effective(spec: &str) -> Effective {
        Effective::new(vec![Layer { version: 1, agent_type: None, policy: policy(spec) }])
    }

    fn agree(effective: &Effective, addr: IpAddr, port: u16, protocol: Protocol) {
        let binary = b"/bin/x";
        let table = effective.network(&effective.profile(None, binary)).unwrap();
        let resource = Resource::Net { addr, port, protocol };
        let judged =
            effective.judge(&Act { action: Action::NetConnect, resource, agent_type: None, binary, held: Held::NONE });
        assert_eq!(
            table.lookup(addr, port, protocol),
            (judged.verdict, judged.index),
            "{addr} {port} {protocol}\n{table:#?}"
        );
    }

    #[test]
    fn exempt_lets_later_rules_decide() {
        let effective = effective(
            r#"
  default: {net_connect: alert}
  rules:
  - {name: inside, action: net_connect, verdict: deny, cidr_deny: ["10.0.0.0/8"], cidr_allow: ["10.1.0.0/16:443", "10.2.0.0/16"]}
  - {name: web, action: net_connect, verdict: allow, cidr_allow: ["0.0.0.0/0:443"]}
"#,
        );
        for (addr, port, expected) in [
            ("10.0.0.1", 443, Some(0)),
            ("10.1.0.1", 443, Some(1)),
            ("10.1.0.1", 80, Some(0)),
            ("10.2.0.1", 443, Some(1)),
            ("10.2.0.1", 80, None),
            ("::ffff:10.0.0.1", 1, Some(0)),
            ("2001:db8::1", 443, None),
        ] {
            let addr = addr.parse().unwrap();
            let table = effective.network(&effective.profile(None, b"")).unwrap();
            assert_eq!(table.lookup(addr, port, Protocol::Tcp).1, expected, "{addr} {port}");
            agree(&effective, addr, port, Protocol::Tcp);
        }
    }

    #[test]
    fn ipv6_blocks_say_nothing_of_ipv4() {
        let effective = effective(r#"  rules: [{name: six, action: net_connect, verdict: deny, cidr_deny: ["::/0"]}]"#);
        let table = effective.network(&effective.profile(None, b"")).unwrap();
        assert_eq!(table.lookup("192.0.2.1".parse().unwrap(), 1, Protocol::Tcp), (Verdict::Allow, None));
        assert_eq!(table.lookup("2001:db8::1".parse().unwrap(), 1, Protocol::Tcp), (Verdict::Deny, Some(0)));
        let lengths: Vec<u8> = table.prefixes.iter().map(|p| p.length).collect();
        assert_eq!(lengths, [0, 96]);
    }

    #[test]
    fn stops_at_the_first_catch_all_and_merges_what_says_the_same() {
        let effective = effective(
            r#"
  rules:
  - {name: all, action: net_connect, verdict: allow, resource_pattern: "*"}
  - {name: idle, action: net_connect, verdict: deny, cidr_deny: ["10.0.0.0/8", "2001:db8::/32"]}
"#,
        );
        let table = effective.network(&effective.profile(None, b"")).unwrap();
        assert_eq!(table.prefixes.len(), 1);
        assert_eq!(table.prefixes[0].entries.len(), 1);
        assert_eq!(table.prefixes[0].entries[0].effect, Effect::Verdict(Verdict::Allow));
    }

    #[test]
    fn names_the_rule_that_is_one_too_many() {
        // Each layer fits by itself, or it would not have been taken.
        let layer = |version: u32| {
            let mut spec = "  rules:\n".to_owned();
            for n in 0..20 {
                let port = version * 100 + n;
                writeln!(
                    spec,
                    "  - {{name: r{port}, action: net_connect, verdict: deny, cidr_deny: [\"10.0.0.0/8:{port}\"]}}"
                )
                .unwrap();
            }
            Layer { version, agent_type: None, policy: policy(&spec) }
        };
        assert_eq!(NET_ENTRIES_MAX, 32);
        let effective = Effective::new(vec![layer(1), layer(2)]);
        let error = effective.network(&effective.profile(None, b"")).unwrap_err();
        let NetTableError::TooManyEntries { rule, index, .. } = &error else { panic!("{error}") };
        assert_eq!((rule.as_str(), *index), ("r212", 32));
        assert_eq!(
            error.to_string(),
            "rule `r212` is one too many for the addresses 10.0.0.0/8: more than 32 entries hold for them"
        );
    }

    #[test]
    fn refuses_binaries_that_the_kernel_has_no_room_for() {
        // Each layer fits by itself, or it would not have been taken.
        let layer = |version: u32| {
            let alphabet: String = ('a'..='z').chain('0'..='9').collect();
            let paths: Vec<String> = (0..35).map(|n| format!("/{version}/{n}/{alphabet}")).collect();
            let spec =
                format!("  rules: [{{name: r, action: net_connect, verdict: deny, binaries: [{}]}}]", paths.join(", "));
            Layer { version, agent_type: None, policy: policy(&spec) }
        };
        let error = Image::new(&Effective::new(vec![layer(1), layer(2)])).unwrap_err();
        assert!(matches!(error, ImageError::ProgramWords { .. }), "{error}");
    }

    #[test]
    fn counts_the_lists_of_all_profiles() {
        let rules = "  rules: [{name: r, action: net_connect, verdict: deny, cidr_deny: [";
        let blocks: Vec<String> = (0..4000).map(|n| format!("10.{}.{}.0/24", n / 256, n % 256)).collect();
        let base = Layer { version: 1, agent_type: None, policy: policy(&format!("{rules}{}]}}]", blocks.join(", "))) };
        let overlay = |n: u32| {
            let agent_type = Some(format!("type-{n}"));
            Layer { version: 2 + n, agent_type, policy: policy(&format!("{rules}192.0.2.1]}}]")) }
        };
        let tables = |overlays| Image::new(&Effective::new((0..overlays).map(overlay).chain([base.clone()]).collect()));
        assert_eq!(tables(23).unwrap().net().len(), 24);
        assert_eq!(tables(24).unwrap_err(), ImageError::TooManyLists);
    }

    fn target() -> impl Strategy<Value = String> {
        let block = prop_oneof![
            Just("0.0.0.0/0"),
            Just("10.0.0.0/8"),
            Just("10.128.0.0/9"),
            Just("10.1.0.0/16"),
            Just("10.1.2.3/32"),
            Just("[::]/0"),
            Just("[2001:db8::]/32"),
            Just("[2001:db8::1]/128"),
            Just("[::fffe:0:0]/95"),
            Just("[::ffff:10.1.0.0]/112"),
            Just("*"),
        ];
        let tail = prop_oneof![3 => Just(""), 1 => Just(":443"), 1 => Just(":1-500"), 1 => Just(":*/udp"), 1 => Just(":53/udp")];
        (block, tail).prop_map(|(block, tail)| format!("\"{block}{tail}\""))
    }

    fn rule() -> impl Strategy<Value = String> {
        let list = || proptest::collection::vec(target(), 0..3);
        let verdict = prop_oneof![Just("allow"), Just("deny"), Just("alert")];
        (verdict, list(), list(), any::<bool>()).prop_map(|(verdict, allow, deny, applies)| {
            let mut rule = format!("action: net_connect, verdict: {verdict}");
            for (field, list) in [("cidr_allow", allow), ("cidr_deny", deny)] {
                if !list.is_empty() {
                    write!(rule, ", {field}: [{}]", list.join(", ")).unwrap();
                }
            }
            if !applies {
                rule.push_str(", binaries: [/bin/y]");
            }
            rule
        })
    }

    fn addr() -> impl Strategy<Value = IpAddr> {
        prop_oneof![
            Just("10.1.2.3"),
            Just("10.1.2.4"),
            Just("10.200.0.1"),
            Just("11.0.0.1"),
            Just("::ffff:10.1.2.3"),
            Just("::fffe:1:1"),
            Just("2001:db8::1"),
            Just("2001:db8::2"),
            Just("::1"),
            Just("ffff::"),
            Just("0.0.0.0"),
            Just("255.255.255.255"),
        ]
        .prop_map(|text| text.parse().unwrap())
    }

    proptest! {
        #[test]
        fn says_what_the_plain_evaluator_says(
            rules in proptest::collection::vec(rule(), 0..6),
            default in prop_oneof![Just("allow"), Just("deny")],
            addrs in proptest::collection::vec((addr(), prop_oneof![Just(53), Just(443), Just(500), Just(501)], any::<bool>()), 12),
        ) {
            let mut spec = format!("  default: {default}\n  rules:\n");
            for (n, rule) in rules.iter().enumerate() {
                writeln!(spec, "  - {{name: r{n}, {rule}}}").unwrap();
            }
            if rules.is_empty() {
                spec = format!("  default: {default}\n  rules: []\n");
            }
            let effective = effective(&spec);
            for (addr, port, udp) in addrs {
                agree(&effective, addr, port, if udp { Protocol::Udp } else { Protocol::Tcp });
            }
        }
    }
}

#[test]
fn targets_are_written_as_they_are_read() {
    for text in [
        "10.0.0.0/8",
        "192.0.2.7/32:443",
        "2001:db8::/32",
        "[2001:db8::]/32:443",
        "0.0.0.0/0:53/udp",
        "192.0.2.7/32:*/tcp",
        "*",
        "*:25",
    ] {
        let target = NetTarget::parse(text).unwrap();
        assert_eq!(NetTarget::parse(&target.to_string()).as_ref(), Ok(&target), "{text} as {target}");
    }
    assert_eq!(NetTarget::parse("[2001:db8::]/32:443/tcp").unwrap().to_string(), "[2001:db8::]/32:443/tcp");
    assert_eq!(NetTarget::parse("*:25").unwrap().to_string(), "*:25");
}
