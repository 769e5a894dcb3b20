//! The interface keeps to its description: schemathesis sends what `/openapi.json` allows and what it forbids, and looks at
//! each answer's status, headers and body. Never a 5xx, whoever asks.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::process::Command;
use tokio::time::timeout;
use tyr_api::events::{EventKind, Verdict};

use super::harness::{Rest, event};
use super::policies::policy;

/// Longest run as one user; reached only when something is broken.
const RUN_MAX: Duration = Duration::from_mins(4);
/// An answer without end; its tests are in `stream` and `hostile`.
const ENDLESS: &str = "/api/v1/events/stream";
/// What would end the session that asks; tried without one.
const SESSION_ENDING: [&str; 2] = ["/api/v1/auth/logout", "/api/v1/auth/rotate-key"];

/// Where the program is: in the folder that `./dev test` fills, else in PATH.
fn program() -> Option<PathBuf> {
    let tools = std::env::var_os("TYR_TOOLS").map(|tools| Path::new(&tools).join("schemathesis/bin/schemathesis"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).map(|folder| folder.join("schemathesis"));
    tools.into_iter().chain(in_path).find(|file| file.is_file())
}

/// Tries everything as one who has that token; `examples` for each operation beside those that cover its description.
async fn run(program: &Path, rest: &Rest, who: &str, token: Option<&str>, examples: u32) {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/rest/schemathesis.toml");
    let mut command = Command::new(program);
    command.current_dir(folder.path()).arg("--config-file").arg(config);
    command.args(["run", &rest.url("/openapi.json"), "--phases", "coverage,fuzzing", "--seed", "1", "--no-shrink"]);
    command.args(["--max-examples", &examples.to_string(), "--continue-on-failure", "--request-timeout", "30"]);
    // More than one worker trips over CPython 3.11's ast module.
    command.args(["--workers", "1", "--warnings", "off", "--no-color"]);
    // Text that is no policy, a name that is taken: a schema can't say it.
    command.args(["--exclude-checks", "positive_data_acceptance"]);
    command.args(["--exclude-path", ENDLESS]);
    if let Some(token) = token {
        for path in SESSION_ENDING {
            command.args(["--exclude-path", path]);
        }
        command.args(["--header", &format!("Authorization: Bearer {token}")]);
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(RUN_MAX, command.output()).await.expect("it ends in time").expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    // Bodies of requests may be megabytes.
    let shown: Vec<String> = said.lines().map(|line| line.chars().take(400).collect()).collect();
    assert!(output.status.success(), "as {who}:\n{}", shown.join("\n"));
    assert!(said.contains("Tested: "), "as {who}, nothing was tested:\n{}", shown.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_interface_keeps_to_its_description() {
    let Some(program) = program() else {
        let test = std::thread::current().name().unwrap_or("?").to_owned();
        assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "{test} can't run: there is no schemathesis");
        writeln!(std::io::stderr(), "{test} can't run here: there is no schemathesis; `./dev test` fetches it")
            .expect("said");
        return;
    };
    let rest = Rest::start().await;
    let (_, admin) = rest.session("admin").await;
    let (_, viewer) = rest.session("viewer").await;
    let agent = rest.agent("build-017").await;
    rest.post(&admin, "/api/v1/policies", json!({"yaml": policy("web", "/etc/**")})).await.expect(201);
    let assignment = json!({"version": 1, "target_type": "agent", "target_id": agent});
    rest.post(&admin, "/api/v1/policy-assignments", assignment).await.expect(201);
    rest.post(&admin, "/api/v1/enrollment-tokens", json!({"label": "build hosts"})).await.expect(201);
    for verdict in [Verdict::Allow, Verdict::Deny, Verdict::Alert] {
        rest.store((0..50).map(|_| event(agent, "build-017", EventKind::Exec, verdict)).collect()).await;
    }
    run(&program, &rest, "nobody", None, 2).await;
    run(&program, &rest, "viewer", Some(&viewer), 5).await;
    run(&program, &rest, "admin", Some(&admin), 10).await;
    // It really was an admin to the end.
    rest.get(&admin, "/api/v1/audit").await.expect(200);
    rest.stop().await;
}
