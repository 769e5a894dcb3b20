//! Users, one's own password, sessions, and the audit log.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::double::{Answers, Double, error, id};

fn user(n: u8, name: &str, role: &str) -> Value {
    json!({"user_id": id(n), "username": name, "role": role, "created_at": "2026-11-22T18:00:00Z",
        "password_changed_at": null, "last_login_at": null})
}

fn session() -> Value {
    json!({"token": "new.token.x", "expires_at": "2026-11-23T19:00:00Z", "username": "alice", "role": "admin"})
}

#[test]
fn users_are_listed_and_shown() {
    let double = Double::start(Answers::fleet());
    assert_snapshot!(double.run(&["user", "list"]), @"
    exit 0
    --- stdout
    USERNAME  ROLE    LAST_LOGIN_AT         CREATED_AT
    alice     admin   2026-11-22T19:00:00Z  2026-11-22T18:00:00Z
    bob       viewer  -                     2026-11-22T18:30:00Z
    ");
    assert_snapshot!(double.run(&["user", "show", "bob"]), @"
    exit 0
    --- stdout
    username             bob
    user_id              00000000-0000-7000-8000-000000000043
    role                 viewer
    created_at           2026-11-22T18:30:00Z
    last_login_at        -
    password_changed_at  -
    ");
    assert_snapshot!(double.run(&["user", "ls", "-o", "name"]), @"
    exit 0
    --- stdout
    alice
    bob
    ");
    assert_snapshot!(double.run(&["user", "show", "bobb"]), @"
    exit 1
    --- stderr
    error: there is no user `bobb`
    hint: did you mean `bob`?
    ");
    assert_snapshot!(double.run(&["user", "list", "-o", "csv", "--columns", "username,role"]), @"
    exit 0
    --- stdout
    username,role
    alice,admin
    bob,viewer
    ");
}

#[test]
fn users_are_made_with_a_password_from_standard_input() {
    let double = Double::start(Answers::fleet().with("POST /api/v1/users", 201, &user(46, "carol", "viewer")));
    let create = ["user", "create", "carol", "--role", "viewer", "--password-stdin"];
    assert_snapshot!(double.run_with_input(&create, "a good password\n"), @"
    exit 0
    --- stdout
    ✓ user carol [viewer]
    ");
    assert_snapshot!(double.run(&["user", "create", "carol", "--role", "viewer"]), @"
    exit 2
    --- stderr
    error: no password, and nobody can be asked
    hint: `--password-stdin` reads it from standard input
    ");
    assert_snapshot!(double.run(&["user", "create", "carol", "--role", "root"]), @"
    exit 2
    --- stderr
    error: `root` is not a value for `--role <ROLE>`
    hint: one of viewer, admin
    ");
    assert_eq!(double.requests(), ["POST /api/v1/users"]);
}

#[test]
fn what_takes_rights_away_wants_a_yes() {
    let route = format!("/api/v1/users/{}", id(43));
    let double = Double::start(Answers::fleet().with(&format!("PATCH {route}"), 200, &user(43, "bob", "admin")).with(
        &format!("DELETE {route}"),
        204,
        &(),
    ));
    assert_snapshot!(double.run(&["user", "set-role", "bob", "admin"]), @"
    exit 2
    --- stderr
    error: not done: make an admin of bob, and end its sessions
    cause: nobody can be asked to confirm it
    hint: `--yes` does it without asking, `--dry-run` only says what it would do
    ");
    assert_snapshot!(double.run(&["user", "set-role", "bob", "admin", "--yes"]), @"
    exit 0
    --- stdout
    ✓ user bob is [admin] now; its sessions have ended
    ");
    assert_snapshot!(double.run(&["user", "set-role", "bob", "viewer", "--yes"]), @"
    exit 0
    --- stdout
    ✓ user bob is [viewer] already
    ");
    assert_snapshot!(double.run(&["user", "delete", "bob"]), @"
    exit 2
    --- stderr
    error: not done: remove the user bob, and end its sessions
    cause: nobody can be asked to confirm it
    hint: `--yes` does it without asking, `--dry-run` only says what it would do
    ");
    assert_snapshot!(double.run(&["user", "rm", &id(43).to_string(), "--yes"]), @"
    exit 0
    --- stdout
    ✓ user bob is removed
    ");
    assert_snapshot!(double.run_with_input(&["user", "reset-password", "bob", "--password-stdin", "--yes"], "another one\n"), @"
    exit 0
    --- stdout
    ✓ user bob has another password; its sessions have ended
    ");
    let changes = double.requests().into_iter().filter(|line| !line.starts_with("GET")).collect::<Vec<_>>();
    assert_eq!(changes, [format!("PATCH {route}"), format!("DELETE {route}"), format!("PATCH {route}")]);
}

#[test]
fn refusals_of_the_server_are_passed_on() {
    let refusal = error("last_admin", "`alice` is the last admin", Some("make another user an admin first"));
    let double = Double::start(Answers::fleet().with(&format!("DELETE /api/v1/users/{}", id(41)), 409, &refusal));
    assert_snapshot!(double.run(&["user", "delete", "alice", "--yes"]), @"
    exit 1
    --- stderr
    error: `alice` is the last admin
    hint: make another user an admin first
    ");
}

#[test]
fn a_changed_password_brings_a_new_token() {
    let double = Double::start(Answers::fleet().with("POST /api/v1/auth/password", 200, &session()));
    assert_snapshot!(double.run_with_input(&["passwd", "--password-stdin"], "old one\nnew one\n"), @"
    exit 0
    --- stdout
    ✓ password changed; your other sessions have ended
    ");
    let token = || std::fs::read_to_string(double.config().join("token")).expect("stored");
    assert_eq!(token(), "new.token.x\n");
    assert_snapshot!(double.run_with_input(&["passwd", "--password-stdin"], "old one\n"), @"
    exit 2
    --- stderr
    error: standard input holds no password
    ");
    assert_snapshot!(double.run(&["passwd"]), @"
    exit 2
    --- stderr
    error: no password, and nobody can be asked
    hint: `--password-stdin` reads it from standard input
    ");
    assert_eq!(token(), "new.token.x\n");
}

#[test]
fn the_session_key_is_replaced_and_our_session_with_it_where_all_end() {
    let rotation = json!({"key_id": "b2", "previous_key_id": "a1", "session": null});
    let double = Double::start(Answers::fleet().with("POST /api/v1/auth/rotate-key", 200, &rotation));
    assert_snapshot!(double.run(&["auth", "rotate-key"]), @"
    exit 2
    --- stderr
    error: not done: replace the session key
    cause: nobody can be asked to confirm it
    hint: `--yes` does it without asking, `--dry-run` only says what it would do
    ");
    assert_snapshot!(double.run(&["auth", "rotate-key", "--yes"]), @"
    exit 0
    --- stdout
    ✓ key b2 signs from now on; sessions go on
    ");
    let rotation = json!({"key_id": "c3", "previous_key_id": null, "session": session()});
    let double = Double::start(Answers::fleet().with("POST /api/v1/auth/rotate-key", 200, &rotation));
    assert_snapshot!(double.run(&["auth", "rotate-key", "--end-sessions", "--yes"]), @"
    exit 0
    --- stdout
    ✓ key c3 signs from now on; all other sessions have ended
    ");
    assert_eq!(double.requests(), ["POST /api/v1/auth/rotate-key?end_sessions=true"]);
    assert_eq!(std::fs::read_to_string(double.config().join("token")).expect("stored"), "new.token.x\n");
}

#[test]
fn logging_out_ends_the_session_on_the_server_too() {
    let double = Double::start(Answers::fleet());
    let token = double.config().join("token");
    assert_snapshot!(double.run(&["logout"]), @"
    exit 0
    --- stdout
    ✓ logged out
    ");
    assert!(!token.exists());
    assert_snapshot!(double.run(&["logout"]), @"
    exit 0
    --- stderr
    note: nobody was logged in
    ");
    tyrctl::auth::store_token(&token, "stored-token").expect("stored");
    assert_snapshot!(double.run(&["logout", "--everywhere"]), @"
    exit 0
    --- stdout
    ✓ logged out everywhere
    ");
    assert_eq!(double.requests(), ["POST /api/v1/auth/logout", "POST /api/v1/auth/logout?everywhere=true"]);
    let output = double.command(&["logout"]).env("TYR_TOKEN", "from-outside").output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "✓ logged out\n");
    assert_eq!(double.requests().len(), 3);
}

#[test]
fn logging_out_forgets_the_token_even_when_the_server_can_not_be_told() {
    let double = Double::start(Answers::fleet().with("POST /api/v1/auth/logout", 503, &error("busy", "later", None)));
    assert_snapshot!(double.run(&["logout"]), @"
    exit 5
    --- stderr
    error: later
    hint: the server's log has more about request req-1
    hint: the token of context `default` was forgotten here; on the server it works until it expires
    ");
    assert!(!double.config().join("token").exists());
    let double =
        Double::start(Answers::fleet().with("POST /api/v1/auth/logout", 401, &error("token_expired", "old", None)));
    assert_snapshot!(double.run(&["logout"]), @"
    exit 0
    --- stdout
    ✓ logged out
    ");
}

#[test]
fn the_audit_log_is_shown_harmless_and_exact_for_programs() {
    let double = Double::start(Answers::fleet());
    assert_snapshot!(double.run(&["audit"]), @"
    exit 0
    --- stdout
    TS                    ACTOR      ACTION             TARGET   DETAILS      SOURCE
    2026-11-22T19:20:00Z  <unknown>  auth.login_failed  -        -            192.0.2.9
    2026-11-22T19:10:00Z  alice      user.create        bob␛[2J  role=viewer  192.0.2.7
    ");
    assert_snapshot!(double.run(&["audit", "--actor", "alice", "--action", "user", "--since", "2026-11-22", "--limit", "1", "-o", "jsonl"]), @r#"
    exit 0
    --- stdout
    {"audit_id":8,"ts":"2026-11-22T19:20:00.5Z","actor":"<unknown>","actor_id":null,"source":"192.0.2.9","action":"auth.login_failed","target":"","details":{},"request_id":"00000000-0000-7000-8000-000000000044"}
    --- stderr
    note: the newest 1 entries; --limit 0 for all
    "#);
    assert_eq!(
        double.requests(),
        [
            "GET /api/v1/audit?limit=101",
            "GET /api/v1/audit?action=user&actor=alice&limit=2&since=2026-11-22T00%3A00%3A00Z"
        ]
    );
    assert_snapshot!(double.run(&["audit", "--fail-on-any", "-q", "-o", "name"]), @"
    exit 3
    --- stdout
    8
    7
    ");
}

#[test]
fn the_user_of_a_session_is_what_the_server_says() {
    let double = Double::start(Answers::fleet());
    assert_snapshot!(double.run(&["auth", "status"]), @"
    exit 0
    --- stdout
    state       logged in
    server      [server]
    context     default
    username    alice
    role        admin
    expires_at  2026-11-23T19:00:00Z
    token       [config]/tyr/token
    ");
}
