//! How the remaining commands look: those that no test of their own shows.

use insta::assert_snapshot;
use serde_json::json;

use crate::double::{Answers, Double, error, id};

#[test]
fn the_database_in_its_parts() {
    let double = Double::start(Answers::everything());
    assert_snapshot!(double.run(&["db", "connections"]), @"
    exit 0
    --- stdout
    APPLICATION  STATE  CONNECTIONS  OLDEST_TRANSACTION
    tyr-server   idle             3  -
    ");
    assert_snapshot!(double.run(&["db", "tables"]), @"
    exit 0
    --- stdout
    TABLE   ROWS     SIZE  INDEXES  GROWTH_PER_DAY
    events     2  16.3 kB   8.1 kB         90.0 kB
    ");
    assert_snapshot!(double.run(&["db", "partitions"]), @"
    exit 0
    --- stdout
    PARTITION        ROWS    SIZE  INDEXES  OLDEST                NEWEST
    events_20261122     2  8.1 kB   4.0 kB  2026-11-22T19:40:01Z  2026-11-22T19:40:01Z
    ");
    assert_snapshot!(double.run(&["db", "indexes"]), @"
    exit 0
    --- stdout
    INDEX                     SIZE   BLOAT  BLOAT_PERCENT  SCANS
    events_20261122_ts_idx  8.1 kB  1.0 kB             12      7
    ");
    assert_snapshot!(double.run(&["db", "apart"]), @"
    exit 0
    --- stdout
    AGENT      HOW       REASON    EVENTS  OLDEST  NEWEST  LAST
    build-017  rejected  no event       4  -       -       2026-11-22T19:40:01Z
    ");
    assert_snapshot!(double.run(&["db"]), @"
    exit 0
    --- stdout
    version            PostgreSQL 15.18
    database           tyr
    size               9.0 MB
    connections        3 of 100
    retention          30 days
    partitions         1
    events_per_day     1200
    growth_per_day     90.0 kB
    events_ts_indexes  8.1 kB
    events_ts_bloat    1.0 kB
    apart              4
    migrations         0

    APPLICATION  STATE  CONNECTIONS  OLDEST_TRANSACTION
    tyr-server   idle             3  -

    TABLE   ROWS     SIZE  INDEXES  GROWTH_PER_DAY
    events     2  16.3 kB   8.1 kB         90.0 kB

    PARTITION        ROWS    SIZE  INDEXES  OLDEST                NEWEST
    events_20261122     2  8.1 kB   4.0 kB  2026-11-22T19:40:01Z  2026-11-22T19:40:01Z
    --- stderr
    note: agents sent what has no place among the events; `tyrctl db apart` says what
    ");
}

#[test]
fn counts_of_agents_and_metrics() {
    let double = Double::start(Answers::everything());
    assert_snapshot!(double.run(&["events", "agents", "--since", "2026-11-22T19:00:00Z"]), @"
    exit 0
    --- stdout
    AGENT      EVENTS  ALLOW  DENY  ALERT  DRIFTS
    build-017       9      5     3      1       1
    ");
    assert_snapshot!(double.run(&["metrics"]), @r#"
    exit 0
    --- stdout
    # HELP tyr_events_total Events.
    # TYPE tyr_events_total counter
    tyr_events_total{verdict="deny"} 3
    "#);
    assert_snapshot!(double.run(&["metrics", "--columns", "name,labels,value"]), @r#"
    exit 0
    --- stdout
    NAME              LABELS          VALUE
    tyr_events_total  verdict="deny"  3
    "#);
    assert_snapshot!(double.run(&["drift", "--events", "--columns", "ts,verdict,server_verdict,drift_reason,resource"]), @"
    exit 0
    --- stdout
    TS                    VERDICT  SERVER_VERDICT  DRIFT_REASON       RESOURCE
    2026-11-22T19:40:01Z  deny     deny            -                  192.0.2.7:443
    2026-11-22T19:40:01Z  alert    deny            not_enforced_here  /root/.ssh/id_ed25519
    ");
}

#[test]
fn health_versions_and_what_the_server_says_of_itself() {
    let double = Double::start(Answers::fleet());
    assert_snapshot!(double.run(&["health"]), @"
    exit 0
    --- stdout
    status   ok
    db       ok
    version  0.1.0
    ");
    assert_snapshot!(double.run(&["version", "--client", "-o", "name"]).replace(env!("CARGO_PKG_VERSION"), "[version]"), @"
    exit 0
    --- stdout
    [version]
    ");
    let unwell =
        Answers::default().with("GET /health", 503, &json!({"status": "error", "db": "error", "version": "0.1.0"}));
    assert_snapshot!(Double::start(unwell).run(&["health"]), @"
    exit 1
    --- stdout
    status   error
    db       error
    version  0.1.0
    --- stderr
    error: the server is not well
    cause: status error, database error
    hint: agents keep their events meanwhile; see the server's log
    ");
}

#[test]
fn what_an_agent_should_run() {
    let effective = json!({"agent_id": id(1), "policy_id": "b2", "in_force_policy_id": "a1",
        "layers": [{"version": 4, "name": "claude", "agent_type": "claude-code", "yaml": "x"},
            {"version": 2, "name": "web", "agent_type": null, "yaml": "x"}]});
    let path = format!("GET /api/v1/agents/{}/effective-policy", id(1));
    let double = Double::start(Answers::fleet().with(&path, 200, &effective));
    assert_snapshot!(double.run(&["policy", "effective", "build-017"]), @"
    exit 0
    --- stdout
    agent               build-017
    state               not in force yet
    policy_id           b2
    in_force_policy_id  a1
    policy_error        -

    VERSION  NAME    APPLIES_TO
          4  claude  claude-code
          2  web     every AI process
    ");
}

#[test]
fn contexts_and_their_names() {
    let double = Double::start(Answers::fleet());
    assert_snapshot!(double.run(&["context", "list"]), @"
    exit 0
    --- stdout
    CURRENT  NAME  SERVER  USERNAME  TOKEN
    --- stderr
    no contexts; `tyrctl login` and `tyrctl context add` make them
    ");
    double.stdout(&["context", "add", "prod", "--server", "https://tyr.example.com:7701", "--read-only", "--use"]);
    assert_snapshot!(double.run(&["context", "list", "--columns", "current,name,server,token,read_only"]), @"
    exit 0
    --- stdout
    CURRENT  NAME  SERVER                        TOKEN  READ_ONLY
    *        prod  https://tyr.example.com:7701  -      true
    ");
    assert_snapshot!(double.run(&["context", "show", "prod"]), @"
    exit 0
    --- stdout
    name       prod
    server     https://tyr.example.com:7701
    ca_file    -
    username   -
    timezone   -
    read_only  true
    current    true
    logged_in  false
    ");
    assert_snapshot!(double.run(&["context", "show", "prdo"]), @"
    exit 1
    --- stderr
    error: there is no context `prdo`
    hint: did you mean `prod`?
    ");
    assert_snapshot!(double.run(&["context", "remove", "prod", "--yes"]), @"
    exit 0
    --- stdout
    ✓ context prod is removed
    ");
}

#[test]
fn tokens_are_made_and_ai_processes_named() {
    let token = json!({"token": "tyr_7f3k_secret", "token_id": "7f3k", "label": "ci", "max_uses": 1, "uses": 0,
        "expires_at": "2026-11-23T19:00:00Z", "revoked_at": null, "created_at": "2026-11-22T19:00:00Z", "created_by": "alice"});
    let double = Double::start(Answers::fleet().with("POST /api/v1/enrollment-tokens", 201, &token).with(
        "DELETE /api/v1/enrollment-tokens/zzz",
        404,
        &error("not_found", "there is no token `zzz`", None),
    ));
    assert_snapshot!(double.run(&["token", "create", "--label", "ci"]), @"
    exit 0
    --- stdout
    token       tyr_7f3k_secret
    label       ci
    max_uses    1
    expires_at  2026-11-23T19:00:00Z
    --- stderr
    note: the token is shown only this once; put it as `enrollment_token` into /etc/tyr/tyrd.yaml of the host
    ");
    assert_snapshot!(double.run(&["token", "revoke", "zzz", "--yes"]), @"
    exit 1
    --- stderr
    error: there is no token `zzz`
    ");
    assert_snapshot!(double.run(&["token", "create", "--label", "ci", "--max-uses", "0"]), @"
    exit 2
    --- stderr
    error: `0` is not a value for `--max-uses <N>`
    cause: 0 is not in 1..=100000
    ");
}
