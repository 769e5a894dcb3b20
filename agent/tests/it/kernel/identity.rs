//! Who is governed: marks at exec, on to children, and nobody else.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::ground::{Ground, ground};
use tyr_agent::decode::{FoundBy, KernelEvent, What};
use tyr_agent::fingerprints::Fingerprints;

#[tokio::test(flavor = "multi_thread")]
async fn a_marked_process_and_its_descendants_report_from_start_to_end() {
    let mut ground = ground!();
    let tree = ground.run_governed("(setsid sh -c '/bin/true; /bin/echo deep > /dev/null' &) ; wait");
    let events = ground.until_end(tree).await;
    assert!(
        matches!(events[0].what, What::TreeStarted { found_by: FoundBy::Run, .. }),
        "the tree begins first: {:?}",
        events[0]
    );
    let execs: Vec<_> = events.iter().filter(|e| matches!(e.what, What::Exec(_))).collect();
    assert!(execs.iter().any(|e| e.process.program.exe.ends_with(b"/true")), "{execs:#?}");
    let echo = execs.iter().find(|e| e.process.program.exe.ends_with(b"/echo")).expect("a double fork is followed");
    assert_eq!(echo.process.program.command_line(), b"/bin/echo deep");
    assert_eq!(&*echo.process.agent_type, "test-agent");
    assert_eq!(ground.kernel.losses(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_and_what_it_starts_belong_to_the_tree() {
    let mut ground = ground!();
    let script = "
import threading, os, subprocess
def work():
    open('/etc/hostname').close()
    subprocess.run(['/bin/true'])
    pid = os.posix_spawn('/bin/echo', ['echo', 'spawned'], {}, file_actions=[(os.POSIX_SPAWN_OPEN, 1, '/dev/null', os.O_WRONLY, 0)])
    os.waitpid(pid, 0)
t = threading.Thread(target=work); t.start(); t.join()
";
    let waiting = ground.start("/usr/bin/python3", &["-c", script]);
    let tree = ground.kernel.mark(waiting.pid(), "test-agent").expect("marked");
    assert!(waiting.go().wait().expect("ends").success());
    let events = ground.until_end(tree).await;
    let opened = events
        .iter()
        .find(|e| matches!(&e.what, What::Open(open) if open.path == b"/etc/hostname"))
        .expect("a thread's open is seen");
    assert_ne!(opened.process.tid, opened.process.pid);
    for name in [&b"/true"[..], b"/echo"] {
        assert!(
            events.iter().any(|e| matches!(e.what, What::Exec(_)) && e.process.program.exe.ends_with(name)),
            "vfork is followed"
        );
    }
}

/// Runs a command in the scope, unmarked, and gives the process id that it had.
fn run(ground: &Ground, command: &str, args: &[&str]) -> u32 {
    let waiting = ground.start(command, args);
    let pid = waiting.pid();
    assert!(waiting.go().wait().expect("ends").success());
    pid
}

/// A made-up package tree: a native tool, a script, and names that lead to it and past it.
fn packages(root: &Path) {
    let write = |name: &str, text: &[u8]| {
        let path = root.join(name);
        fs::create_dir_all(path.parent().expect("within the root")).expect("writable");
        fs::write(&path, text).expect("writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("writable");
    };
    let native = "node_modules/@anthropic-ai/claude-code/bin/claude.exe";
    write(native, &fs::read("/bin/true").expect("every Linux has it"));
    write("node_modules/@google/gemini-cli/bundle/gemini.js", b"require('fs').readFileSync('/etc/hostname')\n");
    write("other/gemini.js", b"");
    fs::create_dir_all(root.join("bin")).expect("writable");
    fs::create_dir_all(root.join("past/bin")).expect("writable");
    symlink(root.join(native), root.join("bin/claude")).expect("writable");
    symlink("../node_modules/@google/gemini-cli/bundle/gemini.js", root.join("bin/gemini")).expect("writable");
    symlink("../../other/gemini.js", root.join("past/bin/gemini")).expect("writable");
}

#[tokio::test(flavor = "multi_thread")]
async fn recognises_packages_at_their_exec() {
    let mut ground = ground!(Fingerprints::load(None).expect("the built-in ones are good"));
    let root = ground.folder.path().canonicalize().expect("it exists");
    packages(&root);
    let path = |name: &str| root.join(name).display().to_string();
    let claude = run(&ground, &path("bin/claude"), &[]);
    let script = path("node_modules/@google/gemini-cli/bundle/gemini.js");
    let whole = run(&ground, "/usr/bin/node", &[&script, "--help"]);
    let relative = run(
        &ground,
        "/bin/sh",
        &["-c", &format!("cd {}/node_modules && exec node @google/gemini-cli/bundle/gemini.js", root.display())],
    );
    let link = run(&ground, "/usr/bin/node", &[&path("bin/gemini")]);
    let past = run(&ground, "/usr/bin/node", &[&path("past/bin/gemini")]);
    let read = run(&ground, "/bin/cat", &[&script]);
    let by_script =
        move |pid: u32| move |e: &KernelEvent| e.process.pid == pid && matches!(e.what, What::TreeStarted { .. });

    let started = ground.find("native tool", by_script(claude)).await;
    assert_eq!(&*started.process.agent_type, "claude-code");
    assert!(started.process.program.exe.ends_with(b"/claude-code/bin/claude.exe"));
    for (name, pid) in [("script", whole), ("relative script", relative), ("link", link)] {
        let started = ground.find(name, by_script(pid)).await;
        assert_eq!(&*started.process.agent_type, "gemini-cli", "{name}");
        let What::TreeStarted { found_by, .. } = started.what else { unreachable!("found as such") };
        assert_eq!(found_by, FoundBy::Fingerprint);
    }
    // Anything of these two would lie before this one's end.
    let last = run(&ground, &path("bin/claude"), &[]);
    ground.find("the last one's end", move |e| e.process.pid == last && e.what == What::TreeEnded).await;
    assert!(!ground.seen.iter().any(|e| [past, read].contains(&e.process.pid)), "{:#?}", ground.seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_within_a_tree_says_who_started_it() {
    let mut ground = ground!(Fingerprints::load(None).expect("the built-in ones are good"));
    let root = ground.folder.path().canonicalize().expect("it exists");
    packages(&root);
    ground.run_governed(&format!("/bin/true && {}/bin/claude", root.display()));
    let ran = |e: &KernelEvent, exe: &[u8]| matches!(e.what, What::Exec(_)) && e.process.program.exe.ends_with(exe);
    let plain = ground.find("a program of its own", |e| ran(e, b"/true")).await;
    let What::Exec(Some(caller)) = &plain.what else { panic!("{plain:?}") };
    assert_eq!((&*plain.process.agent_type, &*caller.agent_type), ("test-agent", "test-agent"));
    let tool = ground.find("another tool", |e| ran(e, b"/claude.exe")).await;
    let What::Exec(Some(caller)) = &tool.what else { panic!("{tool:?}") };
    assert_eq!((&*tool.process.agent_type, &*caller.agent_type), ("claude-code", "test-agent"));
    assert!(!caller.program.exe.is_empty(), "{caller:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_finds_what_ran_before_with_its_children() {
    let mut ground = ground!(Fingerprints::load(None).expect("the built-in ones are good"));
    let root = ground.folder.path().canonicalize().expect("it exists");
    let script = root.join("node_modules/@google/gemini-cli/bundle/gemini.js");
    fs::create_dir_all(script.parent().expect("within the root")).expect("writable");
    fs::write(&script, "
const c = require('child_process').spawn('/bin/sh', ['-c', 'read x; exec /bin/echo found'], {stdio: ['pipe', 'ignore', 'inherit']});
c.on('exit', () => process.exit(0));
process.stdin.once('data', () => c.stdin.write('x\\n'));
process.stdout.write('up\\n');
").expect("writable");
    // Started beside the cgroup and moved in later: no exec in the scope gives it away.
    let mut child = std::process::Command::new("/usr/bin/node")
        .arg(&script)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("node starts");
    let mut said = [0; 3];
    std::io::Read::read_exact(child.stdout.as_mut().expect("piped"), &mut said).expect("the script runs");
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap_or_default();
    for pid in children.split_whitespace().map(str::to_owned).chain([child.id().to_string()]) {
        fs::write(ground.cgroup.path.join("cgroup.procs"), pid).expect("it can be moved");
    }
    assert!(ground.kernel.scan().expect("marks can be written") >= 1);
    assert_eq!(ground.kernel.scan().expect("marks can be written"), 0, "nothing new the second time");
    let pid = child.id();
    let started =
        ground.find("the tree", move |e| e.process.pid == pid && matches!(e.what, What::TreeStarted { .. })).await;
    assert!(matches!(started.what, What::TreeStarted { found_by: FoundBy::Scan, .. }));
    std::io::Write::write_all(child.stdin.as_mut().expect("piped"), b"go\n").expect("it reads");
    let events = ground.until_end(started.process.tree).await;
    child.wait().expect("ends");
    assert!(
        events
            .iter()
            .any(|e| matches!(e.what, What::Exec(_)) && e.process.program.command_line() == b"/bin/echo found"),
        "{events:#?}"
    );
}
