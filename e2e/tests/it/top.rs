//! `tyrctl top` in a real terminal, at the two sizes that it was drawn for.

use std::time::Duration;

use tyr_e2e::binary;
use tyr_e2e::screen::Screen;
use tyr_e2e::stack::Stack;

const LIMIT: Duration = Duration::from_secs(30);
const POLICY: &str = "apiVersion: tyr.dev/v1
kind: Policy
metadata:
  name: top
spec:
  rules:
    - name: no-test-net
      action: net_connect
      cidr_deny: [203.0.113.0/24]
      verdict: deny
      severity: critical
    - name: no-mark
      action: file_read
      resource_pattern: /etc/hostname
      verdict: deny
      severity: high
";

/// Does `line` fit `template`, in which each `*` stands for any text?
fn fits(template: &str, line: &str) -> bool {
    match template.split_once('*') {
        None => template == line,
        Some((before, after)) => line
            .strip_prefix(before)
            .is_some_and(|rest| (0..=rest.len()).any(|at| rest.is_char_boundary(at) && fits(after, &rest[at..]))),
    }
}

#[track_caller]
fn assert_screen(screen: &str, template: &str) {
    let (lines, templates): (Vec<_>, Vec<_>) = (screen.lines().collect(), template.lines().collect());
    for (number, template) in templates.iter().enumerate() {
        let line = lines.get(number).copied().unwrap_or_default();
        assert!(fits(template, line), "line {} is not\n{template}\nbut\n{line}\nin\n{screen}", number + 1);
    }
}

#[test]
fn the_overview_shows_a_denial_and_a_drift_at_both_sizes() {
    let stack = Stack::start(&[]).expect("the server starts");
    stack.apply_policy(POLICY).expect("the policy is accepted");
    let agent = stack.start_agent("host-1", "").expect("the agent starts");
    let [small, mut large] = [(24, 80), (48, 160)].map(|(rows, columns)| {
        let top = Screen::start(&binary("tyrctl"), &["top"], stack.environment(), rows, columns).expect("a terminal");
        top.wait_for("LIVE", LIMIT);
        top
    });
    let status = agent
        .governed("claude-code", "/bin/bash")
        .args(["-c", "cat /etc/hostname; exec 3<>/dev/tcp/203.0.113.7/443"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .expect("bash starts");
    assert_eq!(status.code(), Some(1), "bash can't connect");

    // The denial and the alert travel at once; counters and rates follow with the next second.
    let complete = |screen: &str| {
        ["203.0.113.7:443", "ALERT→DENY", "host-1    online", "drift 1/1d", "p99"]
            .iter()
            .all(|text| screen.contains(text))
    };
    assert_screen(&small.wait_until("the denial and the drift", LIMIT, complete), include_str!("top-80x24.txt"));
    assert_screen(&large.wait_until("the denial and the drift", LIMIT, complete), include_str!("top-160x48.txt"));

    large.press("3").expect("a key");
    large.wait_for("[3 Events]", LIMIT);
    large.wait_until("allowed events", LIMIT, |screen| screen.contains("exec") && screen.contains("allow"));
    assert!(large.is_alternate());
    for mut top in [small, large] {
        top.press("q").expect("a key");
        assert_eq!(top.finish().expect("an exit code"), 0);
    }
}
