//! `tyrctl check` as a monitoring system runs it.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::double::{Answers, Double, agent, alert, error};
use tyr_api::agents::Liveness;

/// One agent, in contact a moment ago; nothing is wrong.
fn calm() -> Answers {
    Answers::default()
        .list("/api/v1/agents", &vec![agent(1, "build-017", Liveness::Online, 400)])
        .list("/api/v1/daemons", &vec![agent(1, "build-017", Liveness::Online, 400)])
        .with("GET /api/v1/alerts", 200, &json!({"items": [], "next_cursor": null}))
        .list("/api/v1/stats/drift", &json!([]))
}

fn firing(rule: &str, summary: &str) -> Value {
    let mut alert = alert();
    alert["rule"] = json!(rule);
    alert["summary"] = json!(summary);
    alert
}

fn run(double: &Double, more: &[&str]) -> String {
    double.run(&[&["check", "--since", "2026-11-21T19:00:00Z"], more].concat())
}

#[test]
fn all_is_well() {
    let double = Double::start(calm());
    assert_snapshot!(run(&double, &[]), @"
    exit 0
    --- stdout
    TYR OK - 1 agent: 0 stale, 0 silent, 0 deny, 0 sustained, 0 drift | stale=0;;0;0;1 silent=0;;0;0;1 deny=0;0;;0;1 sustained=0;;0;0;1 drift=0;0;;0;
    ");
    assert_eq!(
        double.requests(),
        [
            "GET /api/v1/agents",
            "GET /api/v1/alerts?limit=1000&state=firing",
            "GET /api/v1/stats/drift?since=2026-11-21T19%3A00%3A00Z"
        ]
    );
}

#[test]
fn the_documented_alerts_have_their_states() {
    let fleet = Answers::fleet().with(
        "GET /api/v1/alerts",
        200,
        &json!({"items": [firing("deny_spike", "31 denials in 5 min by no-egress|x"), firing("silent", "no event for 8 days")],
            "next_cursor": null}),
    );
    let double = Double::start(fleet);
    assert_snapshot!(run(&double, &["stale"]), @"
    exit 2
    --- stdout
    TYR CRITICAL - 2 of 3 agents stale for more than 5m00s: build-018, build-017 | stale=2;;0;0;3
    CRITICAL stale: build-018: not heard from for 3h05m
    CRITICAL stale: build-017: not heard from for 9m39s
    ");
    assert_snapshot!(run(&double, &["silent"]), @"
    exit 2
    --- stdout
    TYR CRITICAL - 1 agent silent: build-017 | silent=1;;0;0;3
    CRITICAL silent: build-017: no event for 8 days
    ");
    assert_snapshot!(run(&double, &["deny"]), @"
    exit 1
    --- stdout
    TYR WARNING - 1 agent with a deny spike: build-017 | deny=1;0;;0;3
    WARNING deny: build-017: 31 denials in 5 min by no-egress¦x
    ");
    assert_snapshot!(run(&double, &["drift"]), @"
    exit 1
    --- stdout
    TYR WARNING - 3 drifting events since 2026-11-21T19:00:00Z: build-017 | drift=3;0;;0;
    WARNING drift: build-017: 3 drifting, last 2026-11-22T19:40:01Z
    ");
    assert_snapshot!(run(&double, &["sustained"]), @"
    exit 0
    --- stdout
    TYR OK - 3 agents: 0 sustained | sustained=0;;0;0;3
    ");
    assert_snapshot!(run(&double, &[]), @"
    exit 2
    --- stdout
    TYR CRITICAL - 2 of 3 agents stale for more than 5m00s: build-018, build-017; 1 agent silent: build-017; 1 agent with a deny spike: build-017; 3 drifting events since 2026-11-21T19:00:00Z: build-017 | stale=2;;0;0;3 silent=1;;0;0;3 deny=1;0;;0;3 sustained=0;;0;0;3 drift=3;0;;0;
    CRITICAL stale: build-018: not heard from for 3h05m
    CRITICAL stale: build-017: not heard from for 9m39s
    CRITICAL silent: build-017: no event for 8 days
    WARNING deny: build-017: 31 denials in 5 min by no-egress¦x
    WARNING drift: build-017: 3 drifting, last 2026-11-22T19:40:01Z
    ");
}

#[test]
fn thresholds_and_agents_are_taken_at_their_word() {
    let double = Double::start(Answers::everything());
    for (arguments, code) in [
        (&["stale"][..], 2),
        (&["stale", "-c", "2"], 0),
        (&["stale", "-w", "1", "-c", "5"], 1),
        (&["stale", "--warning", "1", "--critical", "1"], 2),
        (&["stale", "--stale-after", "1h"], 2),
        (&["stale", "--stale-after", "1d"], 0),
        (&["stale", "--agent", "laptop-zoë"], 0),
        (&["stale", "-w", "@2:2"], 1),
        (&["drift"], 1),
        (&["drift", "-c", "3"], 0),
        (&["drift", "-c", "2"], 2),
        (&["drift", "--agent", "laptop-zoë"], 0),
        (&["silent", "deny"], 0),
    ] {
        let said = run(&double, arguments);
        assert!(said.starts_with(&format!("exit {code}\n--- stdout\nTYR ")), "{arguments:?}: {said}");
    }
    let json: Value = serde_json::from_str(
        &String::from_utf8(double.command(&["check", "stale", "-o", "json"]).output().expect("it runs").stdout)
            .expect("UTF-8"),
    )
    .expect("JSON");
    assert_eq!((&json["state"], &json["checks"][0]["value"]), (&json!("CRITICAL"), &json!(2)));
}

#[test]
fn what_keeps_us_from_knowing_is_unknown_and_nothing_else() {
    let closed_port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("http://{}", listener.local_addr().expect("bound"))
    };
    let well = Double::start(calm());
    let unknown = |double: &Double, arguments: &[&str]| {
        let said = double.run(arguments);
        assert!(said.starts_with("exit 3\n--- stdout\nTYR UNKNOWN - "), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 3, "one line and no talk: {said}");
    };
    for arguments in [
        &["check", "--server", &closed_port][..],
        &["check", "--server", "http://tyr.example.com"],
        &["check", "--token-file", "/nonexistent"],
        &["check", "--agent", "nobody"],
        &["check", "--no-such-flag"],
        &["check", "stael"],
        &["check", "-c", "x"],
        &["check", "--stale-after", "soon"],
        &["--tz", "Mars/Base", "check"],
        &["check", "--jq", "("],
        &["--context", "nowhere", "check", "--server", ""],
    ] {
        unknown(&well, arguments);
    }
    for status in [401, 403, 404, 500, 503] {
        let double = Double::start(calm().with("GET /api/v1/agents", status, &error("x", "no", None)));
        unknown(&double, &["check"]);
        let double = Double::start(calm().with("GET /api/v1/alerts", status, &error("x", "no", None)));
        unknown(&double, &["check"]);
    }
    let page = Double::serve(|_| {
        axum::Router::new().fallback(|| async { ([("content-type", "text/html")], "<html>please log in</html>") })
    });
    unknown(&page, &["check"]);
    let silent = Double::serve(|_| axum::Router::new().fallback(std::future::pending::<&str>));
    unknown(&silent, &["check", "--timeout", "200ms"]);
    std::fs::write(well.config().join("config.toml"), "nonsense = 1\n").expect("written");
    unknown(&well, &["check"]);
}
