//! An agent that stops turns stale, and the operator's command says so.

use std::time::Duration;

use tyr_e2e::stack::Stack;
use tyr_e2e::wait_for;

const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn a_stopped_agent_turns_stale() {
    let stack =
        Stack::start(&[("TYR_STALE_AFTER_S", "10"), ("TYR_HEARTBEAT_INTERVAL_S", "1")]).expect("the server starts");
    let mut agent = stack.start_agent("sleepy", "").expect("the agent starts");
    let liveness = || {
        let agents = stack.tyrctl_json(&["agents"]).expect("tyrctl agents");
        agents[0]["liveness"].as_str().unwrap_or_default().to_owned()
    };
    wait_for("an online agent", LIMIT, || (liveness() == "online").then_some(()));
    let stale = stack.tyrctl(["agents", "--stale", "--fail-on-any"]);
    assert_eq!(stale.status.code(), Some(0), "nobody is stale yet");

    agent.stop();
    wait_for("a stale agent", LIMIT, || {
        (stack.tyrctl(["agents", "--stale", "--fail-on-any"]).status.code() == Some(3)).then_some(())
    });
    let rows = stack.tyrctl_json(&["agents", "--stale"]).expect("tyrctl agents --stale");
    assert_eq!(rows.as_array().map(Vec::len), Some(1));
    assert_eq!(rows[0]["name"], "sleepy");
    assert_eq!(rows[0]["liveness"], "stale");
    assert_eq!(rows[0]["connected"], false);
}
