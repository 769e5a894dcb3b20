//! What each command says: exit code, standard output and standard error in one text.

use insta::assert_snapshot;
use serde_json::json;

use crate::double::{Answers, Double, error, id};

#[test]
fn agents_lists_the_fleet_by_name() {
    let double = Double::start(Answers::fleet());
    assert_snapshot!(double.run(&["agents"]), @"
    exit 0
    --- stdout
    NAME        STATUS   LAST_SEEN  POSTURE  POLICY      AI  LOST  KERNEL
    build-017   stale    9m39s ago  partial  v2 pending   1     0  6.1.0-26-amd64
    build-018   offline  3h05m ago  partial  v2 pending   1     0  6.1.0-26-amd64
    laptop-zoë  online   0.4s ago   partial  v2           1     0  6.1.0-26-amd64
    ");
    assert_snapshot!(double.run(&["agents", "--stale"]), @"
    exit 0
    --- stdout
    NAME       STATUS   LAST_SEEN  POSTURE  POLICY      AI  LOST  KERNEL
    build-018  offline  3h05m ago  partial  v2 pending   1     0  6.1.0-26-amd64
    build-017  stale    9m39s ago  partial  v2 pending   1     0  6.1.0-26-amd64
    ");
    assert_snapshot!(double.run(&["agents", "--stale=1h", "--columns", "name,staleness", "--no-headers"]), @"
    exit 0
    --- stdout
    build-018  3h05m
    ");
    assert_snapshot!(double.run(&["agents", "build-017", "-o", "csv", "--columns", "name,last_seen,staleness"]), @"
    exit 0
    --- stdout
    name,last_seen,staleness
    build-017,2026-11-22T19:30:00Z,579.000
    ");
    for arguments in [["agents", "--online"], ["agents", "--silent"]] {
        assert_eq!(double.stdout(&[arguments[0], arguments[1], "-o", "name"]), "laptop-zoë\n");
    }
    let named = ["agents", "laptop-zoë", "build-017", "--stale", "-o", "name"];
    assert_eq!(double.stdout(&named), "build-017\n", "one that is not stale is left out");
}

#[test]
fn unknown_agents_get_the_nearest_names() {
    let double = Double::start(Answers::fleet());
    assert_snapshot!(double.run(&["agents", "biuld-017"]), @"
    exit 1
    --- stderr
    error: there is no agent `biuld-017`
    hint: did you mean `build-017`, `build-018`?
    ");
    assert_snapshot!(double.run(&["events", "list", "--agent", "xyz"]), @"
    exit 1
    --- stderr
    error: there is no agent `xyz`
    hint: `tyrctl agents --archived` lists them all
    ");
}

#[test]
fn agent_show_tells_all() {
    let double = Double::start(Answers::fleet());
    assert_snapshot!(double.run(&["agent", "show", "build-017"]), @"
    exit 0
    --- stdout
    name            build-017
    agent_id        00000000-0000-7000-8000-000000000001
    status          stale
    connected       false
    last_seen       9m39s ago
    posture         partial
    reason          no BPF LSM
    doubt           -
    denial          not_tried
    denial_at       -
    tables          as_expected
    tables_digest   1-9f86d081
    unregistered    audit
    policy          v2 pending
    policy_id       a1
    assigned        b2
    policy_error    -
    ai              1
    scope           the whole host
    kernel          6.1.0-26-amd64
    arch            x86_64
    version         0.1.0
    capabilities    net_enforce observe
    hooks           cgroup/connect4
    clock_skew_ms   -3
    waiting         0
    lost            0
    last_event_at   -
    enrolled_at     2026-11-22T19:30:00Z
    cert_not_after  2026-11-22T19:30:00Z
    archived_at     -
    revoked_at      -
    ");
}

#[test]
fn ai_lists_running_trees() {
    let double = Double::start(Answers::fleet());
    assert_snapshot!(double.run(&["ai"]), @"
    exit 0
    --- stdout
    TYPE         AGENT       PID  STATUS   REGISTERED  FIRST_SEEN            FOUND_BY     EXE            CMDLINE
    claude-code  build-017  4123  running  yes         2026-11-22T19:30:00Z  fingerprint  /usr/bin/node  node cli.js
    ");
    assert_snapshot!(double.run(&["ai", "--type", "none"]), @"
    exit 0
    --- stdout
    TYPE  AGENT  PID  STATUS  REGISTERED  FIRST_SEEN  FOUND_BY  EXE  CMDLINE
    --- stderr
    no running AI processes
    ");
}

#[test]
fn drift_counts_by_agent_as_documented() {
    let double = Double::start(Answers::fleet());
    assert_snapshot!(double.run(&["drift", "--since", "2026-11-21T19:00:00Z"]), @"
    exit 0
    --- stdout
    AGENT      DRIFTS  SEVERE  LAST                  SUSTAINED  AGENT_ID
    build-017       3       0  2026-11-22T19:40:01Z  no         00000000-0000-7000-8000-000000000001
    ");
    assert_eq!(double.requests(), ["GET /api/v1/stats/drift?since=2026-11-21T19%3A00%3A00Z"]);
    assert_snapshot!(double.run(&["drift", "--since", "2026-11-21T19:00:00Z", "--by", "reason"]), @"
    exit 0
    --- stdout
    GROUP         DRIFTS  SEVERE  AGENTS  LAST                  SUSTAINED
    stale_policy       2       0       1  2026-11-22T19:40:01Z  yes
    none               1       0       1  2026-11-22T19:40:01Z  no
    ");
    let json = double.stdout(&["drift", "--since", "2026-11-21T19:00:00Z", "--by", "reason", "-o", "jsonl"]);
    assert_snapshot!(json, @r#"
    {"group":"stale_policy","drifts":2,"severe":0,"agents":1,"last_ts":"2026-11-22T19:40:01.5Z","sustained":true}
    {"group":"none","drifts":1,"severe":0,"agents":1,"last_ts":"2026-11-22T19:40:01.5Z","sustained":false}
    "#);
}

#[test]
fn events_list_shows_and_asks_for_what_was_meant() {
    let double = Double::start(Answers::fleet());
    assert_snapshot!(double.run(&["events", "list"]), @"
    exit 0
    --- stdout
    TS                    VERDICT  KIND         AGENT      TYPE         RESOURCE                PID  EXE            RULE       DRIFT
    2026-11-22T19:40:01Z  deny     net_connect  build-017  claude-code  192.0.2.7:443          4123  /usr/bin/node  no-egress  -
    2026-11-22T19:40:01Z  alert    file_read    build-017  claude-code  /root/.ssh/id_ed25519  4123  /usr/bin/node  no-egress  alert→deny
    ");
    double.run(&[
        "events",
        "list",
        "--since",
        "2026-11-22",
        "--kind",
        "exec",
        "--verdict",
        "deny",
        "--drift",
        "--limit",
        "5",
    ]);
    assert_eq!(
        double.requests()[1],
        "GET /api/v1/events?drift_detected=true&kind=exec&limit=6&since=2026-11-22T00%3A00%3A00Z&verdict=deny"
    );
    // Two verdicts are more than the server can be asked for at once: it is asked for all, and the rest is left out here.
    assert_snapshot!(double.run(&["events", "list", "--verdict", "alert,allow", "-o", "tsv", "--columns", "verdict,resource"]), @"
    exit 0
    --- stdout
    verdict	resource
    alert	/root/.ssh/id_ed25519
    ");
    assert_eq!(double.requests()[2], "GET /api/v1/events?limit=1000");
}

#[test]
fn events_rate_is_counted_by_the_server() {
    let double = Double::start(Answers::fleet());
    assert_snapshot!(double.run(&["events", "rate"]), @"
    exit 0
    --- stdout
    MINUTE                VERDICT  EVENTS  DRIFTS
    2026-11-22T19:41:00Z  deny          5       1
    2026-11-22T19:40:00Z  allow       100       0
    ");
    assert_snapshot!(double.run(&["events", "rate", "--since", "2026-11-22T19:00:00Z", "--by", "agent"]), @"
    exit 0
    --- stdout
    HOUR                  AGENT      EVENTS  DRIFTS
    2026-11-22T19:00:00Z  build-017       5       1
    ");
    assert_snapshot!(double.stdout(&["events", "rate", "--since", "2026-11-22T19:00:00Z", "-o", "jsonl"]), @r#"
    {"minute":"2026-11-22T19:41:00Z","verdict":"deny","events":5,"drifts":1}
    {"minute":"2026-11-22T19:40:00Z","verdict":"allow","events":100,"drifts":0}
    "#);
    assert_eq!(double.requests()[2], "GET /api/v1/stats/rate?by=verdict&since=2026-11-22T19%3A00%3A00Z");
}

#[test]
fn a_rollback_makes_a_new_version() {
    let answer = json!({"version": 4, "name": "web", "rules": 1, "created_at": "2026-11-22T19:00:00Z",
                        "created_by": "admin", "yaml": "x", "warnings": []});
    let double = Double::start(Answers::fleet().with("POST /api/v1/policies/2/rollback", 201, &answer));
    assert_snapshot!(double.run(&["policy", "rollback", "v2", "--yes"]), @"
    exit 0
    --- stdout
    ✓ version 4 [web], the text of version 2
    --- stderr
    note: in force nowhere yet; `tyrctl policy assign --version 4 --all` changes that
    ");
    assert!(double.run(&["policy", "rollback", "3", "--yes"]).starts_with("exit 1\n"));
    assert!(double.run(&["policy", "rollback", "0", "--yes"]).starts_with("exit 2\n"));
}

#[test]
fn a_list_is_read_to_its_last_page() {
    use axum::Json;
    use axum::extract::Query;
    use std::collections::HashMap;
    let double = Double::serve(|_| {
        axum::Router::new().route(
            "/api/v1/policies",
            axum::routing::get(async |Query(query): Query<HashMap<String, String>>| {
                let version = |n: u8| json!({"version": n, "name": "web", "rules": 1, "created_at": "2026-11-22T19:00:00Z", "created_by": "admin"});
                match query.get("cursor").map(String::as_str) {
                    None => Json(json!({"items": [version(3), version(2)], "next_cursor": "2"})),
                    Some(_) => Json(json!({"items": [version(1)], "next_cursor": null})),
                }
            }),
        )
    });
    assert_eq!(double.stdout(&["policy", "list", "-o", "name"]), "3\n2\n1\n");
}

#[test]
fn api_sends_one_request_as_it_is() {
    let made = json!({"a\u{9b}": [1, "\u{202e}"]});
    let double = Double::start(Answers::fleet().with("POST /api/v1/x", 201, &made));
    assert_eq!(
        double.run_with_input(&["api", "post", "x", "--input", "-", "--yes"], "{}"),
        "exit 0\n--- stdout\n{\n  \"a\\u009b\": [\n    1,\n    \"\\u202e\"\n  ]\n}\n"
    );
    let rows = double.stdout(&[
        "api",
        "GET",
        "/api/v1/policies",
        "--query",
        "limit=2",
        "--query",
        "cursor=a b",
        "-o",
        "jsonl",
    ]);
    assert_eq!(rows.lines().count(), 2);
    assert_eq!(double.requests(), ["POST /api/v1/x", "GET /api/v1/policies?limit=2&cursor=a+b"]);
    assert_snapshot!(double.run(&["api", "GET", "nothing"]), @"
    exit 1
    --- stderr
    error: nothing at GET /api/v1/nothing
    ");
    assert_snapshot!(double.run(&["api", "GET", "//elsewhere.example/x"]), @"
    exit 2
    --- stderr
    error: `//elsewhere.example/x` is no path on `[server]`
    ");
    assert!(double.run(&["api", "GET", "agents", "--query", "limit"]).starts_with("exit 2\n"));
    assert!(double.run_with_input(&["api", "POST", "x", "--input", "-", "--yes"], "{").starts_with("exit 1\n"));
    assert_eq!(double.requests().len(), 3, "what is wrong is not sent");
}

#[test]
fn a_broken_policy_is_shown_with_its_places_and_never_sent() {
    let double = Double::start(Answers::fleet());
    let yaml = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata:\n  name: web\nspec:\n  rules:\n    - name: a\n      acton: exec\n      verdict: denny\n";
    let said = double.run_with_input(&["policy", "apply", "-f", "-"], yaml);
    assert!(said.starts_with("exit 1\n--- stderr\nerror: policy `standard input` was not applied\ncause: line 8, column 7: unknown field `acton`"), "{said}");
    assert!(said.contains(" 8 |       acton: exec\n          |       ^\n"), "{said}");
    assert!(said.contains("did you mean `action`?"), "{said}");
    assert_eq!(double.requests(), Vec::<String>::new());
}

#[test]
fn a_good_policy_gets_a_version() {
    let yaml = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata:\n  name: web\nspec:\n  rules:\n    - name: a\n      action: exec\n      verdict: alert\n";
    let document = json!({"version": 3, "name": "web", "rules": 1, "created_at": "2026-11-22T19:00:00Z", "created_by": "alice",
        "yaml": yaml, "warnings": []});
    let double = Double::start(Answers::fleet().with("POST /api/v1/policies", 201, &document).with(
        "GET /api/v1/policies/3",
        200,
        &document,
    ));
    assert_snapshot!(double.run_with_input(&["policy", "apply", "-f", "-"], yaml), @"
    exit 0
    --- stdout
    ✓ version 3 [web]
    --- stderr
    note: in force nowhere yet; `tyrctl policy assign --version 3 --all` changes that
    ");
    assert_eq!(double.stdout(&["policy", "show", "3"]), yaml, "into a pipe it goes to the byte");
    let checked = double.run_with_input(&["policy", "apply", "-f", "-", "--dry-run"], yaml);
    assert!(checked.starts_with("exit 0\n--- stdout\n✓ valid [web]"), "{checked}");
}

#[test]
fn policies_assignments_and_tokens_are_listed() {
    let double = Double::start(Answers::fleet());
    assert_snapshot!(double.run(&["policy", "list"]), @"
    exit 0
    --- stdout
    VERSION  NAME  RULES  CREATED_AT            CREATED_BY
          2  web       3  2026-11-22T19:00:00Z  alice
          1  web       3  2026-11-22T19:00:00Z  alice
    ");
    assert_snapshot!(double.run(&["policy", "assignments"]), @"
    exit 0
    --- stdout
    TARGET_TYPE  TARGET     VERSION  POLICY  ASSIGNED_AT           ASSIGNED_BY
    agent        build-017        2  web     2026-11-22T19:10:00Z  alice
    ");
    assert_snapshot!(double.run(&["token", "list"]), @"
    exit 0
    --- stdout
    TOKEN_ID  LABEL    USES  MAX_USES  EXPIRES_AT            REVOKED_AT  CREATED_BY
    7f3k      laptops     2        50  2026-11-23T19:00:00Z  -           alice
    ");
}

#[test]
fn assigning_wants_a_yes_and_takes_names_and_the_documented_words() {
    let answer = json!({"assignment_id": id(31), "version": 2, "policy_name": "web", "target_type": "agent", "target_id": id(1),
        "assigned_at": "2026-11-22T19:10:00Z", "assigned_by": "alice"});
    let double = Double::start(Answers::fleet().with("POST /api/v1/policy-assignments", 201, &answer));
    assert_snapshot!(double.run(&["policy", "assign", "--version", "2", "--agent", "build-017"]), @"
    exit 2
    --- stderr
    error: not done: put version 2 [web] in force for agent build-017
    cause: nobody can be asked to confirm it
    hint: `--yes` does it without asking, `--dry-run` only says what it would do
    ");
    assert_snapshot!(double.run(&["policy", "assign", "--version", "2", "--agent", "build-017", "--yes"]), @"
    exit 0
    --- stdout
    ✓ version 2 [web] is assigned to agent build-017
    ");
    let documented =
        ["policy", "assign", "--target-type", "daemon", "--target-id", &id(1).to_string(), "--version", "v2", "--yes"];
    assert_snapshot!(double.run(&documented), @"
    exit 0
    --- stdout
    ✓ version 2 [web] is assigned to agent build-017
    ");
}

#[test]
fn an_assignment_ends_by_the_name_of_its_target() {
    let route = format!("DELETE /api/v1/policy-assignments/{}", id(31));
    let double = Double::start(Answers::fleet().with(&route, 204, &json!(null)));
    assert_snapshot!(double.run(&["policy", "unassign", "--agent", "build-017", "--dry-run"]), @"
    exit 0
    --- stdout
    would end version 2 [web] for agent build-017
    ");
    assert_snapshot!(double.run(&["policy", "unassign", "--agent", "build-017"]), @"
    exit 2
    --- stderr
    error: not done: end version 2 [web] for agent build-017
    cause: nobody can be asked to confirm it
    hint: `--yes` does it without asking, `--dry-run` only says what it would do
    ");
    assert!(!double.requests().iter().any(|request| request.starts_with("DELETE")));
    assert_snapshot!(double.run(&["policy", "unassign", "--agent", "build-017", "--yes"]), @"
    exit 0
    --- stdout
    ✓ version 2 [web] for agent build-017 has ended
    ");
    assert_eq!(double.requests().last(), Some(&route));
    assert_snapshot!(double.run(&["policy", "unassign", "--all", "--yes"]), @"
    exit 1
    --- stderr
    error: nothing is assigned to all agents that have none of their own
    hint: `tyrctl policy assignments` lists what is assigned to whom
    ");
    let unsaid = double.run(&["policy", "unassign", "--yes"]);
    assert!(unsaid.starts_with("exit 2\n"), "{unsaid}");
}

#[test]
fn login_remembers_server_and_name() {
    let session = json!({"token": "a.b.c", "expires_at": "2026-11-23T19:00:00Z", "username": "alice", "role": "admin"});
    let double = Double::start(Answers::fleet().with("POST /api/v1/auth/login", 200, &session));
    assert_snapshot!(double.run_with_input(&["login", "--username", "alice", "--password-stdin"], "secret-secret\n"), @"
    exit 0
    --- stdout
    state       logged in
    server      [server]
    context     default
    username    alice
    role        admin
    expires_at  2026-11-23T19:00:00Z
    token       [config]/tyr/token
    ");
    assert_eq!(std::fs::read_to_string(double.config().join("token")).expect("stored"), "a.b.c\n");
    let without_server =
        double.command(&["auth", "status", "-o", "json"]).env_remove("TYR_SERVER").output().expect("it runs");
    let status: serde_json::Value = serde_json::from_slice(&without_server.stdout).expect("JSON");
    assert_eq!((&status["username"], &status["server"]), (&json!("alice"), &json!(double.url())));
    assert_snapshot!(double.run(&["logout"]), @"
    exit 0
    --- stdout
    ✓ logged out
    ");
    assert_snapshot!(double.run(&["agents"]), @"
    exit 4
    --- stderr
    error: not logged in to `[server]`
    hint: `tyrctl login --username NAME`
    ");
}

#[test]
fn a_stored_token_is_shown_to_its_own_server_alone() {
    let (mine, other) = (Double::start(Answers::fleet()), Double::start(Answers::fleet()));
    mine.stdout(&["context", "add", "default"]);
    tyrctl::auth::store_token(&mine.config().join("token"), "stored-token").expect("stored");
    mine.stdout(&["agents"]);
    let output = mine.command(&["agents", "--server", &other.url()]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(other.requests(), Vec::<String>::new());
}

#[test]
fn server_errors_keep_their_hint_and_request() {
    let double = Double::start(
        Answers::fleet().with("GET /api/v1/policies", 500, &error("internal", "something went wrong", None)).with(
            "GET /api/v1/policies/9",
            404,
            &error("not_found", "there is no policy version 9.", Some("list them")),
        ),
    );
    assert_snapshot!(double.run(&["policy", "list"]), @"
    exit 1
    --- stderr
    error: something went wrong
    hint: the server's log has more about request req-1
    ");
    assert_snapshot!(double.run(&["policy", "show", "9"]), @"
    exit 1
    --- stderr
    error: there is no policy version 9
    hint: list them
    ");
}

#[test]
fn notes_are_silent_on_request() {
    let double = Double::start(Answers::fleet().list("/api/v1/agents", &json!([])));
    assert_snapshot!(double.run(&["agents", "-q", "--no-headers"]), @"
    exit 0
    ");
}

#[test]
fn agents_are_archived_and_revoked_after_a_question() {
    let archived = crate::double::agent(1, "build-017", tyr_api::agents::Liveness::Stale, 579_000);
    let double = Double::start(Answers::fleet().with(&format!("PATCH /api/v1/agents/{}", id(1)), 200, &archived).with(
        &format!("DELETE /api/v1/agents/{}", id(1)),
        200,
        &archived,
    ));
    assert_snapshot!(double.run(&["agent", "revoke", "build-017"]), @"
    exit 2
    --- stderr
    error: not done: revoke the agent build-017 (00000000-0000-7000-8000-000000000001)
    cause: nobody can be asked to confirm it
    hint: `--yes` does it without asking, `--dry-run` only says what it would do
    ");
    assert_snapshot!(double.run(&["agent", "revoke", "build-017", "--dry-run"]), @"
    exit 0
    --- stdout
    would revoke the agent build-017 (00000000-0000-7000-8000-000000000001)
    ");
    let changes = |double: &Double| {
        let changes = |line: &String| !line.starts_with("GET ");
        double.requests().into_iter().filter(changes).collect::<Vec<_>>()
    };
    assert!(changes(&double).is_empty());
    assert_snapshot!(double.run(&["agent", "revoke", "build-017", "--yes"]), @"
    exit 0
    --- stdout
    ✓ agent build-017 (00000000-0000-7000-8000-000000000001) is revoked
    ");
    assert_snapshot!(double.run(&["agent", "archive", "build-017", "--yes"]), @"
    exit 0
    --- stdout
    ✓ agent build-017 (00000000-0000-7000-8000-000000000001) is archived
    ");
    assert_snapshot!(double.run(&["agent", "unarchive", "build-017"]), @"
    exit 0
    --- stderr
    agent build-017 (00000000-0000-7000-8000-000000000001) is not archived
    ");
    let url = format!("/api/v1/agents/{}", id(1));
    assert_eq!(changes(&double), [format!("DELETE {url}"), format!("PATCH {url}")]);
}
