//! Opens: the real path, as readlink has it, and what counts.

use std::os::unix::ffi::OsStrExt;

use super::ground::{ground, opens};

#[tokio::test(flavor = "multi_thread")]
async fn reports_reads_writes_and_failures_of_a_governed_tree() {
    let mut ground = ground!();
    let folder = ground.folder.path().canonicalize().expect("it exists");
    std::fs::write(folder.join("in"), "x").expect("writable");
    std::os::unix::fs::symlink("in", folder.join("link")).expect("writable");
    let tree =
        ground.run_governed(&format!("cd {} && cat link > out && cat missing 2>/dev/null; true", folder.display()));
    let events = ground.until_end(tree).await;
    let opens = opens(&events);
    let find = |name: &str| {
        let path = folder.join(name);
        opens.iter().find(|o| o.path == path.as_os_str().as_bytes()).copied()
    };
    let read = find("in").expect("the symlink's target was read");
    assert!(read.read && !read.write && read.errno == 0);
    let written = find("out").expect("a file was written");
    assert!(written.write && !written.read);
    let tried = opens.iter().find(|o| o.path == b"missing").expect("a failed open is reported as tried");
    assert_eq!(i32::from(tried.errno), libc::ENOENT);
    assert!(find("link").is_none(), "the path is the real one");
}

/// Runs a Python program as a governed tree while nobody reads its events.
fn python(ground: &super::ground::Ground, program: &str) -> tyr_agent::decode::TreeId {
    let waiting = ground.start("/usr/bin/python3", &["-c", program]);
    let tree = ground.kernel.mark(waiting.pid(), "test-agent").expect("marked");
    assert!(waiting.go().wait().expect("ends").success());
    tree
}

#[tokio::test(flavor = "multi_thread")]
async fn the_path_is_what_readlink_gives() {
    let mut ground = ground!();
    let folder = ground.folder.path().canonicalize().expect("it exists");
    // Prints the path that readlink gives for each descriptor, NUL after each, into a file; a chroot at the end.
    let program = format!(
        r"
import os
top = os.fsencode({folder:?})
os.chdir(top)
names = [b'plain', b'new\nline', b'\xff\xfe', b'\xc3\xa4', b'n' * 255, b'sp ace']
want = []
def note(fd):
    want.append(os.readlink(b'/proc/self/fd/%d' % fd))
    os.close(fd)
for n in names:
    note(os.open(n, os.O_CREAT | os.O_RDWR))
deep = b''
for i in range(14):
    deep += b'd' * 250 + b'/'
    os.mkdir(deep)
note(os.open(deep + b'leaf', os.O_CREAT | os.O_WRONLY))
os.symlink(b'plain', b'link'); os.symlink(b'link', b'chain'); note(os.open(b'chain', os.O_RDONLY))
os.link(b'plain', b'hard'); note(os.open(b'hard', os.O_RDONLY))
note(os.open(b'.', os.O_RDONLY | os.O_DIRECTORY))
fd = os.open(b'gone', os.O_CREAT | os.O_RDWR); os.unlink(b'gone'); os.close(fd)
os.rename(b'plain', b'renamed'); note(os.open(b'renamed', os.O_WRONLY))
d = os.open(b'd' * 250, os.O_RDONLY | os.O_DIRECTORY); note(os.open(b'../renamed', os.O_RDONLY, dir_fd=d))
note(os.open(b'/', os.O_RDONLY)); note(os.open(b'/proc/self/status', os.O_RDONLY)); note(os.open(b'/dev/null', os.O_WRONLY))
with open(b'want', 'wb') as f: f.write(b'\0'.join(want))
os.mkdir(b'jail'); open(b'jail/inside', 'w').close(); os.chroot(b'jail'); os.open(b'/inside', os.O_RDONLY)
"
    );
    let tree = python(&ground, &program);
    let events = ground.until_end(tree).await;
    let opens = opens(&events);
    let want = std::fs::read(folder.join("want")).expect("the program wrote it");
    let want: Vec<&[u8]> = want.split(|&byte| byte == 0).collect();
    assert_eq!(want.len(), 15);
    for path in want {
        let found = opens.iter().find(|o| o.errno == 0 && o.path == path);
        let text = String::from_utf8_lossy(path);
        assert!(found.is_some(), "no open of {text}");
        assert_eq!(found.map(|o| o.path_flags), Some(tyr_agent::decode::PathFlags::default()), "{text}");
    }
    let jailed = opens.iter().find(|o| o.path.ends_with(b"/jail/inside") && o.read).expect("seen from outside");
    assert_eq!(jailed.path, folder.join("jail/inside").as_os_str().as_bytes());
    assert!(opens.iter().any(|o| o.view() == b"/inside"), "and from inside");
}

#[tokio::test(flavor = "multi_thread")]
async fn repeats_are_merged_and_counted() {
    let mut ground = ground!();
    let tree = python(&ground, "import os\nfor _ in range(5000): os.close(os.open('/etc/hostname', os.O_RDONLY))");
    let events = ground.until_end(tree).await;
    let own: Vec<_> = opens(&events).into_iter().filter(|o| o.path == b"/etc/hostname").collect();
    assert_eq!(own.iter().map(|o| o.count).sum::<u64>(), 5000);
    assert!(own.len() < 100, "{}", own.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_events_are_counted_to_the_last_one() {
    const OPENS: u64 = 300_000;
    let fingerprints = tyr_agent::fingerprints::Fingerprints::default();
    let Some(mut ground) = super::ground::Ground::new(fingerprints, false) else { return };
    let tree = python(
        &ground,
        &format!("import os\nfor _ in range({OPENS}): os.close(os.open('/etc/hostname', os.O_RDONLY))"),
    );
    let events = ground.until_end(tree).await;
    let got = opens(&events).iter().filter(|o| o.path == b"/etc/hostname").count() as u64;
    let lost: u64 = ground
        .kernel
        .losses()
        .iter()
        .filter(|l| l.kind == tyr_agent::kernel::LossKind::Open && l.reason == "kernel_ring")
        .map(|l| l.count)
        .sum();
    assert!(lost > 0, "the ring was to overflow");
    assert_eq!(got + lost, OPENS);
}

#[tokio::test(flavor = "multi_thread")]
async fn repeats_of_more_files_than_there_is_room_for_are_counted_too() {
    const FILES: u64 = 20_000;
    const REPEATS: u64 = 4;
    let mut ground = ground!();
    let folder = ground.folder.path().canonicalize().expect("it exists");
    for number in 0..FILES {
        std::fs::write(folder.join(number.to_string()), "").expect("writable");
    }
    let tree = python(
        &ground,
        &format!(
            "import os\nfor n in range({FILES}):\n for _ in range({REPEATS}): os.close(os.open('{}/%d' % n, os.O_RDONLY))",
            folder.display()
        ),
    );
    let events = ground.until_end(tree).await;
    let below = folder.as_os_str().as_encoded_bytes();
    let own: Vec<_> = opens(&events).into_iter().filter(|o| o.path.starts_with(below)).collect();
    let lost: u64 = ground.kernel.losses().iter().map(|l| l.count).sum();
    assert_eq!(own.iter().map(|o| o.count).sum::<u64>() + lost, FILES * REPEATS);
    // Of what found room there are two events, the first and its repeats.
    assert!((own.len() as u64) < FILES * REPEATS * 3 / 4, "what there is room for is merged: {}", own.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_opens_outside_the_scope_are_no_events() {
    let mut ground = ground!();
    // Keeps the observer attached meanwhile.
    let waiting = ground.start("/bin/true", &[]);
    let tree = ground.kernel.mark(waiting.pid(), "test-agent").expect("marked");
    let outside = std::process::Command::new("/usr/bin/python3")
        .args(["-c", "import os\nfor _ in range(1000000): os.close(os.open('/etc/hostname', os.O_RDONLY))"])
        .status()
        .expect("python starts");
    assert!(outside.success());
    assert!(waiting.go().wait().expect("ends").success());
    let events = ground.until_end(tree).await;
    assert!(ground.kernel.hooks().contains(&"tp_btf/sys_exit"), "it was watching");
    assert!(opens(&events).iter().all(|o| o.path != b"/etc/hostname"));
    assert!(ground.seen.is_empty(), "{:#?}", ground.seen);
    assert_eq!(ground.kernel.losses(), []);
}
