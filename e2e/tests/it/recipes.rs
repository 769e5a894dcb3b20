//! Every block of docs/recipes.md, run as it is written there, against a real server and a real agent.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use tyr_e2e::screen::Screen;
use tyr_e2e::stack::{Agent, Stack};
use tyr_e2e::{binary, tool, wait_for};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const LIMIT: Duration = Duration::from_secs(30);
const REFUSED: &str = "203.0.113.7:443";

/// A server that is not there, and a token that would be shown to it.
const AWAY: [(&str, &str); 2] = [("TYR_SERVER", "https://localhost:1"), ("TYR_TOKEN", "t")];

/// A block of the page: `sh name=csv shells=bash,zsh`.
struct Recipe {
    name: String,
    shells: Vec<String>,
    text: String,
}

/// The named blocks, and how many blocks there are.
fn recipes() -> (Vec<Recipe>, usize) {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/recipes.md")).expect("the page");
    let (mut recipes, mut blocks) = (Vec::new(), 0);
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        blocks += 1;
        let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let word = |key: &str| info.split(' ').find_map(|word| word.strip_prefix(key)).map(str::to_owned);
        let shells = word("shells=").unwrap_or_else(|| "bash".to_owned());
        if let Some(name) = word("name=") {
            let shells = shells.split(',').map(str::to_owned).collect();
            recipes.push(Recipe { name, shells, text: text.join("\n") });
        }
    }
    (recipes, blocks)
}

/// A server that knows: one agent at work, one that went silent, denials, two policy versions.
struct World {
    stack: Stack,
    agent: Agent,
    /// Stand-ins for programs that reach people, before all others in the PATH.
    programs: PathBuf,
    /// Where the recipes run.
    folder: PathBuf,
}

impl World {
    fn new() -> Self {
        let stack = Stack::start(&[("TYR_HEARTBEAT_INTERVAL_S", "1")]).expect("the server starts");
        let policy =
            |name: &str| fs::read_to_string(Path::new(ROOT).join("examples/policies").join(name)).expect("a policy");
        stack.apply_policy(&policy("default-policy.yaml")).expect("accepted");
        stack.apply_policy(&policy("demo-policy.yaml")).expect("accepted");
        let agent = stack.start_agent("watched", "allow_events: all\n").expect("the agent starts");
        let (programs, folder) = (stack.folder().join("programs"), stack.folder().join("here"));
        for made in [&programs, &folder] {
            fs::create_dir(made).expect("a folder");
        }
        let world = Self { stack, agent, programs, folder };
        // What they are given goes into a file of their name.
        for name in ["mail", "notify-send", "logger", "ssh"] {
            let file = world.programs.join(name);
            let heard = world.heard(name);
            let input = if matches!(name, "mail" | "logger") { "cat" } else { ":" };
            let answer = if name == "ssh" { "echo inactive" } else { ":" };
            let script = format!("#!/bin/sh\n{{ echo \"$*\"; {input}; }} >>'{}'\n{answer}\n", heard.display());
            fs::write(&file, script).expect("written");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("executable");
        }
        world.work();
        wait_for("the refused connection", LIMIT, || {
            let denials = world.stack.psql("SELECT count(*) FROM events WHERE verdict = 'deny'").ok()?;
            (denials.trim() != "0").then_some(())
        });
        let gone = "INSERT INTO agents (agent_id, name, kernel, arch, client_cert, cert_serial, cert_not_after, enrolled_at, last_seen)
             VALUES (gen_random_uuid(), 'gone', '6.12', 'x86_64', '-', 'gone', now(), now() - interval '8 days', now() - interval '6 minutes')";
        world.stack.psql(gone).expect("an agent that went silent");
        // Heard from in the future, so that it stays online however long the recipes take.
        let quiet = "INSERT INTO agents (agent_id, name, kernel, arch, client_cert, cert_serial, cert_not_after, enrolled_at, last_seen)
             VALUES (gen_random_uuid(), 'quiet', '6.12', 'x86_64', '-', 'quiet', now(), now() - interval '8 days', now() + interval '1 hour')";
        world.stack.psql(quiet).expect("an agent that sees nothing");
        world
    }

    /// A governed program reads a file and tries an address that it may not reach.
    fn work(&self) {
        let mut work = self.agent.governed("claude-code", "/bin/bash");
        work.args(["-c", "cat /etc/hostname; echo >/dev/tcp/203.0.113.7/443"]);
        work.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().expect("it runs");
    }

    fn heard(&self, program: &str) -> PathBuf {
        self.stack.folder().join(format!("{program}.heard"))
    }

    fn told(&self, program: &str) -> String {
        fs::read_to_string(self.heard(program)).unwrap_or_default()
    }

    /// Ours before all others.
    fn path(&self) -> OsString {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let ours = [self.programs.clone(), binary("tyrctl").parent().expect("a folder").to_owned()];
        std::env::join_paths(ours.into_iter().chain(std::env::split_paths(&path))).expect("a path")
    }

    fn command(&self, shell: &str, text: &str) -> Command {
        let arguments: &[&str] = match shell {
            "fish" => &["--no-config", "-c"],
            "zsh" => &["-f", "-c"],
            _ => &["-c"],
        };
        let mut command = Command::new(shell);
        command.args(arguments).arg(text).current_dir(&self.folder).envs(self.stack.environment());
        command.env("PATH", self.path());
        command.env("HOME", &self.folder).env_remove("DATABASE_URL").stdin(Stdio::null());
        command
    }

    fn run(&self, shell: &str, text: &str, environment: &[(&str, &str)]) -> Output {
        self.command(shell, text).envs(environment.iter().copied()).output().expect("the shell starts")
    }
}

/// A running recipe with all its processes; they end with the value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = Pid::from_raw(self.0.id().cast_signed()) {
            kill_process_group(group, Signal::KILL).ok();
        }
        self.0.wait().ok();
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A receiver of one HTTP request; gives its body.
fn receiver() -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/services/T0/B0/x", listener.local_addr().expect("an address"));
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a request");
        stream.set_read_timeout(Some(LIMIT)).expect("a limit");
        let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let read = stream.read(&mut buffer).expect("a request");
            request.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&request);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0_usize) {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
                    .expect("an answer");
                return body.to_owned();
            }
        }
    });
    (url, thread)
}

#[test]
fn every_block_has_a_name_of_its_own() {
    let (recipes, blocks) = recipes();
    let names: BTreeSet<&str> = recipes.iter().map(|recipe| recipe.name.as_str()).collect();
    assert_eq!((recipes.len(), names.len()), (blocks, blocks), "{names:?}");
}

#[test]
fn every_recipe_does_what_it_says() {
    let world = World::new();
    for recipe in recipes().0 {
        for shell in &recipe.shells {
            if tool(shell).is_some() {
                try_recipe(&world, &recipe, shell);
            }
        }
    }
}

/// Runs a recipe and looks at what it printed or did.
fn try_recipe(world: &World, recipe: &Recipe, shell: &str) {
    let what = format!("{} in {shell}", recipe.name);
    let text = recipe.text.as_str();
    let run = |environment: &[(&str, &str)]| {
        let output = world.run(shell, text, environment);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(errors, "", "{what}");
        (output.status.code(), said(&output))
    };
    let done = || {
        let (code, said) = run(&[]);
        assert_eq!(code, Some(0), "{what}: {said}");
        said
    };
    match recipe.name.as_str() {
        "cron-mail" => {
            let line = text.lines().find(|line| line.starts_with('*')).expect("a line with a time");
            let job: Vec<&str> = line.splitn(6, ' ').collect();
            let output = world.run("sh", job[5], &[]);
            assert_eq!((output.status.code(), said(&output).as_str()), (Some(0), "gone\n"), "{what}");
        }
        "check-cron" => {
            let line = text.lines().find(|line| line.starts_with('*')).expect("a line with a time");
            let job: Vec<&str> = line.splitn(6, ' ').collect();
            let output = world.run("sh", job[5], &[]);
            assert!(
                said(&output).starts_with("TYR CRITICAL - 1 of 3 agents stale for more than 5m00s: gone"),
                "{what}: {}",
                said(&output)
            );
            let away = world.run("sh", job[5], &AWAY);
            assert!(said(&away).starts_with("TYR UNKNOWN - "), "{what}: {}", said(&away));
        }
        "check" => {
            let (code, said) = run(&[]);
            assert_eq!(code, Some(2), "{said}");
            assert!(
                said.starts_with("TYR CRITICAL - 1 of 3 agents stale for more than 5m00s: gone")
                    && said.contains(" | "),
                "{said}"
            );
            assert!(said.contains("stale=1;100;0;0;3") && said.contains("drift="), "{said}");
            let away = world.run(shell, text, &AWAY);
            assert_eq!(away.status.code(), Some(3), "our blindness is not the fleet's state");
        }
        "silent" => assert_eq!(done(), "online for a week, and no event: quiet\n"),
        "jq" => assert_eq!(done(), "gone\toffline\n"),
        "watch" => {
            fs::remove_file(world.heard("notify-send")).ok();
            done();
            assert_eq!(world.told("notify-send"), "Tyr gone went silent\n");
            fs::remove_file(world.heard("notify-send")).expect("removed");
        }
        "doctor" => {
            assert_eq!(done(), "", "{what}");
            let report = fs::read_to_string(world.folder.join("doctor.json")).expect("the file");
            let report: Value = serde_json::from_str(&report).expect("JSON");
            let state = |check: &str| {
                let found = report.as_array().expect("checks").iter().find(|line| line["check"] == check);
                found.unwrap_or_else(|| panic!("no {check} in {report}"))["state"].clone()
            };
            assert_eq!(["tls", "login", "alive", "resume"].map(state), ["ok"; 4], "{report}");
            let away = world.run(shell, text, &AWAY);
            assert!(said(&away).starts_with("tcp: no connection to port 1"), "{}", said(&away));
        }
        "sql-psql" => {
            let said = done();
            assert!(said.starts_with("agent_id,agent_name,drifts,severe,last_ts,sustained\n"), "{said}");
        }
        "mail" => {
            done();
            let told = world.told("mail");
            assert!(told.starts_with("-s hosts that went silent ops@example.com\n") && told.contains("gone"), "{told}");
        }
        "exit-codes" => {
            assert_eq!(done(), "somebody is silent\n");
            let away = world.run(shell, text, &AWAY);
            assert_eq!(said(&away), "the server is away: we know nothing\n");
            let stranger = world.run(shell, text, &[("XDG_CONFIG_HOME", "/nonexistent")]);
            assert_eq!(said(&stranger), "log in first\n");
        }
        "slack" => {
            let (url, receiver) = receiver();
            assert_eq!(run(&[("SLACK_WEBHOOK_URL", &url)]), (Some(0), "ok".to_owned()), "{what}");
            let body: Value = serde_json::from_str(&receiver.join().expect("a request")).expect("JSON");
            let text = body["text"].as_str().expect("a text");
            assert!(text.starts_with("Denials in 15 minutes\nwatched: "), "{text}");
        }
        "notify" => {
            let running = Running(world.command(shell, text).process_group(0).spawn().expect("it starts"));
            // Until the stream stands nobody is told, so it is tried until somebody is.
            let told = wait_for("a notification", LIMIT, || {
                world.work();
                Some(world.told("notify-send")).filter(|told| told.contains('\n'))
            });
            assert!(told.starts_with(&format!("Tyr watched: deny-documentation-net refused {REFUSED}\n")), "{told}");
            drop(running);
        }
        "textfile" => {
            assert_eq!(run(&[("TEXTFILE_FOLDER", world.folder.to_str().expect("UTF-8"))]).0, Some(0), "{what}");
            let file = world.folder.join("tyr.prom");
            let metrics = fs::read_to_string(&file).expect("the file");
            for agent in ["watched", "gone"] {
                assert!(metrics.contains(&format!("tyr_agent_staleness_seconds{{agent=\"{agent}\"}} ")), "{metrics}");
            }
            let unpacked = std::env::var_os("TYR_TOOLS").map(|tools| PathBuf::from(tools).join("usr/bin/promtool"));
            if let Some(promtool) = unpacked.filter(|program| program.exists()).or_else(|| tool("promtool")) {
                let input = fs::File::open(&file).expect("the file");
                let output = Command::new(promtool).args(["check", "metrics"]).stdin(input).output().expect("promtool");
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            }
        }
        "nagios" => {
            assert_eq!(run(&[]), (Some(2), "CRITICAL - silent: gone|silent=1\n".to_owned()));
            let away = world.run(shell, text, &AWAY);
            assert_eq!((away.status.code(), said(&away).as_str()), (Some(3), "UNKNOWN - tyrctl failed with 5\n"));
        }
        "top-rules" => assert!(done().trim_end().ends_with(" deny-documentation-net"), "{what}"),
        "csv" => {
            done();
            let csv = fs::read_to_string(world.folder.join("events.csv")).expect("the file");
            assert!(csv.lines().next().is_some_and(|head| head.contains("verdict")), "{csv}");
            assert!(csv.contains(REFUSED), "{csv}");
        }
        "one-process" => {
            // The events of the newest process may still be on their way.
            wait_for("its events", LIMIT, || done().contains("\tnet_connect\tdeny\t203.0.113.7:443\n").then_some(()));
        }
        "ssh" | "ssh-fish" => {
            fs::remove_file(world.heard("ssh")).ok();
            assert_eq!(done(), "== gone\ninactive\n");
            assert_eq!(world.told("ssh"), "-n -o ConnectTimeout=5 gone systemctl is-active tyr-agent\n");
        }
        "ssh-xargs" => assert_eq!(done(), "inactive\n"),
        "tmux" => {
            if let Some(tmux) = tool("tmux") {
                status_line(world, &tmux, text);
            }
        }
        "policy-check" => {
            fs::create_dir_all(world.folder.join("examples")).expect("a folder");
            let link = world.folder.join("examples/policies");
            std::os::unix::fs::symlink(Path::new(ROOT).join("examples/policies"), link).ok();
            assert!(!done().is_empty(), "{what}");
        }
        "policy-diff" | "policy-diff-fish" => {
            let (code, said) = run(&[]);
            assert_eq!(code, Some(1), "they differ");
            assert!(said.contains("\n+  name: tyr-demo\n"), "{said}");
        }
        "rollout" => assert_eq!(done(), "all hosts that are online run what they should\n"),
        "enrol" => assert!(done().starts_with("tyr_et_"), "{what}"),
        "audit-syslog" => {
            fs::remove_file(world.heard("logger")).ok();
            done();
            let told = world.told("logger");
            assert!(told.starts_with("-t tyr-audit\n{") && told.contains("policy"), "{told}");
        }
        "curl-stream" => {
            let mut command = world.command(shell, text);
            let mut running = Running(command.process_group(0).stdout(Stdio::piped()).spawn().expect("it starts"));
            let output = running.0.stdout.take().expect("a pipe");
            let (sender, lines) = std::sync::mpsc::channel();
            std::thread::spawn(move || {
                for line in std::io::BufRead::lines(std::io::BufReader::new(output)).map_while(Result::ok) {
                    sender.send(line).ok();
                }
            });
            let line = wait_for("a line of the stream", LIMIT, || {
                world.work();
                lines.try_iter().find(|line| line.contains("203"))
            });
            let event: Value = serde_json::from_str(&line).expect("JSON");
            assert_eq!((&event["agent_name"], &event["resource"]), (&Value::from("watched"), &Value::from(REFUSED)));
        }
        "psql" => assert!(done().contains("claude-code"), "{what}"),
        other => panic!("the test knows nothing of {other}"),
    }
}

/// Has a tmux of its own show the line, in a terminal: without one tmux starts no commands for it.
fn status_line(world: &World, tmux: &Path, config: &str) {
    let (file, socket) = (world.folder.join("tmux.conf"), world.folder.join("tmux"));
    fs::write(&file, config).expect("written");
    let (file, socket) = (file.to_str().expect("UTF-8"), socket.to_str().expect("UTF-8"));
    let path = world.path();
    let environment = world.stack.environment().chain([("PATH", path.to_str().expect("UTF-8"))]);
    let shown =
        Screen::start(tmux, &["-S", socket, "-f", file, "new-session", "sh"], environment, 24, 80).expect("tmux");
    let has_count = |screen: &str| {
        let line = screen.lines().last().unwrap_or_default().trim_end().strip_suffix(" denials").unwrap_or_default();
        line.ends_with(|last: char| last.is_ascii_digit()) && !line.ends_with(" 0")
    };
    shown.wait_until("a count of denials", LIMIT, has_count);
    Command::new(tmux).args(["-S", socket, "kill-server"]).status().expect("tmux");
    shown.finish().expect("it ends");
}
