//! What all lists have in common: pages, entity tags, and the methods that need no route.

use reqwest::Method;
use reqwest::header::IF_NONE_MATCH;
use serde_json::{Value, json};
use tyr_api::events::{EventKind, Verdict};
use tyr_server::http::openapi;

use super::agents::announce;
use super::harness::{Answer, Rest, event};
use super::policies::policy;

/// Reads a list page by page and gives the named field of each row.
async fn pages(rest: &Rest, token: &str, path: &str, limit: u32, field: &str) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut cursor = None;
    loop {
        let from = cursor.map_or_else(String::new, |cursor: String| format!("&cursor={cursor}"));
        let page = rest.get(token, &format!("{path}?limit={limit}{from}")).await.expect(200);
        let items = page["items"].as_array().expect("rows");
        pages.push(items.iter().map(|row| row[field].clone()).collect());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return pages,
        }
        assert!(pages.len() < 100, "{path} does not end");
    }
}

#[tokio::test]
async fn pages_hold_each_row_once_and_in_order() {
    let rest = Rest::start().await;
    let token = rest.admin().await;
    let mut agents = Vec::new();
    // Two of a name: the id decides between them.
    for name in ["b", "a", "c", "a", "d"] {
        agents.push((name, rest.agent(name).await.to_string()));
    }
    agents.sort();
    for n in 0..5 {
        let yaml = policy(&format!("p{n}"), "/etc/**");
        rest.post(&token, "/api/v1/policies", json!({"yaml": yaml})).await.expect(201);
        rest.post(&token, "/api/v1/enrollment-tokens", json!({"label": "x"})).await.expect(201);
    }
    for n in 0..4 {
        rest.session(if n == 0 { "admin" } else { "viewer" }).await;
    }
    for (n, (_, agent_id)) in agents.iter().enumerate() {
        let assignment = json!({"version": n % 5 + 1, "target_type": "agent", "target_id": agent_id});
        rest.post(&token, "/api/v1/policy-assignments", assignment).await.expect(201);
        let agent_id = agent_id.parse().expect("a UUID");
        announce(&rest, agent_id, "codex", None).await;
    }
    let agent_id = agents[0].1.parse().expect("a UUID");
    rest.store((0..5).map(|_| event(agent_id, "a", EventKind::Exec, Verdict::Allow)).collect()).await;
    for (path, field) in [
        ("/api/v1/agents", "agent_id"),
        ("/api/v1/daemons", "agent_id"),
        ("/api/v1/discovered-agents", "id"),
        ("/api/v1/users", "user_id"),
        ("/api/v1/policies", "version"),
        ("/api/v1/policy-assignments", "assignment_id"),
        ("/api/v1/enrollment-tokens", "token_id"),
        ("/api/v1/events", "event_id"),
    ] {
        let whole = pages(&rest, &token, path, 1000, field).await;
        assert_eq!((whole.len(), whole[0].len()), (1, 5), "{path}");
        let two = pages(&rest, &token, path, 2, field).await;
        assert_eq!(two.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1], "{path}");
        assert_eq!(two.concat(), whole[0], "{path}");
        let five = pages(&rest, &token, path, 5, field).await;
        assert_eq!(five.len(), 1, "{path}: a full last page is the last one");
    }
    let ids = pages(&rest, &token, "/api/v1/agents", 1000, "agent_id").await.concat();
    assert_eq!(ids, agents.iter().map(|(_, id)| json!(id)).collect::<Vec<_>>());
    rest.stop().await;
}

#[tokio::test]
async fn a_cursor_from_elsewhere_is_refused() {
    let rest = Rest::start().await;
    let token = rest.admin().await;
    let nobody = "00000000-0000-0000-0000-000000000000";
    for path in [
        "agents",
        "daemons",
        "discovered-agents",
        "users",
        "policies",
        "policy-assignments",
        "enrollment-tokens",
        "events",
    ] {
        for cursor in ["zzz", "%00", "", "-1"] {
            // The cursor of users is a name, which nobody needs to have.
            if (path, cursor) == ("users", "zzz") {
                continue;
            }
            rest.get(&token, &format!("/api/v1/{path}?cursor={cursor}")).await.error(400, "invalid_parameter");
        }
        for limit in ["0", "10001", "-1", "1e3", "4294967296", ""] {
            rest.get(&token, &format!("/api/v1/{path}?limit={limit}")).await.error(400, "invalid_parameter");
        }
    }
    for path in ["agents", "policy-assignments"] {
        rest.get(&token, &format!("/api/v1/{path}?cursor={nobody}")).await.error(400, "invalid_parameter");
    }
    rest.stop().await;
}

#[tokio::test]
async fn an_unchanged_answer_is_not_sent_again() {
    let rest = Rest::start().await;
    let token = rest.admin().await;
    rest.agent("a").await;
    let ask = async |path: &str, known: &str| {
        let request = rest.client.get(rest.url(path)).bearer_auth(&token).header(IF_NONE_MATCH, known);
        Answer::read(request.send().await.expect("an answer")).await
    };
    for path in [
        "/api/v1/agents",
        "/api/v1/daemons",
        "/api/v1/discovered-agents",
        "/api/v1/users",
        "/api/v1/policies",
        "/api/v1/policy-assignments",
        "/api/v1/enrollment-tokens",
        "/api/v1/events",
        "/api/v1/stats/rate",
        "/api/v1/stats/drift",
        "/api/v1/alerts",
        "/api/v1/webhooks",
        "/api/v1/audit",
        "/openapi.json",
    ] {
        let first = rest.get(&token, path).await;
        let tag = first.headers["etag"].to_str().expect("text").to_owned();
        assert!(tag.starts_with("W/\""), "{tag}");
        for known in [tag.clone(), format!("\"x\", {tag}"), tag.trim_start_matches("W/").to_owned(), "*".to_owned()] {
            let again = ask(path, &known).await;
            assert_eq!(again.status, 304, "{path} {known}");
            assert_eq!(again.headers["etag"], tag.as_str());
            assert_eq!(again.body, "");
        }
        let other = ask(path, "W/\"AAAAAAAAAAAAAAAA\"").await;
        assert_eq!(
            (other.status.as_u16(), other.body["items"].as_array().map(Vec::len)),
            (200, first.body["items"].as_array().map(Vec::len)),
            "{path}"
        );
    }
    let before = rest.get(&token, "/api/v1/agents").await.headers["etag"].to_str().expect("text").to_owned();
    rest.agent("b").await;
    assert_eq!(ask("/api/v1/agents", &before).await.status, 200, "a new agent is a change");
    let refused = rest.send(Method::GET, "/api/v1/agents", None, None).await;
    assert!(!refused.headers.contains_key("etag"));
    rest.stop().await;
}

#[tokio::test]
async fn head_is_get_without_a_body_and_options_names_the_methods() {
    let rest = Rest::start().await;
    let token = rest.admin().await;
    for path in ["/api/v1/policies", "/openapi.json", "/health", "/api/v1/ca.pem"] {
        let get = rest.client.get(rest.url(path)).bearer_auth(&token).send().await.expect("an answer");
        let head = rest.client.head(rest.url(path)).bearer_auth(&token).send().await.expect("an answer");
        assert_eq!(head.status(), get.status(), "{path}");
        for name in ["content-type", "content-length", "etag", "cache-control"] {
            assert_eq!(head.headers().get(name), get.headers().get(name), "{name} of {path}");
        }
        assert_eq!(head.text().await.expect("a body"), "");
    }
    assert_eq!(rest.send(Method::HEAD, "/api/v1/agents", None, None).await.status, 401);
    // Every route, so also those that no GET has.
    let document = openapi::document();
    for (route, item) in document["paths"].as_object().expect("paths") {
        let path = route.replace("{id}", "x").replace("{version}", "1").replace("{token_id}", "x");
        let answer = rest.send(Method::OPTIONS, &path, None, None).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (204, &json!("")), "{path}");
        let allow: Vec<&str> = answer.headers["allow"].to_str().expect("text").split(", ").collect();
        for method in item.as_object().expect("operations").keys() {
            assert!(allow.contains(&method.to_uppercase().as_str()), "{method} {path}: {allow:?}");
        }
        let trace = rest.send(Method::TRACE, &path, None, None).await;
        assert_eq!(trace.headers["allow"], answer.headers["allow"]);
        trace.error(405, "method_not_allowed");
    }
    rest.send(Method::OPTIONS, "/api/v1/nothing", None, None).await.error(404, "no_such_route");
    rest.stop().await;
}
