//! Policy versions.

use reqwest::Method;
use serde_json::json;

use super::harness::Rest;

const POLICIES: &str = "/api/v1/policies";

/// A policy of that name with one rule.
pub(super) fn policy(name: &str, pattern: &str) -> String {
    format!(
        "# kept as it is\napiVersion: tyr.dev/v1\nkind: Policy\nmetadata:\n  name: {name}\nspec:\n  rules:\n    - name: r1\n      \
         action: file_write\n      resource_pattern: {pattern}\n      verdict: deny\n"
    )
}

#[tokio::test]
async fn a_policy_is_numbered_kept_and_listed() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let yaml = policy("web", "/etc/**");
    let first = rest.post(&admin, POLICIES, json!({"yaml": yaml})).await.expect(201);
    assert_eq!((&first["version"], &first["name"], &first["rules"]), (&json!(1), &json!("web"), &json!(1)));
    rest.post(&admin, POLICIES, json!({"yaml": policy("db", "/var/**")})).await.expect(201);
    let list = rest.get(&admin, POLICIES).await.expect(200);
    let names: Vec<_> = list["items"].as_array().expect("a list").iter().map(|item| item["name"].clone()).collect();
    assert_eq!(names, [json!("db"), json!("web")], "newest first");
    assert!(list["items"][0].get("yaml").is_none());
    let shown = rest.get(&admin, "/api/v1/policies/1").await.expect(200);
    assert_eq!(shown["yaml"], yaml);
    assert_eq!(shown["created_by"], first["created_by"]);
    rest.get(&admin, "/api/v1/policies/4294967295").await.error(404, "not_found");
    rest.stop().await;
}

#[tokio::test]
async fn a_rollback_is_a_new_version_with_the_old_text() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    for pattern in ["/etc/**", "/var/**"] {
        rest.post(&admin, POLICIES, json!({"yaml": policy("web", pattern)})).await.expect(201);
    }
    let made = rest.send(Method::POST, "/api/v1/policies/1/rollback", Some(&admin), None).await.expect(201);
    assert_eq!((&made["version"], &made["yaml"]), (&json!(3), &json!(policy("web", "/etc/**"))));
    let shown = rest.get(&admin, "/api/v1/policies/3").await.expect(200);
    assert_eq!(shown["yaml"], made["yaml"]);
    let assigned = rest.get(&admin, "/api/v1/policy-assignments").await.expect(200);
    assert_eq!(assigned["items"], json!([]), "in force nowhere");
    let entry = &rest.get(&admin, "/api/v1/audit?action=policy.rollback").await.expect(200)["items"][0];
    assert_eq!((&entry["target"], &entry["details"]["from_version"]), (&json!("3"), &json!("1")));
    for missing in ["4", "4294967295"] {
        let path = format!("/api/v1/policies/{missing}/rollback");
        rest.send(Method::POST, &path, Some(&admin), None).await.error(404, "not_found");
    }
    rest.stop().await;
}

#[tokio::test]
async fn a_broken_policy_is_refused_with_every_error_and_its_place() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let broken = policy("web", "/etc/**").replace("verdict: deny", "verdict: dney\n      colour: red");
    let error = rest.post(&admin, POLICIES, json!({"yaml": broken})).await.error(400, "invalid_policy");
    assert!(error.message.contains("line 11, column 16"), "{}", error.message);
    assert!(error.message.contains("line 12, column 7"), "{}", error.message);
    assert!(error.hint.expect("a hint").contains("`deny`"));
    rest.post(&admin, POLICIES, json!({"yaml": ": ["})).await.error(400, "invalid_policy");
    rest.post(&admin, POLICIES, json!({"yaml": "a\u{0}b"})).await.error(400, "invalid_policy");
    rest.post(&admin, POLICIES, json!({"yaml": "x".repeat(256 * 1024 + 1)})).await.error(400, "invalid_policy");
    assert_eq!(
        rest.get(&admin, POLICIES).await.expect(200),
        json!({"items": [], "next_cursor": null}),
        "nothing was stored"
    );
    rest.stop().await;
}

/// What was in force stays, and the answer names the place, the rule and a way out.
#[tokio::test]
async fn a_policy_that_blows_up_is_refused_and_changes_nothing() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    rest.post(&admin, POLICIES, json!({"yaml": policy("web", "/etc/**")})).await.expect(201);
    let assignment = json!({"version": 1, "target_type": "all", "target_id": ""});
    rest.post(&admin, "/api/v1/policy-assignments", assignment).await.expect(201);
    let rules = (0..24)
        .map(|n| {
            let tail = "?".repeat(n % 7 + 6);
            format!("    - {{name: r{n}, action: exec, resource_pattern: '**/{n}*a{tail}', verdict: deny}}\n")
        })
        .collect::<Vec<_>>()
        .concat();
    let head = "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: t}\nspec:\n  rules:\n";
    let laughs = "a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n".to_owned();
    let parentheses = format!(
        "{head}    - {{name: r, action: exec, verdict: alert, condition: '{}true{}'}}\n",
        "(".repeat(160),
        ")".repeat(160)
    );
    for (yaml, says) in [
        (format!("{head}{rules}"), "too much for the kernel's tables"),
        (laughs, "anchors (`&name`) are not allowed"),
        ("[".repeat(100_000), "nested more than 32 deep"),
        (parentheses, "the condition is nested more than 32 deep"),
    ] {
        let answer = rest.post(&admin, POLICIES, json!({"yaml": yaml})).await;
        let error = answer.error(400, "invalid_policy");
        // (That there is a hint, `error` asks of each answer.)
        assert!(error.message.contains(says) && error.message.contains("line "), "{}", error.message);
    }
    let list = rest.get(&admin, POLICIES).await.expect(200);
    assert_eq!(list["items"].as_array().expect("a list").len(), 1);
    let assigned = rest.get(&admin, "/api/v1/policy-assignments").await.expect(200);
    assert_eq!(assigned["items"][0]["version"], json!(1));
    rest.stop().await;
}
