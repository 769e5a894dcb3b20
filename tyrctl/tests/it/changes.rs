//! Verbs that change what others depend on: all of them ask, can be rehearsed, want a `--yes` in scripts, and stay out of read-only contexts.

use serde_json::json;

use crate::double::{Answers, Double, alert, id};

/// Each of them, as one would type it, and what it is about.
fn verbs() -> Vec<(Vec<String>, &'static str)> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    vec![
        (words("policy assign --version 2 --agent build-017"), "put version 2 [web] in force for agent build-017"),
        (words("policy unassign --agent build-017"), "end version 2 [web] for agent build-017"),
        (words("policy rollback 2"), "make a new version with the text of version 2 [web]"),
        (words("agent archive build-017"), "archive the agent build-017"),
        (words("agent revoke build-017"), "revoke the agent build-017"),
        (words("ai approve aider"), "register agent type aider on all agents"),
        (words("ai quarantine aider"), "take back the registration of agent type aider"),
        (words("token revoke 7f3k"), "revoke the enrollment token 7f3k"),
        (words("user delete bob"), "remove the user bob"),
        (words("user set-role bob admin"), "make an admin of bob"),
        (words("user reset-password bob --password-stdin"), "give bob another password"),
        (words("alerts webhook remove 00000061"), "remove the webhook 00000061"),
        (words("auth rotate-key"), "replace the session key"),
        (words("context remove default"), "remove the context default"),
        (words("alerts ack 00000052"), "acknowledge posture_fell on build-017"),
        (words("api DELETE users/x?force=1"), "send `DELETE /api/v1/users/x?force=1`"),
        (words("api POST policies --query a=b"), "send `POST /api/v1/policies?a=b`"),
        (words("api PATCH users/x"), "send `PATCH /api/v1/users/x`"),
    ]
}

/// Those that change nothing on the server.
fn is_local(verb: &[String]) -> bool {
    verb[0] == "context"
}

/// What they say when it is done: `api` prints the answer.
fn told(verb: &[String]) -> &'static str {
    if verb[0] == "api" { "exit 0\n" } else { "exit 0\n--- stdout\n✓ " }
}

fn double() -> Double {
    let document = json!({"version": 3, "name": "web", "rules": 1, "created_at": "2026-11-22T19:00:00Z", "created_by": "alice",
        "yaml": "x", "warnings": []});
    let assignment = json!({"assignment_id": id(31), "version": 2, "policy_name": "web", "target_type": "agent",
        "target_id": id(1), "assigned_at": "2026-11-22T19:10:00Z", "assigned_by": "alice"});
    let user = json!({"user_id": id(43), "username": "bob", "role": "admin", "created_at": "2026-11-22T18:30:00Z",
        "password_changed_at": null, "last_login_at": null});
    let agent = crate::double::agent(1, "build-017", tyr_api::agents::Liveness::Stale, 579_000);
    let webhook = json!({"webhook_id": id(61), "url": "https://pager.example.com/tyr", "format": "json", "rules": [],
        "enabled": true, "created_at": "2026-11-22T19:00:00Z", "created_by": "alice", "waiting": 0, "dead": 0,
        "delivered_at": null, "last_error": null});
    let aider = json!({"agent_type": "aider", "registered": true, "approved_at": "2026-11-22T19:00:00Z", "approved_by": "alice",
        "overlay_version": null, "ai_processes": 2});
    let mut fall = alert();
    fall["alert_id"] = json!(id(52));
    fall["rule"] = json!("posture_fell");
    let double = Double::start(
        Answers::everything()
            .with("POST /api/v1/policies/2/rollback", 201, &document)
            .with("POST /api/v1/policy-assignments", 201, &assignment)
            .with(&format!("DELETE /api/v1/policy-assignments/{}", id(31)), 204, &())
            .with(&format!("PATCH /api/v1/agents/{}", id(1)), 200, &agent)
            .with(&format!("DELETE /api/v1/agents/{}", id(1)), 200, &agent)
            .with("PUT /api/v1/agent-types/aider", 200, &aider)
            .with("DELETE /api/v1/agent-types/aider", 200, &aider)
            .with("DELETE /api/v1/enrollment-tokens/7f3k", 204, &())
            .with(&format!("PATCH /api/v1/users/{}", id(43)), 200, &user)
            .with(&format!("DELETE /api/v1/users/{}", id(43)), 204, &())
            .with(&format!("DELETE /api/v1/webhooks/{}", id(61)), 200, &webhook)
            .with(
                "POST /api/v1/auth/rotate-key",
                200,
                &json!({"key_id": "b2", "previous_key_id": "a1", "session": null}),
            )
            .with(&format!("POST /api/v1/alerts/{}/acknowledge", id(51)), 200, &alert())
            .list("/api/v1/alerts", &[alert(), fall.clone()])
            .with(&format!("POST /api/v1/alerts/{}/acknowledge", id(52)), 200, &fall)
            .with("DELETE /api/v1/users/x", 204, &())
            .with("PATCH /api/v1/users/x", 200, &user)
            .with("POST /api/v1/policies", 201, &document),
    );
    keep_context(&double, false);
    double
}

/// A context for this server, so that it can be removed, or be read-only.
fn keep_context(double: &Double, read_only: bool) {
    double.stdout(&["context", "add", "default", &format!("--read-only={read_only}")]);
    tyrctl::auth::store_token(&double.config().join("token"), "stored-token").expect("stored");
}

fn run(double: &Double, verb: &[String], more: &[&str]) -> String {
    let arguments: Vec<&str> = verb.iter().map(String::as_str).chain(more.iter().copied()).collect();
    double.run_with_input(&arguments, "a good password\n")
}

fn changes(double: &Double) -> Vec<String> {
    double.requests().into_iter().filter(|line| !line.starts_with("GET ")).collect()
}

#[test]
fn scripts_need_a_yes() {
    let double = double();
    for (verb, what) in verbs() {
        let said = run(&double, &verb, &[]);
        assert!(said.starts_with(&format!("exit 2\n--- stderr\nerror: not done: {what}")), "{verb:?}: {said}");
        assert!(said.contains("hint: `--yes` does it without asking, `--dry-run` only says"), "{verb:?}: {said}");
    }
    assert_eq!(changes(&double), Vec::<String>::new());
}

#[test]
fn a_rehearsal_says_what_it_would_do_and_changes_nothing() {
    let double = double();
    for (verb, what) in verbs() {
        for flags in [&["--dry-run"][..], &["--dry-run", "--yes"]] {
            let said = run(&double, &verb, flags);
            assert!(said.starts_with(&format!("exit 0\n--- stdout\nwould {what}")), "{verb:?}: {said}");
        }
    }
    assert_eq!(changes(&double), Vec::<String>::new());
    assert!(double.config().join("token").exists());
}

#[test]
fn a_yes_does_it_at_once() {
    for (verb, _) in verbs() {
        let double = double();
        let said = run(&double, &verb, &["--yes"]);
        assert!(said.starts_with(told(&verb)), "{verb:?}: {said}");
        assert_eq!(changes(&double).len(), usize::from(!is_local(&verb)), "{verb:?}");
    }
}

#[test]
fn a_read_only_context_refuses_them_and_everything_else_that_changes_something() {
    let double = double();
    keep_context(&double, true);
    let refused =
        |said: &str| said.starts_with("exit 4\n") && said.contains("cause: the context in use is read-only\n");
    for (verb, what) in verbs().into_iter().filter(|(verb, _)| !is_local(verb)) {
        for flags in [&[][..], &["--yes"]] {
            let said = run(&double, &verb, flags);
            assert!(refused(&said) && said.contains(&format!("error: not done: {what}")), "{verb:?}: {said}");
        }
        assert!(run(&double, &verb, &["--dry-run"]).starts_with("exit 0\n"), "{verb:?} may be rehearsed");
    }
    for other in [
        &["alerts", "ack", "00000051"][..],
        &["token", "create", "--label", "x"],
        &["user", "create", "carol", "--role", "viewer", "--password-stdin"],
        &["ai", "rename", &id(11).to_string(), "x"],
        &["agent", "unarchive", "build-017"],
    ] {
        let said = double.run_with_input(other, "a good password\n");
        // Nobody's agent is archived here, so there is nothing to take back.
        assert!(refused(&said) || said.contains("is not archived"), "{other:?}: {said}");
    }
    assert_eq!(changes(&double), Vec::<String>::new());
    assert!(double.run(&["agents"]).starts_with("exit 0\n"), "reading is what it is for");
    assert!(double.run(&["logout"]).starts_with("exit 0\n"), "and one's own login stays one's own");
}

#[test]
fn what_takes_nothing_away_is_done_at_once() {
    let double = double();
    // `alerts ack` says that something is known; only an accepted fall of posture is for good.
    let said = double.run(&["alerts", "ack", "00000051", "--dry-run"]);
    assert_eq!(said, "exit 0\n--- stdout\nwould acknowledge stale on build-017\n");
    assert!(double.run(&["alerts", "ack", "00000051"]).starts_with("exit 0\n--- stdout\n✓ "));
    assert!(double.run(&["alerts", "ack", "00000051", "00000052"]).starts_with("exit 2\n"));
    // A new version is in force nowhere, and the one before stays.
    let policy = double.config().join("web.yaml");
    let text = include_str!("../../../examples/policies/default-policy.yaml");
    std::fs::write(&policy, text).expect("written");
    let file = policy.to_str().expect("UTF-8");
    assert!(double.run(&["policy", "apply", "-f", file]).starts_with("exit 0\n--- stdout\n✓ version 3 "));
    assert!(double.run(&["policy", "apply", "-f", file, "--dry-run"]).contains("nothing was sent"));
    assert_eq!(changes(&double), [&format!("POST /api/v1/alerts/{}/acknowledge", id(51)), "POST /api/v1/policies"]);
}
