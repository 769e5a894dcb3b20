//! `/metrics`: who may read it, in which format, and that the documented names are there.

use std::fs;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use tyr_api::events::{EventKind, Verdict};

use super::harness::{Rest, event};

async fn scrape(rest: &Rest, token: Option<&str>, accept: &str) -> (u16, String, String) {
    let mut request = rest.client.get(rest.url("/metrics")).header(ACCEPT, accept);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.expect("an answer");
    let kind = response.headers()[CONTENT_TYPE].to_str().expect("text").to_owned();
    (response.status().as_u16(), kind, response.text().await.expect("a body"))
}

#[tokio::test]
async fn the_file_s_token_lets_a_scraper_in_and_nowhere_else() {
    let rest = Rest::start().await;
    rest.app.metrics_token.ensure().expect("made");
    let token = fs::read_to_string(rest.app.metrics_token.path()).expect("read");
    let token = token.trim();
    let (status, kind, text) = scrape(&rest, Some(token), "*/*").await;
    assert_eq!((status, kind.as_str()), (200, "text/plain; version=0.0.4; charset=utf-8"), "{text}");
    rest.get(token, "/api/v1/agents").await.error(401, "invalid_token");
    rest.get(&format!("{token}0"), "/metrics").await.error(401, "invalid_token");
    rest.get(&token[..token.len() - 1], "/metrics").await.error(401, "invalid_token");
    fs::write(rest.app.metrics_token.path(), "tyr_mt_changed\n").expect("replaced");
    rest.get(token, "/metrics").await.error(401, "invalid_token");
    assert_eq!(scrape(&rest, Some("tyr_mt_changed"), "*/*").await.0, 200, "a new file needs no restart");
    rest.stop().await;
}

#[tokio::test]
async fn anybody_reads_metrics_where_the_operator_says_so() {
    let rest = Rest::with(|config| config.metrics_public = true).await;
    assert_eq!(scrape(&rest, None, "*/*").await.0, 200);
    assert_eq!(scrape(&rest, Some("nonsense"), "*/*").await.0, 200);
    rest.stop().await;
}

#[tokio::test]
async fn documented_names_and_labels_in_both_formats() {
    let rest = Rest::start().await;
    let (_, token) = rest.session("viewer").await;
    let token = Some(token.as_str());
    let agent = rest.agent("host-1").await;
    let mut drifted = event(agent, "host-1", EventKind::Exec, Verdict::Deny);
    drifted.drift_detected = true;
    let events = [event(agent, "host-1", EventKind::FileRead, Verdict::Allow), drifted];
    rest.app.metrics.ingest.stored(&events);
    rest.app.metrics.agents.stored(&events);

    let (_, kind, text) = scrape(&rest, token, "text/plain;version=0.0.4").await;
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    for line in [
        "# TYPE tyr_events_total counter",
        "tyr_events_total{verdict=\"deny\",kind=\"exec\"} 1",
        "tyr_events_total{verdict=\"alert\",kind=\"tls_connect\"} 0",
        "# TYPE tyr_agents_online gauge",
        "tyr_agents_online 0",
        "# TYPE tyr_drift_detected_total counter",
        "tyr_drift_detected_total 1",
        "# TYPE tyr_policy_reload_duration_seconds histogram",
        "tyr_policy_reload_duration_seconds_count 0",
        "# TYPE tyr_grpc_requests_total counter",
        "tyr_grpc_requests_total{status=\"UNAUTHENTICATED\"} 0",
        "tyr_database_up 1",
        "tyr_agents_posture{posture=\"unknown\"} 1",
        "tyr_partitions_ahead 7",
        &format!("tyr_agent_denials_total{{agent_id=\"{agent}\"}} 1"),
        &format!("tyr_build_info{{version=\"{}\"}} 1", tyr_server::VERSION),
        "tyr_events_lost_total{reason=\"spool_full\"} 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(!text.contains("# EOF") && !text.contains("# UNIT"), "{text}");

    let (_, kind, text) = scrape(&rest, token, "application/openmetrics-text;version=1.0.0,text/plain;q=0.5").await;
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(text.contains("# TYPE tyr_events counter\n"), "{text}");
    assert!(text.contains("tyr_events_total{verdict=\"deny\",kind=\"exec\"} 1\n"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
    let expected = "tyr_http_requests_total{method=\"GET\",route=\"/metrics\",status=\"200\"} 1\n";
    assert!(text.contains(expected), "the scrape before was counted: {text}");
    rest.stop().await;
}

#[tokio::test]
async fn no_request_makes_a_name_of_its_own() {
    let rest = Rest::start().await;
    let (_, token) = rest.session("viewer").await;
    let before = series(&scrape(&rest, Some(&token), "*/*").await.2);
    for path in ["/api/v1/agents/secret-path", "/nonsense-1", "/nonsense-2?a=b", "/api/v1/agents/%22%7D%0A"] {
        rest.get(&token, path).await;
    }
    let odd = reqwest::Method::from_bytes(b"BREW").expect("a token");
    rest.send(odd, "/health", Some(&token), None).await;
    let text = scrape(&rest, Some(&token), "*/*").await.2;
    for word in ["nonsense", "secret-path", "BREW"] {
        assert!(!text.contains(word), "{text}");
    }
    let new: Vec<_> = series(&text).into_iter().filter(|name| !before.contains(name)).collect();
    assert!(new.iter().any(|name| name.contains("route=\"none\"")), "{new:?}");
    assert!(new.iter().any(|name| name.contains("method=\"other\"")), "{new:?}");
    rest.stop().await;
}

#[tokio::test]
async fn agents_beyond_the_limit_share_a_place() {
    let rest = Rest::start().await;
    let (_, token) = rest.session("viewer").await;
    for n in 0..5 {
        let agent = uuid::Uuid::now_v7();
        let denied = event(agent, &format!("host-{n}"), EventKind::Exec, Verdict::Deny);
        rest.app.metrics.agents.stored([&denied, &denied]);
    }
    let text = scrape(&rest, Some(&token), "*/*").await.2;
    let denials: Vec<_> = text.lines().filter(|line| line.starts_with("tyr_agent_denials_total{")).collect();
    assert_eq!(denials.len(), 3, "two agents and the others: {denials:?}");
    assert!(denials.contains(&"tyr_agent_denials_total{agent_id=\"other\"} 6"), "{denials:?}");
    rest.stop().await;
}

#[tokio::test]
async fn the_generated_list_of_metrics_is_up_to_date() {
    let rest = Rest::start().await;
    let (_, token) = rest.session("viewer").await;
    // One agent of whom it is known that its certificate ends, and one that is stale.
    rest.agent("host-1").await;
    rest.agent("host-2").await;
    sqlx::query("UPDATE agents SET last_seen = now() - interval '1 hour' WHERE name = 'host-2'")
        .execute(&rest.app.pool)
        .await
        .expect("updated");
    // The first request is what the second one counts.
    rest.get(&token, "/health").await;
    let text = scrape(&rest, Some(&token), "*/*").await.2;
    let mut rows: Vec<(String, String, String, String)> = Vec::new();
    let mut help = "";
    for line in text.lines() {
        if let Some(line) = line.strip_prefix("# HELP ") {
            help = line.split_once(' ').map_or("", |(_, help)| help);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|line| line.split_once(' ')) {
            rows.push((name.to_owned(), kind.to_owned(), String::new(), help.to_owned()));
        } else if let Some((name, kind, labels, _)) = rows.last_mut()
            && line.starts_with(name.as_str())
            && labels.is_empty()
            && let Some((_, rest)) = line.split_once('{')
        {
            let names = rest.split(',').filter_map(|label| label.split_once("=\"")).map(|(name, _)| name);
            let names: Vec<_> = names.filter(|name| *name != "le" || kind != "histogram").collect();
            *labels = names.join(", ");
        }
    }
    rows.sort();
    let table: String = rows
        .iter()
        .map(|(name, kind, labels, help)| format!("| `{name}` | {kind} | {labels} | {} |\n", help.replace('|', "\\|")))
        .collect::<Vec<_>>()
        .concat();
    let page = format!("{PAGE}{table}");
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    if std::env::var_os("TYR_UPDATE").is_some() {
        fs::write(&file, &page).expect("written");
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(committed, page, "docs/metrics.md differs: run `./dev update` and commit it");
    rest.stop().await;
}

/// What stands above the table of `docs/metrics.md`.
const PAGE: &str = "# Metrics

`GET https://<server>:7701/metrics` answers in the text format 0.0.4 of Prometheus, and in OpenMetrics 1.0.0 to who asks for it.
It takes the session of any user, and the token in `metrics.token` of the server's data directory (made at the first start, mode
0600, read at each scrape: to change it, write another one into the file that begins with `tyr_mt_`). With
`TYR_METRICS_PUBLIC=true` it asks for neither. `tyrctl metrics --filter tyr_agents` prints them.

- `packaging/prometheus/prometheus.yml`: how Prometheus finds it; `tyr.rules.yml`: alerts, with tests (`promtool test rules tyr.rules.test.yml`).
- `packaging/grafana/tyr.json`: a dashboard to import.

Counters begin at zero with the process, and each server counts what it did itself: sum over servers. What is read from the
database (postures, losses, partitions, spools) is the same on every server that shares it: take the largest. It is left out
while the database is away.

No label holds what somebody else chose: no paths, no names of hosts or users. `agent_id` is given to the first
`TYR_METRICS_AGENTS_MAX` agents (100) that were denied something or drifted; all others are counted together as `other`.

The way of events can be late in two ways: `tyr_agents_spool_records` counts records that wait on hosts (how many, on all and
on the worst one), and `tyr_ingest_batch_age_seconds` says how old events were when they were stored (the time).

This table is written by a test.

| name | type | labels | what |
|---|---|---|---|
";

/// Name and labels of each series.
fn series(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned())).collect()
}
