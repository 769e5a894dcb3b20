//! Agents, AI processes, counts, and the snapshot.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tyr_api::events::{DriftReason, EventKind, Verdict};
use tyr_server::db::discovered_agents::{Announced, upsert};
use uuid::Uuid;

use super::harness::{Rest, event};

#[tokio::test]
async fn agents_are_listed_under_both_names() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let (beta, alpha) = (rest.agent("beta").await, rest.agent("alpha").await);
    let list = rest.get(&admin, "/api/v1/agents").await.expect(200);
    let ids: Vec<_> = list["items"].as_array().expect("a list").iter().map(|item| item["agent_id"].clone()).collect();
    assert_eq!(ids, [json!(alpha), json!(beta)], "by name");
    assert_eq!(list["items"][0]["liveness"], "online");
    assert_eq!(list["items"][0]["connected"], false);
    let daemons = rest.get(&admin, "/api/v1/daemons").await.expect(200);
    assert_eq!(daemons["items"].as_array().map(Vec::len), Some(2));
    let one = rest.get(&admin, &format!("/api/v1/daemons/{beta}")).await.expect(200);
    assert_eq!((&one["name"], &one["kernel"]), (&json!("beta"), &json!("6.12.0")));
    rest.stop().await;
}

#[tokio::test]
async fn archived_agents_are_listed_on_request() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let agent = rest.agent("old").await;
    sqlx::query("UPDATE agents SET archived_at = now()").execute(&rest.app.pool).await.expect("updated");
    assert_eq!(rest.get(&admin, "/api/v1/daemons").await.expect(200), json!({"items": [], "next_cursor": null}));
    let all = rest.get(&admin, "/api/v1/daemons?include_archived=true").await.expect(200);
    assert_eq!(all["items"][0]["agent_id"], json!(agent));
    rest.get(&admin, &format!("/api/v1/agents/{agent}")).await.expect(200);
    rest.stop().await;
}

#[tokio::test]
async fn a_silent_agent_turns_stale_by_the_servers_clock() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let agent = rest.agent("silent").await;
    for (seconds, liveness) in [(10_u32, "online"), (60, "late"), (120, "stale"), (600, "offline")] {
        sqlx::query("UPDATE agents SET last_seen = now() - make_interval(secs => $1)")
            .bind(f64::from(seconds))
            .execute(&rest.app.pool)
            .await
            .expect("updated");
        let shown = rest.get(&admin, &format!("/api/v1/agents/{agent}")).await.expect(200);
        assert_eq!(shown["liveness"], liveness);
        assert!(shown["staleness_ms"].as_u64().expect("a number") >= u64::from(seconds) * 1000);
    }
    rest.stop().await;
}

pub(super) async fn announce(rest: &Rest, agent: Uuid, agent_type: &str, ended_at: Option<Timestamp>) -> Uuid {
    let announced = Announced {
        id: Uuid::now_v7(),
        daemon_agent_id: agent,
        agent_type: agent_type.to_owned(),
        pid: 77,
        process_signature: "00".repeat(32),
        process_exe: "/usr/bin/node".to_owned(),
        cmdline: "node cli.js".to_owned(),
        found_by: "fingerprint".to_owned(),
        first_seen: Timestamp::now(),
        ended_at,
    };
    assert!(upsert(&mut rest.app.pool.acquire().await.expect("a connection"), &announced).await.expect("stored"));
    announced.id
}

#[tokio::test]
async fn ai_processes_of_one_agent_and_those_that_live() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let (one, two) = (rest.agent("one").await, rest.agent("two").await);
    let ended = announce(&rest, one, "cursor", Some(Timestamp::now())).await;
    let alive = announce(&rest, one, "claude-code", None).await;
    let other = announce(&rest, two, "codex", None).await;
    let ids = async |query: &str| -> Vec<String> {
        let list = rest.get(&admin, &format!("/api/v1/discovered-agents{query}")).await.expect(200);
        list["items"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|item| item["id"].as_str().expect("an id").to_owned())
            .collect()
    };
    assert_eq!(ids("").await, [other, alive, ended].map(|id| id.to_string()));
    assert_eq!(ids(&format!("?agent_id={one}&alive=true")).await, [alive.to_string()]);
    assert_eq!(ids("?limit=1").await, [other.to_string()]);
    let shown = rest.get(&admin, &format!("/api/v1/discovered-agents/{ended}")).await.expect(200);
    assert_eq!((&shown["agent_name"], &shown["agent_type"]), (&json!("one"), &json!("cursor")));
    rest.stop().await;
}

#[tokio::test]
async fn counts_and_the_snapshot_agree_with_what_was_stored() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let agent = rest.agent("one").await;
    let mut drifting = event(agent, "one", EventKind::FileWrite, Verdict::Alert);
    drifting.server_verdict = Some(Verdict::Deny);
    (drifting.drift_detected, drifting.drift_reason) = (true, Some(DriftReason::NotEnforcedHere));
    let plain = event(agent, "one", EventKind::Exec, Verdict::Allow);
    let stored = rest.store(vec![plain, drifting.clone()]).await;
    let rate = rest.get(&admin, "/api/v1/stats/rate").await.expect(200);
    let rows: Vec<_> = rate["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| (&row["kind"], &row["events"], &row["drifts"]))
        .collect();
    let (exec, file_write, one, zero) = (json!("exec"), json!("file_write"), json!(1), json!(0));
    assert!(rows.contains(&(&exec, &one, &zero)) && rows.contains(&(&file_write, &one, &one)), "{rows:?}");
    let drift = rest.get(&admin, "/api/v1/stats/drift").await.expect(200);
    assert_eq!(
        drift,
        json!({"items": [
            {"agent_id": agent, "agent_name": "one", "drifts": 1, "severe": 1, "last_ts": drifting.ts,
                "sustained": false}
        ]})
    );
    let before = Timestamp::now() - SignedDuration::from_hours(1);
    let none = rest.get(&admin, &format!("/api/v1/stats/drift?until={before}")).await.expect(200);
    assert_eq!(none, json!({"items": []}));
    let snapshot = rest.get(&admin, "/api/v1/snapshot").await.expect(200);
    assert_eq!(snapshot["agents"].as_array().map(Vec::len), Some(1));
    assert_eq!(snapshot["events"].as_array().map(Vec::len), Some(2));
    assert_eq!(snapshot["drifts"][0]["event_id"], json!(drifting.event_id));
    assert_eq!((&snapshot["drifts_1d"], &snapshot["stale_after_s"]), (&json!(1), &json!(90)));
    let last = stored.last().expect("two");
    assert_eq!(snapshot["cursor"], format!("{}-{}", last.received_at.as_microsecond(), last.event_id));
    rest.stop().await;
}

#[tokio::test]
async fn an_empty_server_has_an_empty_snapshot() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let snapshot = rest.get(&admin, "/api/v1/snapshot").await.expect(200);
    assert_eq!(snapshot["events"], json!([]));
    assert_eq!(snapshot["cursor"], "0-00000000-0000-0000-0000-000000000000");
    rest.stop().await;
}

#[tokio::test]
async fn agents_are_archived_taken_back_and_revoked() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let agent = rest.agent("laptop-7").await;
    let path = format!("/api/v1/daemons/{agent}");
    let change = |body: serde_json::Value| {
        let (rest, admin, path) = (&rest, &admin, &path);
        async move { rest.send(reqwest::Method::PATCH, path, Some(admin), Some(&body)).await }
    };
    change(json!({"archive": true})).await.error(400, "invalid_body");
    assert!(change(json!({"archived": true})).await.expect(200)["archived_at"].is_string());
    assert_eq!(rest.get(&admin, "/api/v1/agents").await.expect(200)["items"], json!([]));
    assert!(change(json!({"archived": false})).await.expect(200)["archived_at"].is_null());
    assert_eq!(rest.get(&admin, "/api/v1/agents").await.expect(200)["items"][0]["agent_id"], json!(agent));
    let revoked = rest.delete(&admin, &path).await.expect(200);
    assert!(revoked["revoked_at"].is_string() && revoked["archived_at"].is_string());
    assert_eq!(rest.delete(&admin, &path).await.expect(200)["revoked_at"], revoked["revoked_at"], "said twice");
    change(json!({"archived": false})).await.error(409, "agent_revoked");
    let actions: Vec<String> =
        sqlx::query_scalar("SELECT action FROM audit_log WHERE action LIKE 'agent.%' ORDER BY 1")
            .fetch_all(&rest.app.pool)
            .await
            .expect("read");
    assert_eq!(actions, ["agent.archive", "agent.revoke", "agent.unarchive"], "each once");
    rest.stop().await;
}

#[tokio::test]
async fn ai_processes_get_names() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let agent = rest.agent("one").await;
    let id = announce(&rest, agent, "codex", None).await;
    let path = format!("/api/v1/discovered-agents/{id}");
    for wrong in ["", "  ", "a\u{1b}[2J", &"x".repeat(129)] {
        let body = json!({"display_name": wrong});
        let answer = rest.send(reqwest::Method::PATCH, &path, Some(&admin), Some(&body)).await;
        answer.error(400, "invalid_display_name");
    }
    let body = json!({"display_name": " nightly "});
    let named = rest.send(reqwest::Method::PATCH, &path, Some(&admin), Some(&body)).await.expect(200);
    assert_eq!(named["display_name"], "nightly");
    assert_eq!(rest.get(&admin, &path).await.expect(200)["display_name"], "nightly");
    let audit = rest.get(&admin, "/api/v1/audit?action=ai.rename").await.expect(200);
    assert_eq!(audit["items"].as_array().map(Vec::len), Some(1), "once, and not what was refused");
    assert_eq!(audit["items"][0]["target"], json!(id));
    rest.stop().await;
}

#[tokio::test]
async fn agent_types_are_registered_by_approval_or_by_an_overlay() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let agent = rest.agent("one").await;
    announce(&rest, agent, "codex", None).await;
    let types = async || {
        let list = rest.get(&admin, "/api/v1/agent-types").await.expect(200);
        let items = list["items"].as_array().expect("a list").clone();
        items
            .iter()
            .map(|row| format!("{} {}", row["agent_type"].as_str().expect("text"), row["registered"]))
            .collect::<Vec<_>>()
    };
    let processes = async || {
        let list = rest.get(&admin, "/api/v1/discovered-agents").await.expect(200);
        list["items"][0]["registered"].clone()
    };
    let send = async |method: reqwest::Method, agent_type: &str| {
        rest.send(method, &format!("/api/v1/agent-types/{agent_type}"), Some(&admin), None).await
    };
    assert_eq!((types().await, processes().await), (vec!["codex false".to_owned()], json!(false)));
    for _ in 0..2 {
        let approved = send(reqwest::Method::PUT, "codex").await.expect(200);
        assert_eq!((&approved["registered"], &approved["ai_processes"]), (&json!(true), &json!(1)), "{approved}");
    }
    assert_eq!((types().await, processes().await), (vec!["codex true".to_owned()], json!(true)));
    for wrong in ["Codex", "1", "a%20b", &"x".repeat(65), "a%1b"] {
        send(reqwest::Method::PUT, wrong).await.error(400, "invalid_agent_type");
        send(reqwest::Method::DELETE, wrong).await.error(400, "invalid_agent_type");
    }

    // An overlay registers as well, and is not ended by the way.
    let policy = json!({"yaml": "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: p}\nspec: {rules: []}\n"});
    let version = rest.post(&admin, "/api/v1/policies", policy).await.expect(201)["version"].clone();
    let overlay = json!({"version": version, "target_type": "agent_type", "target_id": "codex"});
    let overlay = rest.post(&admin, "/api/v1/policy-assignments", overlay).await.expect(201);
    send(reqwest::Method::DELETE, "codex").await.error(409, "has_overlay");
    let path = format!("/api/v1/policy-assignments/{}", overlay["assignment_id"].as_str().expect("an id"));
    rest.send(reqwest::Method::DELETE, &path, Some(&admin), None).await.expect(204);
    assert_eq!(types().await, ["codex true"], "the approval is still there");
    for _ in 0..2 {
        let withdrawn = send(reqwest::Method::DELETE, "codex").await.expect(200);
        assert_eq!(withdrawn["registered"], json!(false), "{withdrawn}");
    }
    assert_eq!((types().await, processes().await), (vec!["codex false".to_owned()], json!(false)));
    for action in ["agent_type.approve", "agent_type.quarantine"] {
        let audit = rest.get(&admin, &format!("/api/v1/audit?action={action}")).await.expect(200);
        assert_eq!(audit["items"].as_array().map(Vec::len), Some(1), "{action}: once each");
        assert_eq!(audit["items"][0]["target"], json!("codex"));
    }
    rest.stop().await;
}
