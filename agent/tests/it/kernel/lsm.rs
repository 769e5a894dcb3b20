//! Rules over files and programs, enforced before anything happens. Needs BPF LSM: `TYR_LSM_TESTS=required` says that it is there.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tyr_agent::decode::{Judged, KernelEvent, Operation, TreeId, What};
use tyr_agent::fingerprints::Fingerprints;
use tyr_agent::kernel::{Kernel, Options, Posture, detach};
use tyr_policy::{Act, Action, Effective, Held, Image, Layer, Policy, Resource, Verdict};

use super::ground::{Ground, connects};

mod compare;
mod held;

/// A ground where files and programs are enforced, or why there is none.
fn enforcing() -> Option<Ground> {
    enforcing_with(|options| options.merge_opens = false)
}

/// The same with other settings.
fn enforcing_with(change: impl FnOnce(&mut Options)) -> Option<Ground> {
    let ground = Ground::with(change)?;
    let (posture, reason) = ground.kernel.posture();
    if posture == Posture::Enforcing {
        assert!(!ground.kernel.hooks().contains(&"tp_btf/sys_exit"), "what is judged is not observed too");
        return Some(ground);
    }
    can_not_run(reason);
    None
}

/// Says so, or fails where the run promises it.
fn can_not_run(reason: &str) {
    let required = std::env::var("TYR_LSM_TESTS").is_ok_and(|v| v == "required");
    let name = std::thread::current().name().unwrap_or("?").to_owned();
    assert!(!required, "kernel test {name} can't run: {reason}");
    writeln!(std::io::stderr(), "kernel test {name} can't run here: {reason}").expect("standard error takes text");
}

fn effective(rules: &str) -> Effective {
    let yaml = format!("apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {{name: t}}\nspec:\n  rules:\n{rules}");
    let policy = Policy::parse(&yaml).unwrap_or_else(|error| panic!("{error}")).policy;
    Effective::new(vec![Layer { version: 1, agent_type: None, policy }])
}

const RULES: &str = "
    - {name: open-part, action: file_read, resource_pattern: '**/secret/public', verdict: allow}
    - {name: secret, action: file_read, resource_pattern: '**/secret/**', verdict: deny}
    - {name: watched, action: file_read, resource_pattern: '**/watched', verdict: alert}
    - {name: kept, action: file_write, resource_pattern: '**/kept/**', verdict: deny}
    - {name: noted, action: file_write, resource_pattern: '**/noted', verdict: alert}
    - {name: forbidden, action: exec, resource_pattern: '**/forbidden*', verdict: deny}
    - {name: told, action: exec, resource_pattern: '**/told*', verdict: alert}
";

/// What a governed shell tries: a name, a command, and whether it's to be denied.
const DEEDS: &[(&str, &str, bool)] = &[
    ("read", "cat plain/file >/dev/null", false),
    ("read-secret", "cat secret/file >/dev/null", true),
    ("read-allowed-first", "cat secret/public >/dev/null", false),
    ("read-by-symlink", "cat way/file >/dev/null", true),
    ("read-by-dots", "cat plain/../secret/file >/dev/null", true),
    ("read-by-proc", "cat /proc/self/root$PWD/secret/file >/dev/null", true),
    ("read-by-fd", "exec 9<plain/file && cat <&9 >/dev/null", false),
    ("read-watched", "cat watched >/dev/null", false),
    ("read-child", "sh -c 'sh -c \"cat secret/file\"' >/dev/null", true),
    ("read-daemon", "setsid sh -c 'cat secret/file >/dev/null'", true),
    ("write", "echo x > plain/new", false),
    ("write-kept", "echo x > kept/file", true),
    ("append-kept", "echo x >> kept/file", true),
    ("create-kept", "echo x > kept/new", true),
    ("write-noted", "echo x > noted", false),
    ("unlink-kept", "rm kept/file", true),
    ("unlink", "rm plain/new", false),
    ("rename-out", "mv kept/file plain/stolen", true),
    ("rename-over", "mv plain/file kept/file", true),
    ("rename-folder", "mv kept plain/moved", true),
    ("rename-secret-folder", "mv secret plain/moved", true),
    ("rename", "mv plain/file plain/other", false),
    ("link-out", "ln secret/file plain/link", true),
    ("link-in", "ln plain/other kept/link", true),
    ("link", "ln plain/other plain/link", false),
    ("symlink-in", "ln -s /etc kept/link", true),
    ("mkdir-in", "mkdir kept/folder", true),
    ("rmdir-in", "rmdir kept/empty", true),
    ("chmod-kept", "chmod 600 kept/file", true),
    ("chmod", "chmod 600 plain/other", false),
    ("chown-kept", "chown 1:1 kept/file", true),
    ("run", "./plain/program", false),
    ("run-forbidden", "./forbidden --list >/dev/null", true),
    ("run-script", "./told.sh", false),
    ("run-forbidden-script", "./forbidden.sh", true),
    ("run-told", "./told --list >/dev/null", false),
];

fn furnish(folder: &Path) {
    for name in ["plain", "secret", "kept", "kept/empty"] {
        fs::create_dir(folder.join(name)).expect("writable");
    }
    for name in ["plain/file", "secret/file", "secret/public", "kept/file", "watched"] {
        fs::write(folder.join(name), "x").expect("writable");
    }
    std::os::unix::fs::symlink("secret", folder.join("way")).expect("writable");
    for name in ["forbidden.sh", "told.sh", "plain/program"] {
        fs::write(folder.join(name), "#!/bin/sh\nexit 0\n").expect("writable");
    }
    // A program that does little, whatever it is called.
    let own = std::env::current_exe().expect("the test has a program");
    for name in ["forbidden", "told"] {
        fs::copy(&own, folder.join(name)).expect("writable");
    }
    for name in ["forbidden.sh", "told.sh", "plain/program", "forbidden", "told"] {
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).expect("writable");
    }
}

/// Tries all deeds, and tells of each its exit status and what it complained of.
fn script(folder: &Path) -> String {
    let mut script = format!("cd {} || exit 9\n", folder.display());
    for (name, command, _) in DEEDS {
        writeln!(script, "( {command} ) 2> complaint; echo \"{name} $? $(cat complaint)\" >> results")
            .expect("writing to a String");
    }
    script
}

fn results(folder: &Path) -> Vec<(String, bool, String)> {
    let text = fs::read_to_string(folder.join("results")).expect("the script wrote them");
    let line = |line: &str| {
        let mut parts = line.splitn(3, ' ');
        let (name, status) = (parts.next().expect("a name"), parts.next().expect("a status"));
        (name.to_owned(), status == "0", parts.next().unwrap_or_default().to_owned())
    };
    text.lines().filter(|line| line.split(' ').nth(1).is_some_and(|s| s.parse::<u8>().is_ok())).map(line).collect()
}

fn judged(events: &[KernelEvent]) -> Vec<(&[u8], &Judged)> {
    fn one(event: &KernelEvent) -> Option<(&[u8], &Judged)> {
        let KernelEvent { what, judged: Some(judged), process, .. } = event else { return None };
        match what {
            What::Open(open) => Some((&open.path, judged)),
            What::Run(run) => Some((&run.path, judged)),
            What::Exec(_) => Some((&process.program.exe, judged)),
            _ => None,
        }
    }
    events.iter().filter_map(one).collect()
}

/// Runs a script as a governed tree, whatever its end.
fn run(ground: &Ground, script: &str) -> TreeId {
    let waiting = ground.start("/bin/sh", &["-c", script]);
    let tree = ground.kernel.mark(waiting.pid(), "test-agent").expect("marked");
    waiting.go().wait().expect("ends");
    tree
}

#[tokio::test(flavor = "multi_thread")]
async fn each_deed_is_denied_alerted_or_allowed_as_written() {
    let Some(mut ground) = enforcing() else { return };
    let effective = effective(RULES);
    ground.kernel.publish(&Image::new(&effective).expect("fits")).expect("published");
    let folder = ground.folder.path().canonicalize().expect("it exists");

    // The control: where nobody governs, all of it works.
    let free = folder.join("free");
    fs::create_dir(&free).expect("writable");
    furnish(&free);
    let ran = std::process::Command::new("/bin/sh").args(["-c", &script(&free)]).status().expect("a shell");
    assert!(ran.success());
    // Of the free ones those that follow from one another can miss what an earlier one took away.
    let free = results(&free);
    assert_eq!(free.len(), DEEDS.len(), "{free:#?}");
    let first = |name: &str| free.iter().find(|(own, ..)| own == name).expect("tried").1;
    for name in ["read-secret", "write-kept", "unlink-kept", "run-forbidden", "run-forbidden-script", "read-child"] {
        assert!(first(name), "{name} works where nobody governs: {free:#?}");
    }

    let own = folder.join("own");
    fs::create_dir(&own).expect("writable");
    furnish(&own);
    let tree = run(&ground, &script(&own));
    let events = ground.until_end(tree).await;
    let results = results(&own);
    assert_eq!(results.len(), DEEDS.len(), "{results:#?}");
    for ((name, command, denied), (own, done, complaint)) in DEEDS.iter().zip(&results) {
        assert_eq!(name, own);
        assert_eq!(*done, !denied, "{name}: {command}: {complaint}");
        if *denied {
            assert!(complaint.contains("not permitted"), "{name}: EPERM and nothing else: {complaint}");
        }
    }
    assert!(!own.join("kept/new").exists(), "a denied open leaves no empty file");

    let judged = judged(&events);
    for (path, said) in &judged {
        // The evaluator says the same of each, folders that move aside.
        if matches!(said.operation, Operation::Rename | Operation::Link) {
            continue;
        }
        let resource = Resource::Path { path, truncated: false };
        let agent_type = Some("test-agent");
        let (action, binary) = (said.action, &*said.by.exe);
        let plain = effective.judge(&Act { action, resource, agent_type, binary, held: Held::NONE });
        assert_eq!((said.verdict, said.rule), (plain.verdict, plain.index), "{} {said:?}", path.escape_ascii());
        assert!(!said.failed);
    }
    let told = |path: &str, action, verdict, operation| {
        let path = own.join(path);
        let is = |(own, said): &&(&[u8], &Judged)| {
            *own == path.as_os_str().as_encoded_bytes()
                && (said.action, said.verdict, said.operation) == (action, verdict, operation)
        };
        assert!(judged.iter().any(|one| is(&one)), "{} {action} {verdict}: {judged:#?}", path.display());
    };
    told("secret/file", Action::FileRead, Verdict::Deny, Operation::Open);
    told("secret/public", Action::FileRead, Verdict::Allow, Operation::Open);
    told("watched", Action::FileRead, Verdict::Alert, Operation::Open);
    told("noted", Action::FileWrite, Verdict::Alert, Operation::Open);
    told("kept/new", Action::FileWrite, Verdict::Deny, Operation::Create);
    told("kept/file", Action::FileWrite, Verdict::Deny, Operation::Unlink);
    told("kept", Action::FileWrite, Verdict::Deny, Operation::Rename);
    told("secret", Action::FileRead, Verdict::Deny, Operation::Rename);
    told("secret/file", Action::FileRead, Verdict::Deny, Operation::Link);
    told("kept/link", Action::FileWrite, Verdict::Deny, Operation::Symlink);
    told("kept/folder", Action::FileWrite, Verdict::Deny, Operation::Mkdir);
    told("kept/empty", Action::FileWrite, Verdict::Deny, Operation::Rmdir);
    told("kept/file", Action::FileWrite, Verdict::Deny, Operation::Chmod);
    told("kept/file", Action::FileWrite, Verdict::Deny, Operation::Chown);
    told("forbidden", Action::Exec, Verdict::Deny, Operation::Exec);
    told("forbidden.sh", Action::Exec, Verdict::Deny, Operation::Exec);
    told("told", Action::Exec, Verdict::Alert, Operation::Exec);
    told("told.sh", Action::Exec, Verdict::Alert, Operation::Exec);
    assert_eq!(ground.kernel.losses(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_that_is_tried_is_seen_and_makes_no_events() {
    let Some(mut ground) = enforcing() else { return };
    for _ in 0..3 {
        ground.kernel.try_denial().expect("denied");
    }
    assert_eq!(ground.kernel.governed().processes, 0);
    let tree = ground.run_governed("true");
    let events = ground.until_end(tree).await;
    assert!(events.iter().all(|event| event.process.tree == tree), "{events:#?}");
    assert!(ground.seen.is_empty(), "{:#?}", ground.seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_denied_to_the_loader_too() {
    let Some(mut ground) = enforcing() else { return };
    let loader = Path::new("/lib64/ld-linux-x86-64.so.2");
    if !loader.exists() {
        return;
    }
    ground.kernel.publish(&Image::new(&effective(RULES)).expect("fits")).expect("published");
    let folder = ground.folder.path().canonicalize().expect("it exists");
    let own = std::env::current_exe().expect("the test has a program");
    for name in ["free", "forbidden"] {
        fs::copy(&own, folder.join(name)).expect("writable");
    }
    let load = |name: &str| format!("{} {}/{name} --list >/dev/null 2>&1", loader.display(), folder.display());
    ground.run_governed(&load("free"));
    let tree = ground.run_governed(&format!("! {}", load("forbidden")));
    let events = ground.until_end(tree).await;
    let path = folder.join("forbidden");
    let denied = judged(&events)
        .into_iter()
        .find(|(own, said)| *own == path.as_os_str().as_encoded_bytes() && said.operation == Operation::Map);
    let (_, said) = denied.expect("the mapping was denied");
    assert_eq!((said.action, said.verdict, said.rule), (Action::Exec, Verdict::Deny, Some(5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_open_slips_through_while_policies_change() {
    let Some(ground) = enforcing() else { return };
    // The same file is denied by rules that stand at different places of tables that are otherwise unlike.
    let (first, second) = (
        effective("    - {name: a, action: file_read, resource_pattern: '**/secret/**', verdict: deny}\n"),
        effective(
            "    - {name: x, action: file_read, resource_pattern: '/etc/**', verdict: alert}
    - {name: y, action: file_read, resource_pattern: '**/*.pem', verdict: allow}
    - {name: z, action: file_read, resource_pattern: '/**/secret/{file,other}', verdict: deny}\n",
        ),
    );
    let images = [first, second].map(|effective| Image::new(&effective).expect("fits"));
    ground.kernel.publish(&images[0]).expect("published");
    let folder = ground.folder.path().canonicalize().expect("it exists");
    fs::create_dir(folder.join("secret")).expect("writable");
    fs::write(folder.join("secret/file"), "x\n").expect("writable");
    let script = format!(
        "cd {} && n=0; while [ ! -e stop ]; do n=$((n+1)); {{ read x < secret/file; }} 2>/dev/null && echo leak >> leaks; done; echo $n > tried",
        folder.display()
    );
    let waiting = ground.start("/bin/sh", &["-c", &script]);
    ground.kernel.mark(waiting.pid(), "test-agent").expect("marked");
    let mut child = waiting.go();
    for round in 0..30 {
        ground.kernel.publish(&images[(round + 1) % 2]).expect("published");
    }
    fs::write(folder.join("stop"), "").expect("writable");
    assert!(child.wait().expect("ends").success());
    let tried: u32 = fs::read_to_string(folder.join("tried")).expect("told").trim().parse().expect("a number");
    assert!(tried > 100, "only {tried} opens were tried");
    assert!(!folder.join("leaks").exists(), "an open was allowed in between");
}

/// Names the folder that [`digs_deeper_than_a_path_is_long`] is to dig in.
const DIGS_IN: &str = "TYR_TEST_DIGS_IN";
const DIGS: &str = "kernel::lsm::digs_deeper_than_a_path_is_long";

/// What the governed process of the next test does; nothing by itself.
#[test]
fn digs_deeper_than_a_path_is_long() {
    let Some(folder) = std::env::var_os(DIGS_IN) else { return };
    std::env::set_current_dir(folder).expect("a folder");
    fs::write("top", "x").expect("writable");
    fs::read("top").expect("allowed");
    // 17 folders of 251 bytes are more than a path holds; each step is short enough.
    let name = "d".repeat(250);
    for _ in 0..17 {
        fs::create_dir(&name).expect("writable");
        std::env::set_current_dir(&name).expect("a folder");
    }
    fs::write("leaf", "x").expect("writable");
    let error = fs::read("leaf").expect_err("denied");
    assert_eq!(error.raw_os_error(), Some(libc::EPERM));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_of_which_only_the_end_is_known_is_denied() {
    let Some(mut ground) = enforcing() else { return };
    let folder = ground.folder.path().canonicalize().expect("it exists");
    let rules = format!(
        "    - {{name: here, action: file_read, resource_pattern: '{}/**', verdict: allow}}
    - {{name: far, action: file_read, resource_pattern: '/far/**', verdict: deny}}\n",
        folder.display()
    );
    ground.kernel.publish(&Image::new(&effective(&rules)).expect("fits")).expect("published");
    // Another process of this very program, as a shell is lost at such depths.
    let own = std::env::current_exe().expect("the test has a program");
    let script = format!("{DIGS_IN}={} {} --exact {DIGS} >/dev/null 2>&1", folder.display(), own.display());
    let tree = ground.run_governed(&script);
    let events = ground.until_end(tree).await;
    let said =
        judged(&events).into_iter().find(|(path, said)| path.ends_with(b"/leaf") && said.verdict == Verdict::Deny);
    let (path, said) = said.expect("the open was denied");
    assert_eq!((said.action, said.rule, said.failed), (Action::FileRead, Some(1), false));
    assert!(path.len() > 3800, "{}", path.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_hook_is_told_and_the_others_hold() {
    let Some(whole) = enforcing() else { return };
    let hooks: Vec<&str> = whole.kernel.hooks().into_iter().filter(|hook| hook.starts_with("lsm/")).collect();
    assert_eq!(hooks.len(), 20, "{hooks:?}");
    drop(whole);
    // The first three alone, as nothing is judged without one of them; the others by turns.
    let (needed, others) = hooks.split_at(3);
    let turn = |first: usize| others.iter().copied().skip(first).step_by(2).collect::<Vec<_>>();
    let needed = needed.iter().map(|hook| (vec![*hook], false));
    for (missing, judged) in needed.chain([(turn(0), true), (turn(1), true)]) {
        let without = missing.iter().map(|hook| (*hook).to_owned()).collect();
        let ground = Ground::with(|options| options.without = without).expect("it was there before");
        let (posture, reason) = ground.kernel.posture();
        assert_eq!(posture, Posture::Partial, "without {missing:?}");
        assert!(missing.iter().all(|hook| reason.contains(hook)), "{missing:?}: {reason}");
        let left: Vec<&str> = ground.kernel.hooks().into_iter().filter(|hook| hooks.contains(hook)).collect();
        let expected = hooks.iter().copied().filter(|hook| judged && !missing.contains(hook));
        assert_eq!(left, expected.collect::<Vec<_>>(), "without {missing:?}");
        assert_eq!(ground.kernel.try_denial().is_ok(), judged, "without {missing:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_judged_once_within_the_scope_and_beyond() {
    let Some(mut ground) = enforcing() else { return };
    let rules = "    - {name: no, action: net_connect, cidr_deny: [127.9.9.0/24], verdict: deny}\n";
    ground.kernel.publish(&Image::new(&effective(rules)).expect("fits")).expect("published");
    // Sockets of other cgroups are none of those that the programs on the scope's cgroup see.
    let beyond = ground.cgroup.path.parent().expect("below the root").join("cgroup.procs");
    let tree = ground.run_governed(&format!(
        "denied() {{ nc -w 1 127.9.9.$1 9 2>&1 </dev/null | grep -q 'not permitted'; }}
        refused() {{ nc -w 1 127.0.0.$1 9 2>&1 </dev/null | grep -q 'refused'; }}
        denied 1 && refused 2 && echo $$ > {} && denied 3 && refused 4",
        beyond.display()
    ));
    let events = ground.until_end(tree).await;
    let said: Vec<_> = connects(&events).iter().map(|c| (c.addr.to_string(), c.port, c.verdict, c.rule)).collect();
    let one = |addr: &str, verdict, rule| (addr.to_owned(), 9, verdict, rule);
    assert_eq!(
        said,
        [
            one("127.9.9.1", Verdict::Deny, Some(0)),
            one("127.0.0.2", Verdict::Allow, None),
            one("127.9.9.3", Verdict::Deny, Some(0)),
            one("127.0.0.4", Verdict::Allow, None),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tree_takes_over_no_other() {
    let Some(mut ground) = enforcing() else { return };
    // Opening the memory of a process is what a debugger needs: of oneself, of a child, and of somebody in another tree.
    let waiting = ground.start("/bin/sleep", &["600"]);
    ground.kernel.mark(waiting.pid(), "other-agent").expect("marked");
    let tree = ground.run_governed(&format!(
        "opens() {{ dd if=/proc/$1/mem of=/dev/null count=0 2>/dev/null; }}
        sleep 600 & child=$!; opens $$ && opens $child && ! opens {}; said=$?; kill $child; exit $said",
        waiting.pid()
    ));
    let events = ground.until_end(tree).await;
    let guarded = |event: &&KernelEvent| event.judged.as_ref().is_some_and(|judged| judged.guarded);
    let guarded: Vec<_> = events.iter().filter(guarded).collect();
    let [one] = guarded[..] else { panic!("one denial: {guarded:#?}") };
    let judged = one.judged.as_ref().expect("guarded");
    assert_eq!((judged.operation, judged.verdict, judged.rule), (Operation::Attach, Verdict::Deny, None));
    assert!(matches!(&one.what, What::Run(run) if !run.path.is_empty()), "{one:?}");
}

/// Waits until a file holds something else than before, and gives it.
async fn changed(file: &Path, before: &str) -> String {
    for _ in 0..3000 {
        let text = fs::read_to_string(file).unwrap_or_default();
        if !text.is_empty() && text != before {
            return text;
        }
        tokio::task::yield_now().await;
        std::thread::park_timeout(std::time::Duration::from_millis(10));
    }
    panic!("{} stays {before:?}", file.display());
}

#[tokio::test(flavor = "multi_thread")]
async fn denials_go_on_without_an_agent_and_while_the_next_takes_over() {
    let pins = PathBuf::from(format!("/sys/fs/bpf/tyr-test-{}", std::process::id()));
    let Some(mut ground) = enforcing_with(|options| options.pins = Some(pins.clone())) else { return };
    let image = Image::new(&effective(RULES)).expect("fits");
    ground.kernel.publish(&image).expect("published");
    assert_eq!(ground.kernel.kept(), None);
    ground.kernel.keep().expect("kept");
    let first = ground.kernel.kept().expect("kept");

    let folder = ground.folder.path().canonicalize().expect("it exists");
    fs::create_dir(folder.join("secret")).expect("writable");
    fs::write(folder.join("secret/file"), "x\n").expect("writable");
    // Tries on and on, in a child whose parent is gone; says how often; when told, it must succeed.
    let script = format!(
        "cd {} || exit 1
        ( n=0; while [ ! -e stop ]; do n=$((n+1)); {{ read x < secret/file; }} 2>/dev/null && echo leak >> leaks
          [ $((n % 20)) = 0 ] && echo $n > tried.new && mv tried.new tried; done
          echo yes > stopped; until {{ read x < secret/file; }} 2>/dev/null; do sleep 0.1; done; echo yes > freed ) </dev/null >/dev/null 2>&1 &",
        folder.display()
    );
    let tree = run(&ground, &script);
    let tried = folder.join("tried");
    let before = changed(&tried, "").await;
    ground.find("a denial", |event| event.judged.as_ref().is_some_and(|said| said.verdict == Verdict::Deny)).await;
    assert_eq!(ground.kernel.governed().trees, 1, "{tree}");

    let Ground { kernel, events, cgroup, folder: _kept, .. } = ground;
    drop((kernel, events));
    let before = changed(&tried, &changed(&tried, &before).await).await;

    let options = |pins: &Path| Options {
        scope: Some(cgroup.path.clone()),
        fingerprints: Fingerprints::default(),
        merge_opens: false,
        merge_allowed: true,
        pins: Some(pins.to_owned()),
        without: Vec::new(),
    };
    let mut kernel = Kernel::load(options(&pins)).expect("loads beside the other");
    assert_eq!(kernel.governed().trees, 1, "what was governed is governed");
    let before = changed(&tried, &before).await;
    kernel.publish(&image).expect("published");
    kernel.keep().expect("taken over");
    assert!(!first.exists() && kernel.kept().is_some_and(|folder| folder.exists()), "the first is gone");
    let before = changed(&tried, &changed(&tried, &before).await).await;
    let mut events = kernel.events();
    let denial = loop {
        let event = events.recv().await.expect("the reader runs");
        if event.judged.as_ref().is_some_and(|said| said.verdict == Verdict::Deny) {
            break event;
        }
    };
    assert_eq!(&*denial.process.agent_type, "test-agent");

    drop((kernel, events));
    changed(&tried, &before).await;
    fs::write(folder.join("stop"), "").expect("writable");
    changed(&folder.join("stopped"), "").await;
    assert!(!folder.join("leaks").exists(), "an open was allowed in between");
    assert_eq!(detach(&pins).expect("taken off"), 27);
    assert_eq!(detach(&pins).expect("nothing left"), 0);
    changed(&folder.join("freed"), "").await;
    fs::remove_dir(&pins).expect("it is empty");
}

#[tokio::test(flavor = "multi_thread")]
async fn repeats_that_are_allowed_are_merged_and_those_denied_are_each_told() {
    let Some(mut ground) = enforcing() else { return };
    ground.kernel.publish(&Image::new(&effective(RULES)).expect("fits")).expect("published");
    let folder = ground.folder.path().canonicalize().expect("it exists");
    fs::create_dir(folder.join("secret")).expect("writable");
    for name in ["plain", "secret/file"] {
        fs::write(folder.join(name), "x\n").expect("writable");
    }
    let tree = ground.run_governed(&format!(
        "cd {} && n=0; while [ $n -lt 200 ]; do n=$((n+1)); read x < plain; {{ read x < secret/file; }} 2>/dev/null; done; true",
        folder.display()
    ));
    let events = ground.until_end(tree).await;
    let of = |name: &str| {
        let path = folder.join(name);
        let own = |event: &&KernelEvent| matches!(&event.what, What::Open(open) if open.path == path.as_os_str().as_encoded_bytes());
        let count = |event: &KernelEvent| if let What::Open(open) = &event.what { open.count } else { 0 };
        let own: Vec<u64> = events.iter().filter(own).map(count).collect();
        (own.iter().sum::<u64>(), own.len())
    };
    let (allowed, told) = of("plain");
    assert_eq!(allowed, 200);
    assert!(told < 100, "{told}");
    assert_eq!(of("secret/file"), (200, 200));
}

/// Moves a folder.
type Shift<'a> = &'a dyn Fn(&Path, &Path);

/// Rounds in which a file is read, moves to where it may not be read, and is tried there, most within the second of its first reading.
const MOVES: usize = 20;

/// Waits for a file that the governed shell makes.
fn made(folder: &Path, name: &str) {
    tyr_e2e::wait_for(name, std::time::Duration::from_secs(30), || folder.join(name).exists().then_some(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_allowed_a_moment_ago_is_denied_where_it_moved() {
    let Some(ground) = enforcing() else { return };
    ground.kernel.publish(&Image::new(&effective(RULES)).expect("fits")).expect("published");
    let folder = ground.folder.path().canonicalize().expect("it exists");
    let (plain, secret) = (folder.join("plain"), folder.join("secret"));
    let rename = |from: &Path, to: &Path| fs::rename(from, to).expect("moved");
    let move_mount = |from: &Path, to: &Path| rustix::mount::mount_move(from, to).expect("moved");
    let ways: [(&str, Shift<'_>); 2] = [("renamed", &rename), ("mounted elsewhere", &move_mount)];
    for (way, shift) in ways {
        fs::create_dir(&plain).expect("writable");
        if way != "renamed" {
            fs::create_dir(&secret).expect("writable");
            rustix::mount::mount("none", &plain, "tmpfs", rustix::mount::MountFlags::empty(), None).expect("mounted");
        }
        fs::write(plain.join("file"), "x\n").expect("writable");
        let script = format!(
            "cd {} && mkdir told && n=0; while [ $n -lt {MOVES} ]; do n=$((n+1))
               read x < plain/file && read x < plain/file || echo unread >> faults
               : > told/read.$n; until [ -e told/moved.$n ]; do :; done
               {{ read x < secret/file; }} 2>/dev/null && echo leak >> faults
               : > told/tried.$n; until [ -e told/back.$n ]; do :; done
             done",
            folder.display()
        );
        let waiting = ground.start("/bin/sh", &["-c", &script]);
        ground.kernel.mark(waiting.pid(), "test-agent").expect("marked");
        let mut child = waiting.go();
        for n in 1..=MOVES {
            made(&folder, &format!("told/read.{n}"));
            shift(&plain, &secret);
            fs::write(folder.join(format!("told/moved.{n}")), "").expect("writable");
            made(&folder, &format!("told/tried.{n}"));
            shift(&secret, &plain);
            fs::write(folder.join(format!("told/back.{n}")), "").expect("writable");
        }
        assert!(child.wait().expect("ends").success());
        let faults = fs::read_to_string(folder.join("faults")).unwrap_or_default();
        assert_eq!(faults, "", "{way}");
        rename(&folder.join("told"), &folder.join(way));
        if way == "renamed" {
            rename(&plain, &folder.join("first"));
        } else {
            rustix::mount::unmount(&plain, rustix::mount::UnmountFlags::empty()).expect("unmounted");
        }
    }
}
