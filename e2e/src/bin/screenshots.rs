//! The pictures of the README, taken of the real program: `./dev screenshots` runs this.
//!
//! `tyr-screenshots FOLDER` starts a server, three agents and what `./dev demo` runs as governed AI processes, lets one host go silent,
//! and writes what `tyrctl` shows in terminals of known size. Needs root, as the tests of whole stories do.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tyr_e2e::binary;
use tyr_e2e::screen::Screen;
use tyr_e2e::stack::{Agent, Stack};
use tyr_e2e::svg::render;

/// Largest picture, in bytes: it stands in a repository and on a web page.
const PICTURE_BYTES_MAX: usize = 200 * 1024;
/// Longest wait for the screen to show what it is to show.
const LIMIT: Duration = Duration::from_mins(4);
/// How long the dashboard looks before its picture is taken: the line of rates wants to be filled.
const WATCHED: Duration = Duration::from_secs(75);
/// Seconds of silence after which a host is stale here; the usual 90 would make the wait long.
const STALE_AFTER_S: &str = "20";

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).context("usage: tyr-screenshots FOLDER")?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;

    let stack = Stack::start(&[("TYR_STALE_AFTER_S", STALE_AFTER_S), ("TYR_HEARTBEAT_INTERVAL_S", "2")])?;
    stack.apply_policy(&std::fs::read_to_string(Path::new(ROOT).join("examples/policies/demo-policy.yaml"))?)?;
    let settings = "heartbeat_interval_s: 2\n";
    let build = stack.start_agent("build-017", settings)?;
    let laptop = stack.start_agent("laptop-7", settings)?;
    let mut review = stack.start_agent("review-101", settings)?;
    let mut work = vec![
        workload(&build, "claude-code", &stack.folder().join("build"))?,
        workload(&laptop, "codex", &stack.folder().join("laptop"))?,
    ];
    work.push(workload(&review, "cursor", &stack.folder().join("review"))?);

    let top = |rows, columns| Screen::start(&binary("tyrctl"), &["top"], stack.environment(), rows, columns);
    let (small, large) = (top(24, 80)?, top(48, 160)?);
    let has_all = |screen: &str| ["LIVE", "deny", "ALERT→DENY"].iter().all(|text| screen.contains(text));
    small.wait_until("a denial and a drift", LIMIT, has_all);
    // One host goes silent; the others go on.
    if let Some(mut child) = work.pop() {
        review.stop();
        child.kill()?;
        child.wait()?;
    }
    let begun = std::time::Instant::now();
    let is_complete = |screen: &str| has_all(screen) && screen.contains("stale") && begun.elapsed() >= WATCHED;
    large.wait_until("a stale host", LIMIT, is_complete);
    small.wait_until("a stale host", LIMIT, is_complete);
    save(
        folder,
        "top-160x48",
        &large,
        "tyrctl top in a terminal of 160x48: agents, rates, drift, the selected agent and the event tail",
    )?;
    save(folder, "top-80x24", &small, "tyrctl top in a terminal of 80x24: agents, rates, drift and events")?;

    let line = "printf '$ tyrctl agents\\n'; tyrctl agents; printf '\\n$ tyrctl events list --verdict deny --limit 5 --columns ts,agent,type,resource,rule\\n'; \
                tyrctl events list --verdict deny --limit 5 --columns ts,agent,type,resource,rule -q; printf '\\n$ tyrctl drift --since 1d\\n'; tyrctl drift --since 1d; \
                printf '\\n$ '; read -r _";
    let programs = binary("tyrctl").parent().context("a folder")?.display().to_string();
    let path = format!("{programs}:/usr/bin:/bin");
    let environment = stack.environment().chain([("PATH", path.as_str())]);
    let commands = Screen::start(Path::new("/bin/bash"), &["-c", line], environment, 21, 100)?;
    commands.wait_until("the last prompt", LIMIT, |screen| screen.trim_end().ends_with("\n$"));
    save(folder, "commands", &commands, "tyrctl agents, tyrctl events list and tyrctl drift in a terminal")?;

    for mut child in work {
        child.kill()?;
        child.wait()?;
    }
    for mut screen in [small, large] {
        screen.press("q")?;
        screen.finish()?;
    }
    Ok(())
}

fn workload(agent: &Agent, agent_type: &str, folder: &Path) -> Result<Child> {
    let mut command = agent.governed(agent_type, "bash");
    command.arg(Path::new(ROOT).join("examples/demo-workload.sh")).arg(folder);
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
}

fn save(folder: &Path, name: &str, screen: &Screen, title: &str) -> Result<()> {
    let picture = screen.with(|screen| render(screen, title));
    ensure!(picture.len() <= PICTURE_BYTES_MAX, "{name}.svg would have {} bytes", picture.len());
    let file = folder.join(format!("{name}.svg"));
    std::fs::write(&file, &picture)?;
    writeln!(std::io::stdout(), "{}: {} bytes", file.display(), picture.len())?;
    Ok(())
}
