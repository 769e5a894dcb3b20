//! `policy check`, `policy test` and `policy diff`: files, without a server.

use std::fs;
use std::path::PathBuf;

use insta::assert_snapshot;

use crate::double::{Answers, Double};

const HEAD: &str = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: web}\nspec:\n  rules:\n";

/// A double that answers nothing, and a folder for files.
struct Place {
    double: Double,
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { double: Double::start(Answers::default()), folder: tempfile::tempdir().expect("a folder") }
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        fs::write(&path, text).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    }

    fn policy(&self, name: &str, rules: &str) -> String {
        self.file(name, &format!("{HEAD}{rules}"))
    }

    /// What a command says, without the folder's name.
    fn run(&self, arguments: &[&str]) -> String {
        self.double.run(arguments).replace(&format!("{}/", self.folder.path().display()), "")
    }
}

const RULES: &str =
    "    - {name: keys, action: file_read, resource_pattern: '~/.ssh/**', verdict: deny, severity: high}
    - {name: shells, action: exec, resource_pattern: '**/bin/{sh,bash}', verdict: alert}
    - {name: metadata, action: net_connect, cidr_deny: [169.254.169.254/32], verdict: deny}
";

#[test]
fn check_says_where_and_for_how_much() {
    let place = Place::new();
    let file = place.policy("web.yaml", RULES);
    assert_snapshot!(place.run(&["policy", "check", &file]), @"
    exit 0
    --- stdout
    LINE  RULE      ACTION       VERDICT  ENFORCED       STATES  PREFIXES  BYTES  WARNINGS
       6  keys      file_read    deny     kernel             17         0  912 B  -
       7  shells    exec         alert    kernel              9         0  440 B  -
       8  metadata  net_connect  deny     address table       0         1  288 B  -
    ✓ valid [web]: 3 rules, 0 warnings, 1 kind of process; 1.9 kB
    ");
    assert_snapshot!(place.run(&["policy", "check", &file, "-o", "jsonl", "--limit", "1", "-q"]), @r#"
    exit 0
    --- stdout
    {"rule":"keys","line":6,"action":"file_read","verdict":"deny","severity":"high","enforced":"kernel","states":17,"prefixes":0,"bytes":912,"warnings":[]}
    "#);
    assert_eq!(place.double.requests(), Vec::<String>::new(), "no server is asked");
}

#[test]
fn check_warns_of_rules_that_never_match_and_can_fail_on_it() {
    let place = Place::new();
    let file = place.policy(
        "web.yaml",
        "    - {name: a, action: exec, resource_pattern: '/bin/[a-m]*', verdict: deny}
    - {name: b, action: exec, resource_pattern: '/bin/[!a-m]*', verdict: allow}
    - {name: c, action: exec, resource_pattern: '/bin/ls*', verdict: alert}
",
    );
    assert_snapshot!(place.run(&["policy", "check", &file, "--columns", "rule,warnings"]), @"
    exit 0
    --- stdout
    RULE  WARNINGS
    a     -
    b     -
    c     1
    ✓ valid [web]: 3 rules, 1 warning, 1 kind of process; 664 B
    --- stderr
    warning: line 8, column 7: rule `c` never matches: the rules before it take everything
     8 |     - {name: c, action: exec, resource_pattern: '/bin/ls*', verdict: alert}
       |       ^
    hint: the first rule that matches wins: put it before them, or take it out
    ");
    assert!(place.run(&["policy", "check", &file, "--fail-on-warning"]).starts_with("exit 3\n"));
    let json = place.double.stdout(&["policy", "check", &file, "--jq", "map(.warnings | length) | tostring", "-q"]);
    assert_eq!(json, "[0,0,1]\n");
}

#[test]
fn check_shows_what_is_wrong_and_what_is_too_large() {
    let place = Place::new();
    let file = place.policy("web.yaml", "    - {name: a, acton: exec, verdict: deny}\n");
    assert_snapshot!(place.run(&["policy", "check", &file]), @"
    exit 1
    --- stderr
    error: policy `web.yaml` is not valid
    cause: line 6, column 17: unknown field `acton`
            6 |     - {name: a, acton: exec, verdict: deny}
              |                 ^
    hint: did you mean `action`?
    ");
    let rules = (0..24)
        .map(|n| {
            let tail = "?".repeat(n % 7 + 6);
            format!("    - {{name: r{n}, action: exec, resource_pattern: '**/{n}*a{tail}', verdict: deny}}\n")
        })
        .collect::<Vec<_>>()
        .concat();
    let said = place.run(&["policy", "check", &place.policy("large.yaml", &rules)]);
    assert!(said.starts_with("exit 1\n"), "{said}");
    assert!(said.contains("too much for the kernel's tables") && said.contains("\nhint: "), "{said}");
}

#[test]
fn test_names_each_case_that_fails() {
    let place = Place::new();
    let policy = place.policy("web.yaml", RULES);
    let cases = place.file(
        "cases.yaml",
        "cases:
  - {act: file_read, to: /root/.ssh/id_rsa, gives: deny, by: keys, severity: high}
  - {act: file_read, to: /root/.ssh/id_rsa, gives: allow}
  - {act: exec, to: /usr/bin/zsh, gives: alert, by: shells, note: it is a shell too}
  - {act: net_connect, to: '169.254.169.254:80', gives: deny, by: metadata, severity: critical}
",
    );
    assert_snapshot!(place.run(&["policy", "test", &policy, "--cases", &cases]), @"
    exit 1
    --- stdout
    CASE    RESULT  ACT          TO                  EXPECTED                     GOT                     RULE_LINE
    line 3  FAILED  file_read    /root/.ssh/id_rsa   allow by default             deny by keys                    6
    line 4  FAILED  exec         /usr/bin/zsh        alert by shells              allow by default                -
    line 5  FAILED  net_connect  169.254.169.254:80  deny (critical) by metadata  deny (low) by metadata          8
    ✗ 3 of 4 cases failed
    --- stderr
    error: 3 of 4 cases of `cases.yaml` failed
    ");
    let good = place.file("good.yaml", "cases:\n  - {act: exec, to: /bin/sh, gives: alert, by: shells}\n");
    assert_snapshot!(place.run(&["policy", "test", &policy, "-c", &good]), @"
    exit 0
    --- stdout
    ✓ as expected: 1 of 1 cases
    ");
    assert_snapshot!(place.run(&["policy", "test", &policy, "-c", &good, "--all", "-o", "json"]), @r#"
    exit 0
    --- stdout
    [
      {
        "line": 2,
        "passed": true,
        "act": "exec",
        "to": "/bin/sh",
        "agent_type": null,
        "binary": null,
        "expected": "alert",
        "expected_rule": "shells",
        "expected_severity": null,
        "got": "alert",
        "rule": "shells",
        "rule_line": 7,
        "severity": "low",
        "note": null
      }
    ]
    "#);
    let bad = place.file("bad.yaml", "cases:\n  - {act: exec, to: bin/sh, gives: alret}\n");
    assert_snapshot!(place.run(&["policy", "test", &policy, "-c", &bad]), @"
    exit 1
    --- stderr
    error: `bad.yaml` is no file of cases
    cause: line 2, column 21: `bin/sh` is no absolute path
            2 |   - {act: exec, to: bin/sh, gives: alret}
              |                     ^
    cause: line 2, column 36: unknown verdict `alret`
            2 |   - {act: exec, to: bin/sh, gives: alret}
              |                                    ^
    hint: cases name the real path, from the root on
    hint: did you mean `alert`?
    ");
}

#[test]
fn diff_shows_rules_and_what_comes_of_them() {
    let place = Place::new();
    let before = place.policy("a.yaml", RULES);
    let after = place.policy(
        "b.yaml",
        "    - {name: metadata, action: net_connect, cidr_deny: [169.254.169.254/32, '*:25'], verdict: deny}
    - {name: known, action: file_read, resource_pattern: '~/.ssh/known_hosts', verdict: allow}
    - {name: keys, action: file_read, resource_pattern: '~/.ssh/**', verdict: deny, severity: critical}
",
    );
    assert_snapshot!(place.run(&["policy", "diff", &before, &after]), @"
    exit 0
    --- stdout
    CHANGE   RULE      ACTION       LINE_BEFORE  LINE_AFTER  DETAILS
    changed  metadata  net_connect            8           6  cidr_deny: 169.254.169.254/32 → 169.254.169.254/32 *:25
    added    known     file_read              -           7  verdict: allow; severity: low; resource_pattern: ~/.ssh/known_hosts
    changed  keys      file_read              6           8  severity: high → critical
    removed  shells    exec                   7           -  verdict: alert; severity: low; resource_pattern: **/bin/{sh,bash}

    EFFECT         ACTION       BEFORE            AFTER             EXAMPLE                 PROCESSES
    newly allowed  file_read    deny by keys      allow by known    /root/.ssh/known_hosts  all
    newly allowed  exec         alert by shells   allow by default  /bin/sh                 all
    newly denied   net_connect  allow by default  deny by metadata  [::]:25                 all
    ");
    assert_snapshot!(place.run(&["policy", "diff", &before, &before]), @"
    exit 0
    --- stdout
    ✓ the rules are the same

    ✓ nothing is judged differently
    ");
    assert!(place.run(&["policy", "diff", &before, &after, "--fail-on-difference"]).starts_with("exit 3\n"));
    assert!(place.run(&["policy", "diff", &before, &before, "--fail-on-difference"]).starts_with("exit 0\n"));
    let counts = place.run(&["policy", "diff", &before, &after, "-o", "csv"]);
    assert_snapshot!(counts, @"
    exit 0
    --- stdout
    added,removed,changed,moved,newly_denied,newly_alerted,newly_allowed
    1,1,2,0,1,0,2
    ");
    let json = place.double.stdout(&["policy", "diff", &before, &after, "--jq", ".judged_differently[0].example"]);
    assert_eq!(json, "/root/.ssh/known_hosts\n");
}

#[test]
fn diff_takes_versions() {
    let document = |version: u32, rules: &str| {
        serde_json::json!({"version": version, "name": "web", "rules": 1, "created_at": "2026-11-22T19:00:00Z",
            "created_by": "alice", "yaml": format!("{HEAD}{rules}"), "warnings": []})
    };
    let double = Double::start(Answers::default().with("GET /api/v1/policies/1", 200, &document(1, RULES)).with(
        "GET /api/v1/policies/2",
        200,
        &document(2, "    []\n"),
    ));
    let said = double.run(&["policy", "diff", "1", "v2"]);
    assert!(said.starts_with("exit 0\n") && said.contains("removed") && said.contains("newly allowed"), "{said}");
    assert_eq!(double.requests(), ["GET /api/v1/policies/1", "GET /api/v1/policies/2"]);
}

fn simulated(double: &Double, arguments: &[&str]) -> String {
    double.run(&[&["policy", "simulate", "../examples/policies/default-policy.yaml"][..], arguments].concat())
}

#[test]
fn simulate_judges_what_is_stored() {
    let double = Double::start(Answers::fleet());
    assert_snapshot!(simulated(&double, &["--since", "2026-11-21T19:00:00Z", "--until", "2026-11-23T00:00:00Z"]), @"
    exit 0
    --- stdout
    CHANGE         KIND         RULE     BEFORE             AGENT      TYPE         ACTIONS  LAST                  EXAMPLE
    newly allowed  net_connect  default  deny by no-egress  build-017  claude-code        1  2026-11-22T19:40:01Z  192.0.2.7:443
    newly allowed  file_read    default  deny by no-egress  build-017  claude-code        1  2026-11-22T19:40:01Z  /root/.ssh/id_ed25519
    [tyr-default] 2 events judged: actions newly denied 0, newly alerted 0, newly allowed 2; 0 events as before
    ");
    assert_eq!(
        double.requests(),
        ["GET /api/v1/events?limit=1000&since=2026-11-21T19%3A00%3A00Z&until=2026-11-23T00%3A00%3A00Z"]
    );
    let json =
        double.stdout(&["policy", "simulate", "../examples/policies/default-policy.yaml", "--by", "ai", "-o", "jsonl"]);
    assert_snapshot!(json, @r#"
    {"change":"newly_allowed","kind":"net_connect","rule_before":"no-egress","rule":null,"agent_id":null,"agent_type":"claude-code","discovered_agent_id":"00000000-0000-7000-8000-000000000011","agent":null,"before":"deny","after":"allow","actions":1,"events":1,"last_ts":"2026-11-22T19:40:01.5Z","examples":["192.0.2.7:443"],"event_id":"00000000-0000-7000-8000-000000000021"}
    {"change":"newly_allowed","kind":"file_read","rule_before":"no-egress","rule":null,"agent_id":null,"agent_type":"claude-code","discovered_agent_id":"00000000-0000-7000-8000-000000000011","agent":null,"before":"deny","after":"allow","actions":1,"events":1,"last_ts":"2026-11-22T19:40:01.5Z","examples":["/root/.ssh/id_ed25519"],"event_id":"00000000-0000-7000-8000-000000000022"}
    "#);
    assert!(simulated(&double, &["--fail-on-denied"]).starts_with("exit 0\n"), "nothing is newly denied");
    let strict = "../examples/policies/coding-agents.yaml";
    assert!(double.run(&["policy", "simulate", strict, "--since", "0s"]).starts_with("exit "));
}

#[test]
fn simulate_goes_on_from_page_to_page_up_to_a_limit() {
    let page = |cursor: Option<&str>| {
        let mut event = serde_json::to_value(crate::double::event(
            1,
            tyr_api::events::EventKind::Exec,
            tyr_api::events::Verdict::Allow,
            "/usr/bin/curl",
        ))
        .expect("JSON");
        event["metadata"] = serde_json::json!({"count": "41"});
        serde_json::json!({"items": [event], "next_cursor": cursor})
    };
    let window = "since=2026-11-21T19%3A00%3A00Z&until=2026-11-23T00%3A00%3A00Z";
    let double = Double::start(
        Answers::default().with(&format!("GET /api/v1/events?limit=1000&{window}"), 200, &page(Some("next"))).with(
            &format!("GET /api/v1/events?cursor=next&limit=1000&{window}"),
            200,
            &page(None),
        ),
    );
    let times = ["--since", "2026-11-21T19:00:00Z", "--until", "2026-11-23T00:00:00Z"];
    let counted = [&times[..], &["--columns", "change,rule,actions,events"]].concat();
    assert_snapshot!(simulated(&double, &counted), @"
    exit 0
    --- stdout
    CHANGE         RULE        ACTIONS  EVENTS
    newly alerted  alert-exec       82       2
    [tyr-default] 2 events judged: actions newly denied 0, newly alerted 82, newly allowed 0; 0 events as before
    ");
    let limited = [&counted[..], &["--max-events", "1"]].concat();
    assert_snapshot!(simulated(&double, &limited), @"
    exit 0
    --- stdout
    CHANGE         RULE        ACTIONS  EVENTS
    newly alerted  alert-exec       41       1
    [tyr-default] 1 events judged: actions newly denied 0, newly alerted 41, newly allowed 0; 0 events as before
    --- stderr
    note: only the newest 1 events were judged, back to 2026-11-22T19:40:01Z; --max-events N for more
    ");
}
