//! Files and programs refused by fanotify, on a file system that the test mounts for itself, in a mount namespace of its own.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use rustix::thread::UnshareFlags;
use tokio::sync::watch;
use tyr_agent::decode::{EnforcedBy, KernelEvent, Operation, TreeId, What};
use tyr_agent::fanotify::{Fanotify, FanotifyError, MountError};
use tyr_agent::kernel::{Kernel, Posture};
use tyr_agent::policies::Lowered;
use tyr_policy::{Action, Effective, Image, Layer, Policy, Verdict};

use super::ground::{Ground, refuse};

/// A policy of these rules, published, and as fanotify judges by it.
fn publish(kernel: &Kernel, spec: &str) -> watch::Sender<Option<Arc<Lowered>>> {
    let yaml = format!("apiVersion: tyr.dev/v1\nkind: Policy\nmetadata: {{name: t}}\nspec:\n{spec}");
    let policy = Policy::parse(&yaml).unwrap_or_else(|error| panic!("{error}")).policy;
    let effective = Effective::new(vec![Layer { version: 1, agent_type: None, policy }]);
    let image = Image::new(&effective).expect("fits");
    let generation = kernel.publish(&image).expect("published");
    watch::Sender::new(Some(Arc::new(Lowered { generation, image })))
}

fn ask(kernel: &Kernel, at: &Path, images: &watch::Sender<Option<Arc<Lowered>>>) -> Result<Fanotify, FanotifyError> {
    Fanotify::start(&[at.to_owned()], kernel.register().expect("opened"), &images.subscribe())
}

/// Where fanotify has something to do, with a file system of the test's own mounted in its folder.
///
/// The namespace is that of the calling thread, and of what it starts.
fn ground() -> Option<(Ground, PathBuf)> {
    let ground = Ground::with(|options| options.merge_opens = false)?;
    if ground.kernel.posture().0 == Posture::Enforcing {
        return refuse("the kernel judges files itself");
    }
    // SAFETY: the mount namespace and working folder of this thread alone; no descriptor is concerned.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS) }.expect("root may");
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).expect("root may");
    let at = ground.folder.path().canonicalize().expect("it exists").join("mounted");
    fs::create_dir(&at).expect("writable");
    mount("tmpfs", &at, "tmpfs", MountFlags::empty(), None).expect("root may");
    Some((ground, at))
}

/// What a process tries on the mounted file system, with what becomes of it: name, Python expression, errno.
const DEEDS: &[(&str, &str, i32)] = &[
    ("read", "close(open('plain/file', O_RDONLY))", 0),
    ("read-secret", "close(open('secret/file', O_RDONLY))", 1),
    ("read-and-write-secret", "close(open('secret/file', O_RDWR))", 1),
    ("write-secret", "close(open('secret/file', O_WRONLY))", 0),
    ("read-allowed-first", "close(open('secret/public', O_RDONLY))", 0),
    ("read-by-symlink", "close(open('way/file', O_RDONLY))", 1),
    ("read-by-root", "close(open('/proc/self/root' + getcwd() + '/secret/file', O_RDONLY))", 1),
    ("read-by-path-descriptor", "close(open('/proc/self/fd/%d' % open('secret/file', O_PATH), O_RDONLY))", 1),
    ("read-by-thread", "in_thread(lambda: open('secret/file', O_RDONLY))", 1),
    ("read-by-child", "in_child(lambda: open('secret/file', O_RDONLY))", 1),
    ("read-in-mount-namespace", "in_child(lambda: (unshare(0x10020000), open('secret/file', O_RDONLY)))", 1),
    ("list-closed", "listdir('closed')", 1),
    ("watched", "close(open('watched', O_RDONLY))", 0),
    ("read-kept", "close(open('kept/file', O_RDONLY))", 0),
    ("read-kept-by-thread", "in_thread(lambda: open('kept/file', O_RDONLY))", 0),
    ("write-kept", "close(open('kept/file', O_WRONLY))", 1),
    ("append-kept", "close(open('kept/file', O_RDWR | O_APPEND))", 1),
    ("truncate-kept", "close(open('kept/file', O_RDONLY | O_TRUNC))", 1),
    ("create-kept", "close(open('kept/new', O_CREAT | O_WRONLY))", 1),
    // Whose flags can't be known: it counts as both.
    ("openat2-kept", "openat2('kept/file')", 1),
    ("openat2", "openat2('plain/file')", 0),
    ("run", "run('./plain/program')", 0),
    ("run-forbidden", "run('./forbidden')", 1),
    ("run-forbidden-script", "run('./forbidden.sh')", 1),
    ("run-told", "run('./told.sh')", 0),
    // To run what may not be read is another action.
    ("run-secret", "run('./secret/program')", 0),
    // Not asked about: see docs/limits.md.
    ("rename-kept", "rename('kept/file', 'plain/stolen')", 0),
    ("chmod-kept", "chmod('kept/other', 0o600)", 0),
    ("truncate-kept-by-name", "truncate('kept/other', 0)", 0),
    ("mkdir-kept", "mkdir('kept/folder')", 0),
    ("unlink-kept", "unlink('kept/other')", 0),
];

const RULES: &str = "  rules:
    - {name: open-part, action: file_read, resource_pattern: '**/secret/public', verdict: allow}
    - {name: secret, action: file_read, resource_pattern: '**/secret/**', verdict: deny}
    - {name: closed, action: file_read, resource_pattern: '**/closed{,/**}', verdict: deny}
    - {name: watched, action: file_read, resource_pattern: '**/watched', verdict: alert}
    - {name: kept, action: file_write, resource_pattern: '**/kept/**', verdict: deny}
    - {name: forbidden, action: exec, resource_pattern: '**/forbidden*', verdict: deny}
    - {name: told, action: exec, resource_pattern: '**/told*', verdict: alert}
";

fn furnish(folder: &Path) {
    for name in ["plain", "secret", "kept", "closed"] {
        fs::create_dir_all(folder.join(name)).expect("writable");
    }
    for name in ["plain/file", "secret/file", "secret/public", "kept/file", "kept/other", "watched"] {
        fs::write(folder.join(name), "x").expect("writable");
    }
    std::os::unix::fs::symlink("secret", folder.join("way")).expect("writable");
    for name in ["forbidden.sh", "told.sh", "plain/program"] {
        fs::write(folder.join(name), "#!/bin/sh\nexit 0\n").expect("writable");
    }
    for name in ["forbidden", "secret/program"] {
        fs::copy("/bin/true", folder.join(name)).expect("writable");
    }
    for name in ["forbidden.sh", "told.sh", "plain/program", "secret/program", "forbidden"] {
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).expect("writable");
    }
}

/// A Python program that tries all deeds, and notes the errno of each in `results`.
fn program(folder: &Path, deeds: &[(&str, &str, i32)], results: &Path) -> String {
    let mut program = format!(
        "
import ctypes, subprocess, threading
from os import *
libc = ctypes.CDLL(None, use_errno=True)
def call(result):
    if result < 0: raise OSError(ctypes.get_errno(), '')
    return result
def unshare(flags): call(libc.unshare(flags))
def openat2(name):
    how = (ctypes.c_uint64 * 3)()
    close(call(libc.syscall(437, -100, name.encode(), how, 24)))
def run(name): subprocess.run([name], check=True)
def in_thread(deed):
    failed = []
    def body():
        try: close(deed())
        except OSError as error: failed.append(error)
    thread = threading.Thread(target=body); thread.start(); thread.join()
    if failed: raise failed[0]
def in_child(deed):
    child = fork()
    if not child:
        try: deed()
        except OSError as error: _exit(error.errno)
        _exit(0)
    status = waitstatus_to_exitcode(waitpid(child, 0)[1])
    if status: raise OSError(status, '')
out = __builtins__.open('{}', 'w')
chdir('{}')
def deed(name, action):
    try: action(); errno = 0
    except OSError as error: errno = error.errno
    print(name, errno, file=out)
",
        results.display(),
        folder.display()
    );
    for (name, expression, _) in deeds {
        writeln!(program, "deed('{name}', lambda: {expression})").expect("writing to a String");
    }
    program
}

fn compare(results: &Path, deeds: &[(&str, &str, i32)], expected: impl Fn(i32) -> i32) {
    let text = fs::read_to_string(results).expect("the program wrote it");
    let mut wrong = Vec::new();
    for ((name, expression, errno), line) in deeds.iter().zip(text.lines()) {
        if line != format!("{name} {}", expected(*errno)) {
            wrong.push(format!("{expression}: {line}"));
        }
    }
    assert_eq!(text.lines().count(), deeds.len(), "{text}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn python(ground: &Ground, program: &str) -> TreeId {
    let waiting = ground.start("/usr/bin/python3", &["-c", program]);
    let tree = ground.kernel.mark(waiting.pid(), "test-agent").expect("marked");
    assert!(waiting.go().wait().expect("ends").success());
    tree
}

fn path_of(event: &KernelEvent) -> &[u8] {
    match &event.what {
        What::Open(open) => &open.path,
        What::Run(run) => &run.path,
        _ => b"",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn opens_and_programs_are_refused_as_written_and_told_once() {
    let Some((mut ground, mounted)) = ground() else { return };
    let images = publish(&ground.kernel, RULES);
    let fanotify = ask(&ground.kernel, &mounted, &images).expect("it may");
    assert_eq!(fanotify.mounts().collect::<Vec<_>>(), [&*mounted]);
    // Own opens are asked about too, and answered.
    let (free, own) = (mounted.join("free"), mounted.join("own"));
    furnish(&free);
    furnish(&own);

    // The control: where nobody governs, all of it works.
    let results = ground.folder.path().join("free-results");
    let free = program(&free, DEEDS, &results);
    assert!(Command::new("/usr/bin/python3").args(["-c", &free]).status().expect("starts").success());
    compare(&results, DEEDS, |_| 0);

    let results = ground.folder.path().join("own-results");
    let tree = python(&ground, &program(&own, DEEDS, &results));
    compare(&results, DEEDS, |errno| errno);
    assert!(own.join("kept/new").exists(), "the question comes when it is made already: see docs/fanotify.md");
    let events = ground.until_end(tree).await;
    let told = |path: &str, action, verdict, operation, count| {
        let path = own.join(path);
        let path = path.as_os_str().as_encoded_bytes();
        let said: Vec<_> =
            events.iter().filter(|event| path_of(event) == path).filter_map(|e| e.judged.as_ref()).collect();
        let own =
            said.iter().filter(|said| (said.action, said.verdict, said.operation) == (action, verdict, operation));
        assert_eq!(own.count(), count, "{} {action} {verdict}: {said:#?}", path.escape_ascii());
        assert!(said.iter().all(|said| said.enforced_by == EnforcedBy::Fanotify && !said.failed));
    };
    told("secret/file", Action::FileRead, Verdict::Deny, Operation::Open, 8);
    told("closed", Action::FileRead, Verdict::Deny, Operation::Open, 1);
    told("watched", Action::FileRead, Verdict::Alert, Operation::Open, 1);
    told("kept/file", Action::FileWrite, Verdict::Deny, Operation::Open, 4);
    told("kept/new", Action::FileWrite, Verdict::Deny, Operation::Open, 1);
    told("forbidden", Action::Exec, Verdict::Deny, Operation::Exec, 1);
    told("forbidden.sh", Action::Exec, Verdict::Deny, Operation::Exec, 1);
    told("told.sh", Action::Exec, Verdict::Alert, Operation::Exec, 1);
    // The observer of opens saw the same calls end, and is not heard a second time.
    let twice = events.iter().filter(|event| match &event.what {
        What::Open(open) => event.judged.is_none() && (open.errno == 1 || open.path.ends_with(b"/watched")),
        _ => false,
    });
    assert_eq!(twice.count(), 0, "{events:#?}");
    assert_eq!((ground.kernel.losses(), fanotify.overdue()), (vec![], 0));

    for _ in 0..3 {
        fanotify.try_denials(&ground.kernel).expect("a denial that is tried is seen");
    }
    drop(fanotify);
    let results = ground.folder.path().join("after-results");
    let after = mounted.join("after");
    furnish(&after);
    python(&ground, &program(&after, DEEDS, &results));
    compare(&results, DEEDS, |_| 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_default_denies_programs_and_not_their_loader() {
    let Some((ground, mounted)) = ground() else { return };
    let root = mounted.join("root");
    for program in ["/bin/true", "/bin/false", "/bin/ls"] {
        let said = Command::new("ldd").arg(program).output().expect("it starts");
        let said = String::from_utf8(said.stdout).expect("text");
        for file in said.split_whitespace().filter(|word| word.starts_with('/')).chain([program]) {
            let to = root.join(file.trim_start_matches('/'));
            fs::create_dir_all(to.parent().expect("a folder")).expect("writable");
            fs::copy(file, to).expect("copied");
        }
    }
    let spec = "  default: {exec: deny}\n  rules:
    - {name: allowed, action: exec, resource_pattern: '**/bin/{true,ls,python3*,sh}', verdict: allow}\n";
    let images = publish(&ground.kernel, spec);
    let fanotify = ask(&ground.kernel, &mounted, &images).expect("it may");
    let deeds = [
        ("allowed", "in_child(lambda: (chroot('root'), execv('/bin/true', ['true'])))", 0),
        ("allowed-again", "in_child(lambda: (chroot('root'), execv('/bin/ls', ['ls', '--version'])))", 0),
        ("denied", "in_child(lambda: (chroot('root'), execv('/bin/false', ['false'])))", 1),
        (
            "loader",
            "in_child(lambda: (chroot('root'), execv('/lib64/ld-linux-x86-64.so.2', ['ld.so', '/bin/true'])))",
            1,
        ),
    ];
    let results = ground.folder.path().join("results");
    let own = program(&mounted, &deeds, &results);
    // Its standard output would be in the way of a shell that waits for it.
    let tree = python(&ground, &format!("import os\nos.dup2(2, 1)\n{own}"));
    compare(&results, &deeds, |errno| errno);
    drop((tree, fanotify));
}

/// What [`stands_in_for_tyrd`] is to mark, and whom it is to govern.
const MARKS: &str = "TYR_TEST_MARKS";
const STANDS_IN: &str = "kernel::fanotify::stands_in_for_tyrd";

/// The process that the next test kills; nothing by itself.
#[tokio::test(flavor = "multi_thread")]
async fn stands_in_for_tyrd() {
    let Some(mounted) = std::env::var_os(MARKS) else { return };
    let ground = Ground::with(|_| ()).expect("it was there before");
    let images = publish(&ground.kernel, RULES);
    let _fanotify = ask(&ground.kernel, Path::new(&mounted), &images).expect("it may");
    writeln!(std::io::stderr(), "marked").expect("somebody reads it");
    std::future::pending::<()>().await;
}

/// Ends with the test, however that ends: nobody could remove a folder while the kernel asks one who is stopped.
struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_is_let_through_when_the_agent_is_killed() {
    let Some((_ground, mounted)) = ground() else { return };
    furnish(&mounted);
    let own = std::env::current_exe().expect("the test has a program");
    let mut tyrd = Command::new(own);
    tyrd.args(["--exact", STANDS_IN, "--nocapture"]).env(MARKS, &mounted).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut tyrd = Killed(tyrd.spawn().expect("it starts"));
    let mut said = BufReader::new(tyrd.0.stderr.take().expect("piped")).lines();
    assert!(said.any(|line| line.expect("text") == "marked"));
    let pid = Pid::from_child(&tyrd.0);
    kill_process(pid, Signal::STOP).expect("a child of ours");
    // Until its last thread has stopped, one could answer.
    let (_, state) = waitpid(Some(pid), WaitOptions::UNTRACED).expect("a child of ours").expect("it is waited for");
    assert!(state.stopped());
    let mut reader =
        Command::new("/bin/cat").arg(mounted.join("plain/file")).stdout(Stdio::piped()).spawn().expect("starts");
    let wchan = format!("/proc/{}/wchan", reader.id());
    // It waits for an answer that nobody gives.
    tokio::time::timeout(Duration::from_secs(30), async {
        while !fs::read_to_string(&wchan).is_ok_and(|place| place.contains("fanotify")) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("it asks");
    assert!(reader.try_wait().expect("a child of ours").is_none());
    drop(tyrd);
    let output = reader.wait_with_output().expect("it ends");
    assert_eq!((output.status.success(), &*output.stdout), (true, &b"x"[..]));
    // Its cgroup can't be removed by itself any more.
    for folder in fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
        if folder.file_name().to_string_lossy().starts_with(&format!("tyr-test-{}-", pid.as_raw_pid())) {
            fs::remove_dir(folder.path()).expect("nobody is in it");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn says_why_a_path_can_not_be_marked() {
    let Some((ground, mounted)) = ground() else { return };
    let images = publish(&ground.kernel, RULES);
    let start = |path: &Path| {
        let register = ground.kernel.register().expect("opened");
        Fanotify::start(&[mounted.clone(), path.to_owned()], register, &images.subscribe()).expect_err("refused")
    };
    let folder = mounted.join("folder");
    let missing = start(&folder);
    assert!(matches!(missing, FanotifyError::Mount(MountError::Missing { .. })), "{missing}");
    fs::create_dir(&folder).expect("writable");
    let plain = start(&folder);
    assert!(matches!(plain, FanotifyError::Mount(MountError::NoMountPoint { .. })), "{plain}");
    let kernels = start(Path::new("/proc"));
    assert!(kernels.to_string().contains("of kind `proc`"), "{kernels}");
    // Nothing stays marked: who is governed reads what is denied.
    furnish(&mounted);
    ground.run_governed(&format!("cat {}/secret/file", mounted.display()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_late_is_answered_for() {
    let Some((ground, mounted)) = ground() else { return };
    furnish(&mounted);
    let images = publish(&ground.kernel, RULES);
    let fanotify = ask(&ground.kernel, &mounted, &images).expect("it may");
    let (release, mut released) = std::io::pipe().map(|(read, write)| (write, read)).expect("a pipe");
    let (hold, held) = std::sync::mpsc::channel();
    // Whoever wants to know the policy waits.
    let holder = std::thread::spawn(move || {
        images.send_modify(|_| {
            hold.send(()).expect("somebody waits");
            let _ = std::io::Read::read(&mut released, &mut [0]);
        });
        images
    });
    held.recv().expect("it holds");
    let deeds = [("governed", "close(open('plain/file', O_RDONLY))", 1)];
    let results = ground.folder.path().join("results");
    python(&ground, &program(&mounted, &deeds, &results));
    compare(&results, &deeds, |errno| errno);
    assert_eq!(fs::read(mounted.join("secret/file")).expect("nobody governs it, and another answers"), b"x");
    assert_eq!(fanotify.overdue(), 1);
    let lost: Vec<_> = ground.kernel.losses().into_iter().map(|loss| (loss.verdict, loss.reason, loss.count)).collect();
    assert_eq!(lost, [(Verdict::Deny, "fanotify_queue", 1)]);
    drop(release);
    let _images = holder.join().expect("it ends");
    python(&ground, &program(&mounted, &deeds, &results));
    compare(&results, &deeds, |_| 0);
    assert_eq!(fanotify.overdue(), 1);
}
