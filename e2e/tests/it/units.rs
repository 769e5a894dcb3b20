//! The systemd units: valid, hardened, and no tighter than the programs can live with.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tyr_e2e::stack::{Stack, text};
use tyr_e2e::wait_for;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/systemd");
/// Highest exposure that `systemd-analyze security` may find, in tenths. An agent that loads kernel programs as root can't be
/// as closed as the server.
const EXPOSURE_MAX: [(&str, u32); 2] = [("tyr-server.service", 15), ("tyr-agent.service", 36)];

fn unit(name: &str) -> String {
    fs::read_to_string(Path::new(FOLDER).join(name)).expect("a unit")
}

fn setting(unit: &str, name: &str) -> String {
    let line = unit.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    line.unwrap_or_else(|| panic!("no {name}")).to_owned()
}

#[test]
fn units_are_valid() {
    for (name, _) in EXPOSURE_MAX {
        // With programs that exist on every host: the packages put ours in place.
        let folder = tempfile::tempdir().expect("a folder");
        let text = unit(name)
            .lines()
            .filter(|line| !line.starts_with("Documentation="))
            .map(|line| if line.starts_with("ExecStart=") { "ExecStart=/bin/true" } else { line })
            .map(|line| if matches!(line, "User=tyr" | "Group=tyr") { "" } else { line })
            .fold(String::new(), |text, line| text + line + "\n");
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output().expect("systemd");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !said.contains(name), "{said}");
    }
}

#[test]
fn units_are_hardened() {
    for (name, max) in EXPOSURE_MAX {
        let output = Command::new("systemd-analyze")
            .args(["security", "--offline=true", "--no-pager", &format!("--threshold={max}")])
            .arg(Path::new(FOLDER).join(name))
            .output()
            .expect("systemd");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn units_restart_and_are_watched() {
    for (name, _) in EXPOSURE_MAX {
        let unit = unit(name);
        assert_eq!(setting(&unit, "Type"), "notify", "{name}");
        assert_eq!(setting(&unit, "Restart"), "always", "{name}");
        assert_eq!(setting(&unit, "RestartPreventExitStatus"), "2", "{name}");
        // Else the database would go down with the first SIGTERM, before what waits is written.
        assert_eq!(setting(&unit, "KillMode"), "mixed", "{name}");
        let seconds = |key: &str| setting(&unit, key).parse::<u32>().expect("seconds");
        assert!(seconds("WatchdogSec") >= 20, "{name}");
        assert!(seconds("TimeoutStopSec") > 10, "{name}: a stop takes up to 10 s");
    }
}

/// tyrd with the capabilities of its unit and no others enforces, observes and reports.
#[test]
fn the_agent_needs_no_more_than_its_unit_gives() {
    let stack = Stack::start(&[]).expect("the server starts");
    let capabilities = setting(&unit("tyr-agent.service"), "CapabilityBoundingSet").to_lowercase();
    let kept: Vec<String> = capabilities.split(' ').map(|name| name.replacen("cap_", "+", 1)).collect();
    let bounding = format!("--bounding-set=-all,{}", kept.join(","));
    stack
        .apply_policy(
            "apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {name: unit}\nspec:\n  rules:\n    - name: net\n      \
             action: net_connect\n      cidr_deny: [203.0.113.0/24]\n      verdict: deny\n",
        )
        .expect("the policy is accepted");
    let agent = stack
        .start_agent_under("confined", &["setpriv", &bounding, "--inh-caps=-all", "--no-new-privs"])
        .expect("the agent starts");
    let status: serde_json::Value = serde_json::from_str(&agent.status().expect("status")).expect("JSON");
    assert_eq!(status["posture"], "partial", "{status}");
    let sets = fs::read_to_string(format!("/proc/{}/status", agent.pid())).expect("proc");
    let effective = sets.lines().find_map(|line| line.strip_prefix("CapEff:")).expect("CapEff").trim().to_owned();
    let effective = u64::from_str_radix(&effective, 16).expect("a mask");
    // A container may have given the test itself fewer.
    assert!(effective != 0 && effective.count_ones() as usize <= kept.len(), "{sets}");

    // A process of another user, in a folder that is closed to others.
    let closed = stack.folder().join("closed");
    fs::create_dir(&closed).expect("a folder");
    fs::write(closed.join("read.txt"), "x").expect("a file");
    let status = Command::new("chown").args(["-R", "nobody"]).arg(&closed).status().expect("chown");
    assert!(status.success());
    fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("closed");
    let mut work = agent.governed("claude-code", "setpriv");
    work.args(["--reuid=nobody", "--clear-groups", "bash", "-c", "cat read.txt; echo >/dev/tcp/203.0.113.7/443"]);
    work.current_dir(&closed).stdout(Stdio::null()).stderr(Stdio::null()).status().expect("it runs");
    let wanted = [
        ("file_read", "allow", closed.join("read.txt").display().to_string()),
        ("net_connect", "deny", "203.0.113.7:443".to_owned()),
    ];
    for (kind, verdict, resource) in wanted {
        let sql = format!(
            "SELECT count(*) FROM events WHERE kind = '{kind}' AND verdict = '{verdict}' AND resource = '{resource}'"
        );
        wait_for(&resource, Duration::from_secs(30), || (stack.psql(&sql).ok()?.trim() == "1").then_some(()));
    }
}

#[test]
fn the_logs_of_the_units_are_where_the_documentation_looks() {
    // `journalctl -u NAME` finds a unit by its file's name.
    for name in ["tyr-server.service", "tyr-agent.service"] {
        let unit = unit(name);
        assert!(!unit.contains("StandardError="), "{name}: standard error goes to the journal");
    }
    let output = Command::new("journalctl").args(["--version"]).output().expect("journalctl");
    text(&output).expect("journalctl works");
}
