//! `tyrctl why`: one event explained.

use insta::assert_snapshot;
use serde_json::json;

use crate::double::{Answers, Double};

const YAML: &str = "apiVersion: tyr.dev/v1
kind: Policy
metadata: {name: web}
spec:
  rules:
    - name: builds
      action: exec
      verdict: allow
    - name: no-egress
      action: net_connect
      cidr_deny: [192.0.2.0/24]
      verdict: deny
      severity: high
    - name: rest
      action: exec
      verdict: alert
";

fn answers(yaml: &str) -> Answers {
    let document = json!({"version": 2, "name": "web", "rules": 3, "created_at": "2026-11-22T19:00:00Z", "created_by": "alice",
        "yaml": yaml, "warnings": []});
    Answers::fleet().with("GET /api/v1/policies/2", 200, &document)
}

#[test]
fn a_denial_shows_its_rule_where_it_stands() {
    let double = Double::start(answers(YAML));
    assert_snapshot!(double.run(&["why", "00000000-0000-7000-8000-000000000021"]), @r#"
    exit 0
    --- stdout
    event_id        00000000-0000-7000-8000-000000000021
    because         deny: rule `no-egress` of policy version 2 decided
    ts              2026-11-22T19:40:01Z
    kind            net_connect
    resource        192.0.2.7:443
    verdict         deny
    server_verdict  deny
    drift           no
    severity        high
    rule            no-egress
    policy          web
    version         2
    line            9
    policy_id       a1
    unregistered    -
    agent           build-017
    process         /usr/bin/node
    cmdline         node cli.js
    pid             4123
    ppid            -
    uid             -
    ai_type         claude-code
    ai_name         claude-code
    ai_pid          4123
    ai_process      /usr/bin/node
    ai_cmdline      node cli.js
    ai_found_by     fingerprint
    ai_since        2026-11-22T19:30:00Z
    lineage         4123 node cli.js
    count           -

        9 |     - name: no-egress
       10 |       action: net_connect
       11 |       cidr_deny: [192.0.2.0/24]
       12 |       verdict: deny
       13 |       severity: high

    to allow just this, put before line 9 of the rules of version 2:

        - name: "allow-no-egress"
          action: net_connect
          cidr_allow: ["192.0.2.7:443/tcp"]
          verdict: allow
          agent_types: ["claude-code"]
          binaries: ["/usr/bin/node"]
    "#);
}

#[test]
fn drift_says_what_the_server_thinks() {
    let double = Double::start(answers(YAML));
    let why: serde_json::Value =
        serde_json::from_str(&double.stdout(&["why", "00000000-0000-7000-8000-000000000022", "-o", "json"]))
            .expect("JSON");
    assert_eq!(
        why["because"],
        "alert in place of deny, as this host's kernel can't refuse such actions: rule `no-egress` of policy version 2 decided"
    );
    assert_eq!((&why["rule"]["line"], &why["rule"]["text"][0]), (&json!(9), &json!("    - name: no-egress")));
    assert_eq!(why["ai_process"]["found_by"], "fingerprint");
}

#[test]
fn what_the_server_no_longer_has_is_left_out() {
    // A policy that this program can't read, and no policy at all.
    for answers in [answers("spec: odd"), answers("").with("GET /api/v1/policies/2", 404, &json!({}))] {
        let double = Double::start(answers);
        let said = double.run(&["why", "00000000-0000-7000-8000-000000000021"]);
        assert!(said.starts_with("exit 0\n") && said.contains("\nline            -\n"), "{said}");
    }
    let double = Double::start(Answers::fleet());
    assert_snapshot!(double.run(&["why", "00000000-0000-7000-8000-000000000099"]), @"
    exit 1
    --- stderr
    error: nothing at GET /api/v1/events/00000000-0000-7000-8000-000000000099
    hint: `tyrctl events list -o name` lists ids; events are kept as long as retention says
    ");
    assert!(double.run(&["why", "x"]).starts_with("exit 2\n"));
}
