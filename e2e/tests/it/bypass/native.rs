//! On the running kernel: the network rules, which are enforced on every kernel that Tyr supports.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tyr_e2e::binary;
use tyr_e2e::stack::{Agent, Stack};

use super::{Who, check, network};

/// The other end of the attempts; ends with the value.
struct OtherEnd {
    child: Child,
    port: u16,
}

impl OtherEnd {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let mut command = Command::new(binary("tyr-attacker"));
        let mut child =
            command.arg("serve").args(network::served(port)).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let end = Self { child, port };
        assert_eq!(line, "serving\n");
        end
    }
}

impl Drop for OtherEnd {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What `tyr-attacker try` says to these lines.
fn attack(agent: &Agent, who: Who, served: &str, lines: &str) -> String {
    let attacker = binary("tyr-attacker");
    let governed = agent.governed("claude-code", &attacker);
    // What somebody else opened before; it enters the scope first, as it becomes what is governed.
    let mut command = agent.in_scope(&attacker);
    command.args(["with", "/dev/null", served]);
    if who == Who::Governed {
        command.arg(governed.get_program()).args(governed.get_args());
    } else {
        command.arg(&attacker);
    }
    let mut child = command.arg("try").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    String::from_utf8(output.stdout).expect("text")
}

/// Whether the running kernel has what a class needs; it need not be one of those that Tyr is tested with.
fn supported(agent: &Agent, served: &str, class: &str) -> bool {
    if !class.starts_with("uring") && class != "mptcp" && class != "sctp" {
        return true;
    }
    let outcome = attack(agent, Who::Ungoverned, served, &format!("{class} 127.0.0.1:1\n"));
    let missing = ["ENOSYS", "EPROTONOSUPPORT", "EPERM"].contains(&outcome.trim());
    if missing {
        writeln!(std::io::stderr(), "not tried: {class}, this kernel has none: {}", outcome.trim()).ok();
    }
    !missing
}

#[test]
fn network_rules_hold() {
    let stack = Stack::start(&[]).expect("the server starts");
    stack.apply_policy(network::POLICY).expect("the policy is accepted");
    let agent = stack.start_agent("bypass", "").expect("the agent starts");
    let other_end = OtherEnd::start();
    let port = other_end.port;
    let [served, ..] = &network::served(port);
    let supported = |class: &str| supported(&agent, served, class);
    check(&network::denied(port, network::On::Partial, supported), |who, lines| attack(&agent, who, served, lines));
    let lines = network::allowed(port, network::On::Partial, supported);
    let outcomes = attack(&agent, Who::Governed, served, &lines);
    let refused: Vec<_> = lines.lines().zip(outcomes.lines()).filter(|(_, outcome)| *outcome != "ok").collect();
    assert!(refused.is_empty(), "these are allowed: {refused:?}");
}
