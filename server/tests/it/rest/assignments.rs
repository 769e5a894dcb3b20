//! Assignments, and the effective policies that follow from them.

use serde_json::{Value, json};
use tyr_server::app::effective;
use uuid::Uuid;

use super::harness::Rest;
use super::policies::policy;

const ASSIGNMENTS: &str = "/api/v1/policy-assignments";

async fn apply(rest: &Rest, admin: &str, name: &str) -> u64 {
    let body = json!({"yaml": policy(name, "/etc/**")});
    rest.post(admin, "/api/v1/policies", body).await.expect(201)["version"].as_u64().expect("a number")
}

async fn assign(rest: &Rest, admin: &str, version: u64, target_type: &str, target_id: &str) -> Value {
    let body = json!({"version": version, "target_type": target_type, "target_id": target_id});
    rest.post(admin, ASSIGNMENTS, body).await.expect(201)
}

/// Names of the layers of an agent, overlays marked with their type.
async fn layers(rest: &Rest, admin: &str, agent: Uuid) -> Vec<String> {
    let effective = rest.get(admin, &format!("/api/v1/daemons/{agent}/effective-policy")).await.expect(200);
    let push = effective::effective_for(&rest.app, agent).await.expect("read");
    assert_eq!(effective["policy_id"].as_str().unwrap_or_default(), push.policy_id);
    let named = |layer: &Value| match layer["agent_type"].as_str() {
        Some(agent_type) => format!("{agent_type}:{}", layer["name"].as_str().expect("a name")),
        None => layer["name"].as_str().expect("a name").to_owned(),
    };
    effective["layers"].as_array().expect("a list").iter().map(named).collect()
}

async fn history(rest: &Rest, agent: Uuid) -> Vec<Option<String>> {
    sqlx::query_scalar("SELECT policy_id FROM agent_policies WHERE agent_id = $1 ORDER BY effective_from")
        .bind(agent)
        .fetch_all(&rest.app.pool)
        .await
        .expect("read")
}

#[tokio::test]
async fn own_base_before_that_of_all_and_overlays_before_both() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let (one, two) = (rest.agent("one").await, rest.agent("two").await);
    assert_eq!(layers(&rest, &admin, one).await, [""; 0]);
    let mut versions = Vec::new();
    for name in ["general", "own", "cursor", "claude"] {
        versions.push(apply(&rest, &admin, name).await);
    }
    let general = assign(&rest, &admin, versions[0], "all", "").await;
    assert_eq!(layers(&rest, &admin, one).await, ["general"]);
    assign(&rest, &admin, versions[1], "daemon", &one.to_string().to_uppercase()).await;
    assert_eq!(layers(&rest, &admin, one).await, ["own"]);
    assert_eq!(layers(&rest, &admin, two).await, ["general"]);
    assign(&rest, &admin, versions[2], "agent_type", "cursor").await;
    let claude = assign(&rest, &admin, versions[3], "agent_type", "claude-code").await;
    assert_eq!(layers(&rest, &admin, one).await, ["claude-code:claude", "cursor:cursor", "own"]);
    assert_eq!(layers(&rest, &admin, two).await, ["claude-code:claude", "cursor:cursor", "general"]);
    let end = async |assignment: &Value| {
        let path = format!("{ASSIGNMENTS}/{}", assignment["assignment_id"].as_str().expect("an id"));
        rest.get(&admin, &path).await.expect(200);
        rest.delete(&admin, &path).await.expect(204);
        rest.get(&admin, &path).await.error(404, "not_found");
        rest.delete(&admin, &path).await.error(404, "not_found");
    };
    end(&general).await;
    assert_eq!(layers(&rest, &admin, two).await, ["claude-code:claude", "cursor:cursor"]);
    end(&claude).await;
    assert_eq!(layers(&rest, &admin, one).await, ["cursor:cursor", "own"]);
    let targets: Vec<Value> = rest.get(&admin, ASSIGNMENTS).await.expect(200)["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|item| item["target_type"].clone())
        .collect();
    assert_eq!(targets, ["agent", "agent_type"]);
    rest.stop().await;
}

#[tokio::test]
async fn what_was_in_force_is_written_down_where_it_changed_and_connected_agents_are_told() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let (one, two) = (rest.agent("one").await, rest.agent("two").await);
    let (first, second) = (apply(&rest, &admin, "first").await, apply(&rest, &admin, "second").await);
    let told = rest.app.fleet.policy_generation();
    let all = assign(&rest, &admin, first, "all", "").await;
    assert!(told.has_changed().expect("open"));
    assign(&rest, &admin, second, "agent", &two.to_string()).await;
    assert_eq!((history(&rest, one).await.len(), history(&rest, two).await.len()), (1, 2));
    let mut told = rest.app.fleet.policy_generation();
    told.borrow_and_update();
    assign(&rest, &admin, second, "agent", &two.to_string()).await;
    assert!(!told.has_changed().expect("open"), "the same policy again changes nothing");
    assert_eq!(history(&rest, two).await.len(), 2);
    let path = format!("{ASSIGNMENTS}/{}", all["assignment_id"].as_str().expect("an id"));
    rest.delete(&admin, &path).await.expect(204);
    assert_eq!(history(&rest, one).await.last(), Some(&None), "nothing is assigned from now on");
    rest.stop().await;
}

#[tokio::test]
async fn an_agent_that_enrolls_later_gets_what_is_assigned() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let version = apply(&rest, &admin, "general").await;
    assign(&rest, &admin, version, "all", "").await;
    let late = rest.agent("late").await;
    let push = effective::effective_for(&rest.app, late).await.expect("read");
    assert_eq!(push.layers.iter().map(|layer| layer.name.as_str()).collect::<Vec<_>>(), ["general"]);
    assert_eq!(history(&rest, late).await, [Some(push.policy_id.clone())]);
    effective::effective_for(&rest.app, late).await.expect("read");
    assert_eq!(history(&rest, late).await.len(), 1, "asking again changes nothing");
    rest.stop().await;
}

#[tokio::test]
async fn many_assignments_at_once_end_in_one_that_everybody_agrees_on() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let agents = [rest.agent("one").await, rest.agent("two").await];
    let mut versions = Vec::new();
    for name in ["a", "b", "c", "d"] {
        versions.push(apply(&rest, &admin, name).await);
    }
    let tries = (0..24).map(|n| {
        let (rest, admin, version) = (&rest, &admin, versions[n % 4]);
        async move {
            assign(rest, admin, version, "all", "").await;
            effective::effective_for(&rest.app, agents[n % 2]).await.expect("read");
        }
    });
    futures_util::future::join_all(tries).await;
    let list = rest.get(&admin, ASSIGNMENTS).await.expect(200);
    let in_force = list["items"].as_array().expect("a list");
    assert_eq!(in_force.len(), 1);
    for agent in agents {
        assert_eq!(layers(&rest, &admin, agent).await, [in_force[0]["policy_name"].as_str().expect("a name")]);
    }
    rest.stop().await;
}

#[tokio::test]
async fn wrong_targets_and_versions_change_nothing() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let version = apply(&rest, &admin, "general").await;
    let kept = assign(&rest, &admin, version, "all", "").await;
    for (body, code) in [
        (json!({"version": 99, "target_type": "all"}), "unknown_policy_version"),
        (json!({"version": u32::MAX, "target_type": "all"}), "unknown_policy_version"),
        (json!({"version": version, "target_type": "all", "target_id": "x"}), "invalid_target"),
        (json!({"version": version, "target_type": "agent", "target_id": "host1"}), "invalid_target"),
        (json!({"version": version, "target_type": "agent", "target_id": Uuid::nil()}), "unknown_agent"),
        (json!({"version": version, "target_type": "agent_type", "target_id": ""}), "invalid_target"),
        (json!({"version": version, "target_type": "agent_type", "target_id": "Claude Code"}), "invalid_target"),
        (json!({"version": version, "target_type": "host"}), "invalid_body"),
    ] {
        rest.post(&admin, ASSIGNMENTS, body).await.error(400, code);
    }
    assert_eq!(rest.get(&admin, ASSIGNMENTS).await.expect(200), json!({"items": [kept], "next_cursor": null}));
    rest.stop().await;
}
