//! The audit log: what gets into it, how it is read, and that nothing gets out of it.

use serde_json::{Value, json};
use tyr_server::app::audit::{self, Action, Actor};

use super::harness::Rest;
use super::policies::policy;

const AUDIT: &str = "/api/v1/audit";

async fn entries(rest: &Rest, admin: &str, query: &str) -> Vec<Value> {
    let page = rest.get(admin, &format!("{AUDIT}{query}")).await.expect(200);
    page["items"].as_array().expect("a list").clone()
}

fn actions(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["action"].as_str().expect("a word")).collect()
}

#[tokio::test]
async fn deeds_of_admins_are_written_down_with_who_what_and_from_where() {
    let rest = Rest::start().await;
    let (admin_id, admin) = rest.session("admin").await;
    let token = rest.post(&admin, "/api/v1/enrollment-tokens", json!({"label": "laptops"})).await;
    let request_id = token.headers["x-request-id"].to_str().expect("text").to_owned();
    let token_id = token.expect(201)["token_id"].as_str().expect("an id").to_owned();
    rest.delete(&admin, &format!("/api/v1/enrollment-tokens/{token_id}")).await.expect(200);
    rest.delete(&admin, "/api/v1/enrollment-tokens/none").await.error(404, "not_found");
    let body = json!({"yaml": policy("web", "/etc/**")});
    let version = rest.post(&admin, "/api/v1/policies", body).await.expect(201)["version"].clone();
    rest.post(&admin, "/api/v1/policies", json!({"yaml": "nonsense"})).await.error(400, "invalid_policy");
    let body = json!({"version": version, "target_type": "all"});
    let assigned = rest.post(&admin, "/api/v1/policy-assignments", body).await.expect(201);
    let path = format!("/api/v1/policy-assignments/{}", assigned["assignment_id"].as_str().expect("an id"));
    rest.delete(&admin, &path).await.expect(204);

    let all = entries(&rest, &admin, "").await;
    let expected = ["assignment.end", "assignment.create", "policy.apply", "token.revoke", "token.create"];
    assert_eq!(actions(&all), expected, "newest first, and nothing of what was refused");
    let made = all.last().expect("five");
    assert_eq!(made["actor"], format!("admin-{admin_id}"));
    assert_eq!((&made["actor_id"], &made["source"]), (&json!(admin_id), &json!("127.0.0.1")));
    assert_eq!((&made["target"], &made["request_id"]), (&json!(token_id), &json!(request_id)));
    assert_eq!(made["details"], json!({"label": "laptops", "max_uses": "1", "expires_hours": "24"}));
    assert_eq!(all[1]["details"]["version"], version.to_string());
    rest.stop().await;
}

#[tokio::test]
async fn entries_are_filtered_and_paged() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let mut tx = rest.app.pool.begin().await.expect("a transaction");
    for n in 0..7 {
        let actor = Actor { name: format!("user{}", n % 2), ..Actor::environment() };
        let action = if n < 3 { Action::UserCreate } else { Action::TokenCreate };
        audit::record(&mut tx, &actor, action, &n.to_string(), &[]).await.expect("written");
    }
    tx.commit().await.expect("committed");
    let targets = async |query: &str| -> Vec<String> {
        let list = entries(&rest, &admin, query).await;
        list.iter().map(|entry| entry["target"].as_str().expect("text").to_owned()).collect()
    };
    assert_eq!(targets("?actor=user1").await, ["5", "3", "1"]);
    assert_eq!(targets("?action=user").await, ["2", "1", "0"], "an area");
    assert_eq!(targets("?action=user.create&actor=user0").await, ["2", "0"]);
    assert_eq!(targets("?actor=user").await, [""; 0], "names are compared whole");
    let mut seen = Vec::new();
    let mut path = format!("{AUDIT}?limit=3");
    loop {
        let page = rest.get(&admin, &path).await.expect(200);
        seen.extend(page["items"].as_array().expect("a list").iter().map(|entry| entry["target"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("{AUDIT}?limit=3&cursor={cursor}");
    }
    assert_eq!(seen, ["6", "5", "4", "3", "2", "1", "0"], "each once");
    let all = entries(&rest, &admin, "").await;
    let at = |n: usize| all[n]["ts"].as_str().expect("a time").to_owned();
    assert_eq!(targets(&format!("?since={}", at(2))).await, ["6", "5", "4"], "from then on");
    assert_eq!(targets(&format!("?until={}", at(4))).await, ["1", "0"], "before then");
    for (query, hint) in
        [("?action=user.crate", "did you mean `user.create`?"), ("?action=users", "did you mean `user`?")]
    {
        let error = rest.get(&admin, &format!("{AUDIT}{query}")).await.error(400, "invalid_parameter");
        assert_eq!(error.hint.as_deref(), Some(hint));
    }
    for query in ["?actor=", "?actor=%00", "?cursor=x", "?limit=0", "?since=yesterday"] {
        rest.get(&admin, &format!("{AUDIT}{query}")).await.error(400, "invalid_parameter");
    }
    rest.stop().await;
}

#[tokio::test]
async fn the_database_refuses_to_change_or_remove_entries() {
    let rest = Rest::start().await;
    let mut conn = rest.app.pool.acquire().await.expect("a connection");
    audit::record(&mut conn, &Actor::environment(), Action::UserCreate, "new", &[]).await.expect("written");
    drop(conn);
    for sql in [
        "UPDATE audit_log SET actor = 'nobody'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "INSERT INTO audit_log (audit_id, actor, action, target) VALUES (1, 'a', 'a.b', '')",
    ] {
        sqlx::query(sql).execute(&rest.app.pool).await.expect_err(sql);
    }
    let (entries, actor): (i64, String) =
        sqlx::query_as("SELECT count(*), min(actor) FROM audit_log").fetch_one(&rest.app.pool).await.expect("read");
    assert_eq!((entries, actor.as_str()), (1, "<environment>"));
    rest.stop().await;
}

#[tokio::test]
async fn retention_takes_what_is_old_and_nothing_younger_than_ninety_days() {
    let rest = Rest::start().await;
    for (target, days) in [("ancient", 500), ("old", 100), ("young", 80)] {
        sqlx::query("INSERT INTO audit_log (ts, actor, action, target) VALUES (now() - make_interval(days => $1), 'a', 'a.b', $2)")
            .bind(days)
            .bind(target)
            .execute(&rest.app.pool)
            .await
            .expect("written");
    }
    let now = jiff::Timestamp::now();
    assert_eq!(audit::expire(&rest.app.pool, 400, now).await.expect("removed"), 1);
    assert_eq!(audit::expire(&rest.app.pool, 1, now).await.expect("removed"), 1, "90 days at least");
    let left: Vec<String> =
        sqlx::query_scalar("SELECT target FROM audit_log").fetch_all(&rest.app.pool).await.expect("read");
    assert_eq!(left, ["young"]);
    rest.stop().await;
}

#[tokio::test]
async fn a_deed_that_is_rolled_back_leaves_no_entry_and_hostile_text_does_no_harm() {
    let rest = Rest::start().await;
    let admin = rest.admin().await;
    let mut tx = rest.app.pool.begin().await.expect("a transaction");
    audit::record(&mut tx, &Actor::environment(), Action::UserCreate, "gone", &[]).await.expect("written");
    tx.rollback().await.expect("rolled back");
    let mut conn = rest.app.pool.acquire().await.expect("a connection");
    let actor = Actor { name: "x".repeat(10_000), ..Actor::environment() };
    let hostile = "\0'; DROP TABLE audit_log; --\u{1b}[2J";
    audit::record(&mut conn, &actor, Action::UserCreate, hostile, &[("text", &"y".repeat(5000))])
        .await
        .expect("written");
    drop(conn);
    let all = entries(&rest, &admin, "").await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0]["target"], "\u{fffd}'; DROP TABLE audit_log; --\u{1b}[2J");
    assert_eq!(all[0]["actor"].as_str().map(str::len), Some(256));
    assert_eq!(all[0]["details"]["text"].as_str().map(str::len), Some(1024));
    rest.stop().await;
}
