//! What an admin can change over REST can be changed with `tyrctl`: each route that changes something has a call and a command.

use clap::CommandFactory;
use serde_json::Value;
use tyrctl::args::Cli;

/// Each route that changes something, as the client's documentation names it, and the command that takes it.
const COMMANDS: [(&str, &str); 23] = [
    ("POST /api/v1/auth/setup", "setup"),
    ("POST /api/v1/auth/login", "login"),
    ("POST /api/v1/auth/logout", "logout"),
    ("POST /api/v1/auth/password", "passwd"),
    ("POST /api/v1/auth/rotate-key", "auth rotate-key"),
    ("POST /api/v1/users", "user create"),
    ("PATCH /api/v1/users/{id}", "user set-role"),
    ("DELETE /api/v1/users/{id}", "user delete"),
    ("PATCH /api/v1/agents/{id}", "agent archive"),
    ("DELETE /api/v1/agents/{id}", "agent revoke"),
    ("PATCH /api/v1/discovered-agents/{id}", "ai rename"),
    ("PUT /api/v1/agent-types/{agent_type}", "ai approve"),
    ("DELETE /api/v1/agent-types/{agent_type}", "ai quarantine"),
    ("POST /api/v1/policies", "policy apply"),
    ("POST /api/v1/policies/{version}/rollback", "policy rollback"),
    ("POST /api/v1/policy-assignments", "policy assign"),
    ("DELETE /api/v1/policy-assignments/{id}", "policy unassign"),
    ("POST /api/v1/alerts/{id}/acknowledge", "alerts ack"),
    ("POST /api/v1/webhooks", "alerts webhook add"),
    ("DELETE /api/v1/webhooks/{id}", "alerts webhook remove"),
    ("POST /api/v1/webhooks/{id}/test", "alerts webhook test"),
    ("POST /api/v1/enrollment-tokens", "token create"),
    ("DELETE /api/v1/enrollment-tokens/{token_id}", "token revoke"),
];

/// The routes that change something, of the frozen description. `daemons` is another name of `agents`.
fn changing_routes() -> Vec<String> {
    let document: Value = serde_json::from_str(include_str!("../../../docs/openapi.json")).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let routes = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("operations").keys().filter(|method| *method != "get");
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    routes.filter(|route| !route.contains("/daemons/")).collect()
}

#[test]
fn whatever_can_be_changed_has_a_command() {
    let mut expected = changing_routes();
    let mut named: Vec<String> = COMMANDS.iter().map(|(route, _)| (*route).to_owned()).collect();
    expected.sort_unstable();
    named.sort_unstable();
    assert_eq!(named, expected);
    let client = include_str!("../../src/client/routes.rs");
    for (route, command) in COMMANDS {
        assert!(client.contains(&format!("`{route}`")), "no call of the client is for {route}");
        let cli = Cli::command();
        let mut place = &cli;
        for word in command.split(' ') {
            place = place.find_subcommand(word).unwrap_or_else(|| panic!("`tyrctl {command}` ({route}) is no command"));
        }
    }
}
