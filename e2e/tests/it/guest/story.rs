//! An agent in a guest and a server on the host: what is refused in the guest is seen by `tyrctl`.

use std::fmt::Write;
use std::time::Duration;

use serde_json::Value;
use tyr_e2e::guest::agent::{GuestAgent, SERVER_NAMES};
use tyr_e2e::guest::{Guest, GuestOutput, Machine, Release, kernel};
use tyr_e2e::stack::{Stack, text};
use tyr_e2e::wait_for;

use super::{LIMIT, attack, event, other_end};
use crate::bypass::{Attempt, Expected, GOVERNED, UNGOVERNED, Who, check, files};

/// Agents try and read back each minute, and the server knows what to expect when it was told once.
const PROOF_LIMIT: Duration = Duration::from_secs(100);
const REFUSED: &str = "203.0.113.7:443";
/// Behind these come the rules of `bypass::files`, which protect `/data`.
const POLICY: &str = "apiVersion: tyr.dev/v1
kind: Policy
metadata:
  name: guests
spec:
  rules:
    - name: no-test-net
      action: net_connect
      cidr_deny: [203.0.113.0/24]
      verdict: deny
      severity: critical
    - name: no-secrets
      action: file_read
      resource_pattern: /srv/secrets/**
      verdict: deny
      severity: high
    - name: by-the-caller
      action: exec
      resource_pattern: /data/called/vault/tool
      binaries: ['**/tyr-attacker']
      verdict: alert
    - name: by-itself
      action: exec
      resource_pattern: /data/itself/vault/tool
      binaries: ['**/tool', '**/busybox']
      verdict: alert
";

/// Without BPF security modules network rules are enforced, and the rest is observed: said so, and shown so.
fn network_rules_are_enforced(machine: Machine) {
    if kernel::find(machine.release).is_none() {
        return;
    }
    let stack = Stack::start(&[SERVER_NAMES]).expect("the server starts");
    let (_, rules) = files::POLICY.split_once("rules:\n").expect("a list of rules");
    stack.apply_policy(&format!("{POLICY}{rules}")).expect("the policy is accepted");
    let guest = Guest::boot(machine).expect("a guest");
    guest.write("/srv/secrets/key", b"secret\n", 0o600).expect("a file");
    // What has its files elsewhere than in its names.
    let disk = "mkdir -p /data/disk; mke2fs -F /dev/ram0; mount -t ext4 /dev/ram0 /data/disk; mkdir /data/disk/vault /data/disk/open";
    guest.shell(&format!("{disk}; echo secret >/data/disk/vault/secret")).expect("a disk");
    let settings = "fanotify: {mounts: [/data, /data/disk]}\n";
    let agent = GuestAgent::start(&guest, &stack, "guest", settings).expect("an agent");
    // Such kernels take the programs and never call them: only a denial that is tried shows it.
    let status = agent.status().expect("its status");
    let reason = "the kernel takes BPF LSM programs and never calls them, as `bpf` is missing in `lsm=` on its command line, so files \
                  and programs are only observed, but for what is opened or run on /data, /data/disk: refused by fanotify while tyrd runs";
    assert_eq!((&status["posture"], &status["posture_reason"]), (&"partial".into(), &reason.into()), "{status}");
    let hooks = status["hooks"].as_array().expect("hooks");
    assert!(hooks.iter().all(|hook| !hook.as_str().expect("a name").starts_with("lsm/")), "{hooks:?}");
    assert_eq!((&status["denial"]["fault"], &status["kept"]), (&Value::Null, &Value::Null), "{status}");
    wait_for("the posture at the server", LIMIT, || {
        let agents = stack.tyrctl_json(&["agents"]).expect("tyrctl agents");
        (agents[0]["posture"] == "partial").then_some(())
    });
    let shown = stack.tyrctl_json(&["agent", "show", "guest"]).expect("tyrctl agent show");
    assert_eq!(shown["posture_reason"], reason, "the operator sees which file systems: {shown}");

    let _other_end = other_end(&guest, &[REFUSED]);
    let line = format!("tcp {REFUSED}\n");
    assert_eq!(attack(&guest, &agent, Who::Ungoverned, &[], &line), "ok\n", "who is not governed may connect");
    assert_eq!(attack(&guest, &agent, Who::Governed, &[], &line), "EPERM\n");
    let refused = event(&stack, "deny", REFUSED);
    assert_eq!((&refused["verdict"], &refused["rule"]), (&"deny".into(), &"no-test-net".into()), "{refused}");

    let read = guest.output(&agent.governed("claude-code", &["cat", "/srv/secrets/key"])).expect("it runs");
    assert_eq!(read.text().expect("observed, not refused"), "secret\n");
    let observed = event(&stack, "alert", "/srv/secrets/key");
    assert_eq!((&observed["verdict"], &observed["server_verdict"]), (&"alert".into(), &"deny".into()), "{observed}");
    // The guest's clock may be ahead: what happens later than now is not asked for.
    wait_for("drift for an alert that should have been a denial", LIMIT, || {
        let drift = stack.tyrctl_json(&["drift", "--severe"]).expect("tyrctl drift");
        (drift[0]["severe"].as_u64() >= Some(1)).then_some(())
    });

    // `binaries` are about the program that starts another, not about the one that is started.
    attack(&guest, &agent, Who::Ungoverned, &[], "prepare /data/called\nprepare /data/itself\n");
    assert_eq!(attack(&guest, &agent, Who::Governed, &[], "exec /data/itself\nexec /data/called\n"), "EPERM\nok\n");
    let called = event(&stack, "alert", "/data/called/vault/tool");
    assert_eq!((&called["rule"], &called["server_verdict"]), (&"by-the-caller".into(), &"alert".into()), "{called}");
    let itself = event(&stack, "deny", "/data/itself/vault/tool");
    assert_eq!((&itself["rule"], &itself["server_verdict"]), (&"no-running".into(), &"deny".into()), "{itself}");
    fanotify_refuses_opens_and_programs(&guest, &stack, agent);
}

const NOT_ASKED: &str = "By fanotify (*partial*), anything but opens and programs";

/// What is tried where fanotify asks, and what becomes of it.
const BY_FANOTIFY: [(&str, Expected); 24] = [
    ("read_open", Expected::Denied),
    ("write_open", Expected::Denied),
    ("exec", Expected::Denied),
    ("exec_script", Expected::Denied),
    ("read_openat2", Expected::Denied),
    ("read_by_handle", Expected::Denied),
    ("read_uring_openat", Expected::Denied),
    ("read_uring_openat_worker", Expected::Denied),
    ("read_uring_openat_polled", Expected::Denied),
    ("read_mount_namespace", Expected::Denied),
    ("read_chroot", Expected::Denied),
    ("read_symlink", Expected::Denied),
    ("write_truncating_open", Expected::Denied),
    ("write_creat", Expected::Denied),
    ("exec_chroot", Expected::Denied),
    ("exec_descriptor", Expected::Denied),
    ("read_overlay", Expected::Passes("An overlay over a file system that fanotify asks about")),
    ("read_renamed", Expected::Passes(NOT_ASKED)),
    ("write_unlink", Expected::Passes(NOT_ASKED)),
    ("write_truncate", Expected::Passes(NOT_ASKED)),
    ("write_mkdir", Expected::Passes(NOT_ASKED)),
    ("write_chmod", Expected::Passes(NOT_ASKED)),
    ("write_xattr", Expected::Passes(NOT_ASKED)),
    ("exec_by_loader", Expected::Passes(NOT_ASKED)),
];

/// What fanotify refuses on `/data`, by rules that hold there, and no longer than its `tyrd` lives.
fn fanotify_refuses_opens_and_programs(guest: &Guest, stack: &Stack, agent: GuestAgent<'_>) {
    for who in [GOVERNED, UNGOVERNED, "/data/after"] {
        let lines = (0..BY_FANOTIFY.len()).map(|n| format!("prepare {who}{n}\n"));
        let outcomes = attack(guest, &agent, Who::Ungoverned, &[], &lines.collect::<Vec<_>>().concat());
        assert!(outcomes.lines().all(|outcome| outcome == "ok"), "{outcomes}");
    }
    let attempts = BY_FANOTIFY.iter().enumerate();
    let attempts: Vec<Attempt> = attempts
        .map(|(n, (class, expected))| Attempt { line: format!("{class} {{who}}{n}"), expected: *expected })
        .collect();
    check(&attempts, |who, lines| attack(guest, &agent, who, &[], lines));
    check(&[files::on_disk()], |who, lines| attack(guest, &agent, who, &[], lines));
    let refused = event(stack, "deny", "/data/governed0/vault/secret");
    assert_eq!(
        (&refused["kind"], &refused["server_verdict"], &refused["rule"], &refused["metadata"]["enforced_by"]),
        (&"file_read".into(), &"deny".into(), &"no-reading".into(), &"fanotify".into()),
        "{refused}"
    );
    let run = event(stack, "deny", "/data/governed2/vault/tool");
    assert_eq!((&run["kind"], &run["metadata"]["operation"]), (&"exec".into(), &"exec".into()), "{run}");

    // Who was governed meets nobody who would ask.
    guest.shell("mkfifo /run/go").expect("a fifo");
    let script = "echo ready; read go </run/go; exec tyr-attacker one read_open /data/after0";
    let command = agent.governed("claude-code", &["/bin/sh", "-c", script]);
    let mut waiting = guest.start(&command, &[], &[]).expect("it starts");
    wait_for("a governed process", LIMIT, || (waiting.so_far().stdout == "ready\n").then_some(()));
    agent.kill().expect("killed");
    guest.shell("echo go >/run/go").expect("somebody reads it");
    assert_eq!(waiting.finish().and_then(GuestOutput::text).expect("it ends"), "ready\nok\n");
}

/// (class of `tyr-attacker`, kind of its event, what it is done to in the folder of the attempt)
type Action = (&'static str, &'static str, &'static str);

/// Each action of the language, in each form that the kernel knows of.
const ACTIONS: [Action; 15] = [
    ("read_open", "file_read", "vault/secret"),
    ("write_open", "file_write", "vault/secret"),
    ("write_unlink", "file_write", "vault/secret"),
    ("write_rename_over", "file_write", "vault/secret"),
    ("write_link_in", "file_write", "vault/new"),
    ("write_symlink", "file_write", "vault/new"),
    ("write_mkdir", "file_write", "vault/new"),
    ("write_rmdir", "file_write", "vault/inner"),
    ("write_new_file", "file_write", "vault/new"),
    ("write_truncate", "file_write", "vault/secret"),
    ("write_chmod", "file_write", "vault/secret"),
    ("write_chown", "file_write", "vault/secret"),
    ("write_xattr", "file_write", "vault/read"),
    ("exec", "exec", "vault/tool"),
    ("exec_script", "exec", "vault/tool.sh"),
];

/// Verdict, name of rule and folder, and `binaries` of rules over programs. What starts them is `tyr-attacker`.
const BY_BINARY: [(&str, &str, &str); 3] = [
    ("deny", "refused-to-caller", "'**/tyr-attacker'"),
    ("alert", "told-of-caller", "'**/tyr-attacker'"),
    ("deny", "not-about-itself", "'**/tool', '**/busybox'"),
];

/// For each verdict a rule for each action; what no rule names is allowed.
fn as_written() -> String {
    let mut rules = String::new();
    for verdict in ["deny", "alert", "allow"] {
        for action in ["file_read", "file_write", "exec"] {
            let _ = write!(
                rules,
                "    - name: {verdict}-{action}\n      action: {action}\n      resource_pattern: /data/{verdict}*/vault/**\n      \
                 verdict: {verdict}\n      severity: high\n"
            );
        }
    }
    for (verdict, address) in [("deny", "127.0.0.1"), ("alert", "127.0.0.2"), ("allow", "127.0.0.3")] {
        let list = if verdict == "allow" { "cidr_allow" } else { "cidr_deny" };
        let _ = write!(
            rules,
            "    - name: {verdict}-net_connect\n      action: net_connect\n      {list}: [{address}/32]\n      verdict: {verdict}\n      \
             severity: high\n"
        );
    }
    for (verdict, folder, binaries) in BY_BINARY {
        let _ = write!(
            rules,
            "    - name: {folder}\n      action: exec\n      resource_pattern: /data/{folder}/vault/tool\n      binaries: [{binaries}]\n      \
             verdict: {verdict}\n"
        );
    }
    format!("apiVersion: tyr.dev/v1\nkind: Policy\nmetadata:\n  name: as-written\nspec:\n  rules:\n{HELD}{rules}")
}

/// Rules that are asked in userspace, before all others.
const HELD: &str = "    - name: held-once
      action: file_read
      resource_pattern: /data/held/vault/**
      verdict: deny
      severity: high
      condition: context.cmdline like \"*; echo from then on*\"
    - name: piped-into-a-shell
      action: exec
      resource_pattern: '**'
      verdict: deny
      condition: context.cmdline like \"*} | sh*\"
";
/// Reads until it may not; then a child tries, whose own command line says nothing.
const READS_ON: &str = "n=0; while [ $n -lt 600 ] && true < /data/held/vault/secret; do n=$((n+1)); sleep 0.1; done 2>/dev/null
    [ $n -ge 1 ]; echo read $?; cat /data/held/vault/secret >/dev/null 2>&1; echo from then on $?; cat /data/held/open/own";
/// What comes out of the pipe is run by a shell that was there before; it comes when programs are refused.
const PIPES: &str = "{ while /bin/true; do sleep 0.1; done 2>/dev/null; echo 'cat /data/held/open/own 2>/dev/null || echo refused'; } | sh";

/// What a condition holds for is an alert once, and denied for the rest of the process, in all that descends from it.
fn a_condition_holds_for_the_rest_of_the_process(guest: &Guest, stack: &Stack, agent: &GuestAgent<'_>) {
    attack(guest, agent, Who::Ungoverned, &[], "prepare /data/held\n");
    let run = |command: &[&str]| guest.output(&agent.governed("claude-code", command)).expect("it runs").stdout;
    assert_eq!(run(&["/bin/sh", "-c", READS_ON]), "read 0\nfrom then on 1\nown");
    assert_eq!(run(&["cat", "/data/held/vault/secret"]), "secret\n", "another process is held to nothing");
    assert_eq!(run(&["/bin/sh", "-c", PIPES]), "refused\n");
    let denied = event(stack, "deny", "/data/held/vault/secret");
    let said = |event: &Value| {
        ["verdict", "server_verdict", "rule", "severity"].map(|key| event[key].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(said(&denied), ["deny", "deny", "held-once", "high"], "{denied}");
    assert_eq!(denied["metadata"]["condition"], "earlier", "{denied}");
    let alerted = event(stack, "alert", "/data/held/vault/secret");
    assert_eq!(said(&alerted), ["alert", "alert", "held-once", "high"], "{alerted}");
    assert_eq!(alerted["metadata"]["condition"], "held", "{alerted}");
    let why =
        |event: &Value| text(&stack.tyrctl(["why", event["event_id"].as_str().expect("an id")])).expect("tyrctl why");
    assert!(why(&denied).contains("as its condition held for this process before"), "{}", why(&denied));
    let first = stack.tyrctl_json(&["events", "list", "--limit", "1000", "--verdict", "alert"]).expect("tyrctl events");
    let held = |event: &&Value| event["rule"] == "held-once" && event["metadata"].get("held_processes").is_some();
    let first: Vec<&Value> = first.as_array().into_iter().flatten().filter(held).collect();
    let [first] = first[..] else { panic!("the process was held once: {first:#?}") };
    assert!(why(first).contains("from then on it denies, for the rest of this process"), "{}", why(first));
}

fn is_below(event: &Value, folder: &str) -> bool {
    event["resource"].as_str().is_some_and(|resource| resource.starts_with(folder))
}

fn in_short(event: &Value) -> String {
    ["verdict", "server_verdict", "kind", "resource", "rule"].map(|key| event[key].to_string()).join(" ")
}

/// With BPF security modules each action is denied, alerted and allowed as written, and `tyrctl` tells of each.
fn each_action_is_as_written(machine: Machine) {
    if kernel::find(machine.release).is_none() {
        return;
    }
    let stack = Stack::start(&[SERVER_NAMES]).expect("the server starts");
    stack.apply_policy(&as_written()).expect("the policy is accepted");
    let guest = Guest::boot(machine).expect("a guest");
    let agent = GuestAgent::start(&guest, &stack, "guest", "allow_events: all\n").expect("an agent");
    let status = agent.status().expect("its status");
    assert_eq!(status["posture"], "enforcing", "{status}");
    let shown = text(&stack.tyrctl(["agents", "--no-headers"])).expect("tyrctl agents");
    assert!(shown.contains("enforcing"), "the operator sees it: {shown}");
    let addresses = ["127.0.0.1:7", "127.0.0.2:7", "127.0.0.3:7"];
    let _other_end = other_end(&guest, &addresses);

    let mut lines = Vec::new();
    let mut expected = Vec::new();
    for (verdict, address) in ["deny", "alert", "allow"].into_iter().zip(addresses) {
        for (n, (class, kind, name)) in ACTIONS.iter().enumerate() {
            lines.push(format!("{class} /data/{verdict}{n}"));
            expected.push((verdict, *kind, format!("/data/{verdict}{n}/{name}"), format!("{verdict}-{kind}")));
        }
        lines.push(format!("tcp {address}"));
        expected.push((verdict, "net_connect", address.to_owned(), format!("{verdict}-net_connect")));
    }
    for ((verdict, rule), (_, folder, _)) in
        [("deny", "refused-to-caller"), ("alert", "told-of-caller"), ("allow", "")].into_iter().zip(BY_BINARY)
    {
        // Before the last of each verdict, whose event is waited for.
        lines.insert(0, format!("exec /data/{folder}"));
        expected.insert(0, (verdict, "exec", format!("/data/{folder}/vault/tool"), rule.to_owned()));
    }
    let folders = expected.iter().filter_map(|(_, _, path, _)| path.strip_prefix('/')?.split('/').nth(1));
    let prepared: String = folders.map(|folder| format!("prepare /data/{folder}\n")).collect::<Vec<_>>().concat();
    let prepared = attack(&guest, &agent, Who::Ungoverned, &[], &prepared);
    assert!(prepared.lines().all(|outcome| outcome == "ok"), "{prepared}");

    let outcomes = attack(&guest, &agent, Who::Governed, &[], &lines.join("\n"));
    assert_eq!(outcomes.lines().count(), lines.len(), "{outcomes}");
    let mut wrong = Vec::new();
    for ((line, outcome), (verdict, ..)) in lines.iter().zip(outcomes.lines()).zip(&expected) {
        let right = if *verdict == "deny" { "EPERM" } else { "ok" };
        if outcome != right {
            wrong.push(format!("{line}: {outcome} instead of {right}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");

    // The last denial is there when all before it is: events come in order.
    event(&stack, "deny", addresses[0]);
    event(&stack, "allow", addresses[2]);
    let told: Vec<Value> = ["deny", "alert", "allow"]
        .iter()
        .flat_map(|verdict| {
            let events = stack.tyrctl_json(&["events", "list", "--limit", "1000", "--verdict", verdict]);
            events.expect("tyrctl events list").as_array().cloned().unwrap_or_default()
        })
        .collect();
    for (verdict, kind, resource, rule) in &expected {
        let found = told.iter().filter(|event| {
            let word = |key: &str| event[key].as_str().unwrap_or_default();
            (word("verdict"), word("server_verdict"), word("kind"), word("resource"), word("rule"))
                == (*verdict, *verdict, *kind, resource.as_str(), rule.as_str())
        });
        if found.count() == 0 {
            wrong.push(format!("no event: {verdict} {kind} {resource}"));
        }
    }
    let governed: Vec<String> = told.iter().filter(|event| is_below(event, "/data")).map(in_short).collect();
    assert!(wrong.is_empty(), "{wrong:#?}\nof {governed:#?}");
    a_condition_holds_for_the_rest_of_the_process(&guest, &stack, &agent);
    let drift = stack.psql("SELECT count(*) FROM events WHERE drift_detected").expect("psql");
    assert_eq!(drift.trim(), "0", "agent and server judge alike");

    wait_for("a denial that was tried, and tables that are those of the policy", PROOF_LIMIT, || {
        let agents = stack.tyrctl_json(&["agents"]).expect("tyrctl agents");
        let said = ["denial", "tables"].map(|key| agents[0][key].as_str().unwrap_or_default().to_owned());
        (said == ["denied", "as_expected"]).then_some(())
    });
}

#[test]
fn each_action_6_1() {
    each_action_is_as_written(Machine::new(Release::V6_1));
}

#[test]
fn each_action_6_12() {
    each_action_is_as_written(Machine::new(Release::V6_12));
}

#[test]
fn without_bpf_lsm_6_12() {
    network_rules_are_enforced(Machine::new(Release::V6_12).without_bpf_lsm());
}

#[test]
fn without_bpf_lsm_6_1() {
    network_rules_are_enforced(Machine::new(Release::V6_1).without_bpf_lsm());
}
