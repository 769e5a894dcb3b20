//! Hostile input at every address that the description names: an answer of 4xx in the one shape of errors, never a 5xx, and
//! nothing written.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tyr_api::events::{EventKind, Verdict};
use tyr_server::http::openapi;

use super::harness::{Answer, Rest, event};
use super::policies::policy;

/// Method, path with its parameters filled in, and the description of each operation.
fn operations() -> Vec<(Method, String, Value)> {
    let document = openapi::document();
    let paths = document["paths"].as_object().expect("paths");
    let mut operations = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("operations") {
            let method = method.to_uppercase().parse().expect("a method");
            operations.push((method, path.clone(), operation.clone()));
        }
    }
    assert!(operations.len() > 40);
    operations
}

/// The path with something harmless for each parameter.
fn filled(path: &str) -> String {
    let mut filled = String::new();
    for (index, part) in path.split('{').enumerate() {
        match part.split_once('}') {
            Some((name, rest)) if index > 0 => {
                filled.push_str(if name == "version" { "4000000000" } else { "00000000-0000-0000-0000-000000000000" });
                filled.push_str(rest);
            }
            _ => filled.push_str(part),
        }
    }
    filled
}

/// An error of the one shape and of 4xx.
fn refused(answer: &Answer, what: &str) {
    assert!(answer.status.is_client_error(), "{what}: {} {:#}", answer.status, answer.body);
    let error = &answer.body["error"];
    for field in ["code", "message", "hint", "request_id"] {
        assert!(error[field].as_str().is_some_and(|text| !text.is_empty()), "{what}: {:#}", answer.body);
    }
    assert_eq!(error["request_id"].as_str(), answer.headers["x-request-id"].to_str().ok(), "{what}");
}

/// Rows that requests could have written.
async fn rows(rest: &Rest) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in
        ["users", "enrollment_tokens", "policy_versions", "policy_assignments", "agents", "events", "audit_log"]
    {
        let count = format!("SELECT count(*) FROM {table}");
        counts.push(sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(&rest.app.pool).await.expect("counted"));
    }
    counts
}

#[tokio::test]
async fn no_body_of_the_wrong_form_gets_in() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let before = rows(&rest).await;
    let long = "x".repeat(600 * 1024);
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("no JSON", b"{".to_vec()),
        ("text after it", b"{} x".to_vec()),
        ("no UTF-8", b"{\"label\": \"\xff\xfe\"}".to_vec()),
        ("a list", b"[]".to_vec()),
        ("a number", b"1e999999".to_vec()),
        ("a text", b"\"x\"".to_vec()),
        ("null", b"null".to_vec()),
        ("an unknown field", b"{\"no_such_field\": 1}".to_vec()),
        ("deep lists", [b"{\"label\":".to_vec(), b"[".repeat(200_000)].concat()),
        ("deep objects", b"{\"a\":".repeat(80_000)),
        ("NUL bytes", vec![0; 64]),
        ("too much", format!("{{\"label\": \"{long}\"}}").into_bytes()),
        ("one name twice", b"{\"label\": \"a\", \"label\": \"b\", \"username\": \"a\", \"username\": \"b\"}".to_vec()),
    ];
    let mut tried = 0;
    for (method, path, operation) in operations() {
        if operation.get("requestBody").is_none() {
            continue;
        }
        for (name, body) in &bodies {
            let what = format!("{method} {path}, {name}");
            let request = rest.client.request(method.clone(), rest.url(&filled(&path))).bearer_auth(&admin);
            let request = request.header("content-type", "application/json").body(body.clone());
            refused(&Answer::read(request.send().await.expect("an answer")).await, &what);
            tried += 1;
        }
        let request = rest.client.request(method.clone(), rest.url(&filled(&path))).bearer_auth(&admin).body("a=b");
        let answer = Answer::read(request.header("content-type", "text/plain").send().await.expect("an answer")).await;
        assert_eq!(answer.status, 415, "{method} {path}");
        refused(&answer, &path);
    }
    assert!(tried > 60, "{tried}");
    assert_eq!(rows(&rest).await, before, "something was written");
    rest.stop().await;
}

#[tokio::test]
async fn no_query_of_the_wrong_form_gets_in() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let agent = rest.agent("one").await;
    rest.store(vec![event(agent, "one", EventKind::Exec, Verdict::Allow)]).await;
    let before = rows(&rest).await;
    let hostile = [
        "%00",
        "%ff%fe",
        "-1",
        "99999999999999999999999999",
        "1e308",
        "%27%3B%20DROP%20TABLE%20events%3B--",
        "..%2f..%2fetc%2fpasswd",
        "%E2%80%AE%1b%5B2J",
        "9999-12-31T23:59:60Z",
        "-009999-01-02T01:59:59Z",
    ];
    let long = "x".repeat(8000);
    for (method, path, operation) in operations() {
        // A probe may carry anything; what reads the text of metrics too.
        if path == "/health" {
            continue;
        }
        let send = async |query: &str| {
            let url = rest.url(&format!("{}?{query}", filled(&path)));
            let request = rest.client.request(method.clone(), url).bearer_auth(&admin);
            let response = request.send().await.expect("an answer");
            // The stream's answer has no end.
            if response.headers().get("content-type").is_some_and(|value| value == "text/event-stream") {
                return None;
            }
            Some(Answer::read(response).await)
        };
        let unknown = send("no_such_parameter=1").await.expect("an answer with an end");
        // A body is asked for before or after the query; both say what is missing.
        refused(&unknown, &format!("{method} {path}, an unknown parameter"));
        refused(&send(&"a=1&".repeat(40)).await.expect("an end"), &format!("{method} {path}, many parameters"));
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] != "query" {
                continue;
            }
            let name = parameter["name"].as_str().expect("a name");
            let twice = send(&format!("{name}=1&{name}=1")).await.expect("an end");
            refused(&twice, &format!("{method} {path}, {name} twice"));
            for value in hostile.into_iter().chain([long.as_str()]) {
                // Some are sound: a text that nothing has, an instant that is far off.
                if let Some(answer) = send(&format!("{name}={value}")).await
                    && answer.status != StatusCode::OK
                {
                    refused(&answer, &format!("{method} {path}?{name}={value}"));
                }
            }
        }
    }
    assert_eq!(rows(&rest).await, before, "something was written");
    rest.stop().await;
}

#[tokio::test]
async fn no_path_of_the_wrong_form_gets_in() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let before = rows(&rest).await;
    let long = "9".repeat(6000);
    let ids =
        ["%00", "%ff", "%2e%2e%2f%2e%2e", "%20", "-1", "4294967296", "{id}", "a%0d%0ab", "%E2%80%AE", long.as_str()];
    for (method, path, operation) in operations() {
        if !path.contains('{') {
            continue;
        }
        for id in ids {
            let begin = path.split('{').next().unwrap_or_default();
            let end = path.split('}').nth(1).unwrap_or_default();
            let url = rest.url(&format!("{begin}{id}{end}"));
            let mut request = rest.client.request(method.clone(), url).bearer_auth(&admin);
            if operation.get("requestBody").is_some() {
                request = request.json(&json!({}));
            }
            refused(&Answer::read(request.send().await.expect("an answer")).await, &format!("{method} {path} {id}"));
        }
    }
    assert_eq!(rows(&rest).await, before, "something was written");
    rest.stop().await;
}

#[tokio::test]
async fn what_contradicts_itself_at_once_has_one_outcome() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let agent = rest.agent("one").await;
    for name in ["a", "b"] {
        rest.post(&admin, "/api/v1/policies", json!({"yaml": policy(name, "/etc/**")})).await.expect(201);
    }
    let assign = (0..16_u32).map(|n| {
        let body = json!({"version": n % 2 + 1, "target_type": "agent", "target_id": agent});
        let (rest, admin) = (&rest, &admin);
        async move { rest.post(admin, "/api/v1/policy-assignments", body).await.expect(201) }
    });
    futures_util::future::join_all(assign).await;
    let list = rest.get(&admin, "/api/v1/policy-assignments").await.expect(200);
    let list = list["items"].as_array().expect("a list").clone();
    assert_eq!(list.len(), 1, "one is in force: {list:#?}");
    let path = format!("/api/v1/policy-assignments/{}", list[0]["assignment_id"].as_str().expect("an id"));
    let statuses = |answers: Vec<Answer>| {
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        statuses.sort_unstable();
        statuses
    };
    let ends = futures_util::future::join_all((0..8).map(|_| rest.delete(&admin, &path))).await;
    assert_eq!(statuses(ends), [vec![204], vec![404; 7]].concat());
    let user = json!({"username": "carol", "password": "long enough for it", "role": "viewer"});
    let users = futures_util::future::join_all((0..4).map(|_| rest.post(&admin, "/api/v1/users", user.clone()))).await;
    assert_eq!(statuses(users), [201, 409, 409, 409]);
    let versions = (0..6).map(|_| rest.send(Method::POST, "/api/v1/policies/1/rollback", Some(&admin), None));
    let mut numbers: Vec<u64> = futures_util::future::join_all(versions)
        .await
        .into_iter()
        .map(|answer| answer.expect(201)["version"].as_u64().expect("a number"))
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 6, "each is a version of its own");
    rest.stop().await;
}

#[tokio::test]
async fn a_body_beyond_all_bounds_is_refused_cleanly_over_http2() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let client = reqwest::Client::builder().http2_prior_knowledge().build().expect("a client");
    let request =
        client.post(rest.url("/api/v1/policies")).bearer_auth(&admin).header("content-type", "application/json");
    let response = request.body(vec![b' '; 24 * 1024 * 1024]).send().await.expect("an answer");
    assert_eq!(response.version(), reqwest::Version::HTTP_2);
    Answer::read(response).await.error(413, "body_too_large");
    // The connection is as good as before.
    let response = client.get(rest.url("/health")).send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    rest.stop().await;
}
