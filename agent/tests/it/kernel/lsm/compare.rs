//! The path walk says of every open what `bpf_d_path` says, and what readlink says: mounts, overlays, roots, names that are gone, long
//! paths.

use std::ffi::CString;
use std::fs;
use std::io::Write as _;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{chroot, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open, openat};
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_change, unmount};
use rustix::thread::UnshareFlags;
use tyr_agent::kernel::{Compared, Comparison};

use super::can_not_run;

/// What ends the text of `bpf_d_path` where a name is gone.
const DELETED: &[u8] = b" (deleted)";
/// PATH_MAX, without the NUL that the kernel's own functions need room for.
const SAID_BYTES_MAX: usize = 4095;

/// A thread's comparison, with what was wrong.
struct Trial {
    comparison: Comparison,
    compared: usize,
    wrong: Vec<String>,
}

impl Trial {
    /// Opens something; gives what was found.
    fn open(&mut self, what: &str, opened: impl FnOnce() -> OwnedFd) -> Compared {
        let mut link = Vec::new();
        let found = self.comparison.of(0, || {
            let file = opened();
            // readlink opens nothing.
            link = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))
                .map(|path| path.as_os_str().as_bytes().to_vec())
                .unwrap_or_default();
        });
        let found = found.expect("the map is there").unwrap_or_else(|| panic!("{what}: no open was seen"));
        self.compared += 1;
        let mut view = found.view().to_vec();
        if found.flags.deleted {
            view.extend(DELETED);
        }
        if found.said.as_deref() != Ok(&*view) {
            let said = found.said.as_ref().map(|said| said.escape_ascii().to_string());
            self.wrong.push(format!(
                "{what}: {} beside {said:?}, readlink {}",
                view.escape_ascii(),
                link.escape_ascii()
            ));
        }
        // Seen by the same root, readlink says the same.
        if found.said.as_ref().is_ok_and(|said| !link.is_empty() && *said != link) {
            self.wrong.push(format!("{what}: readlink says {}", link.escape_ascii()));
        }
        found
    }

    fn path(&mut self, path: impl AsRef<Path>) -> Compared {
        let path = path.as_ref();
        self.open(&path.display().to_string(), || file(path, OFlags::RDONLY))
    }
}

fn file(path: impl AsRef<Path>, flags: OFlags) -> OwnedFd {
    let path = path.as_ref();
    open(path, flags | OFlags::CLOEXEC, Mode::from_raw_mode(0o600))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn at(folder: &OwnedFd, name: &str, flags: OFlags) -> OwnedFd {
    let flags = flags | OFlags::CLOEXEC;
    openat(folder, name, flags, Mode::from_raw_mode(0o600)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The kernel's version, as far as it matters.
fn release() -> (u32, u32) {
    let name = rustix::system::uname();
    let name = name.release().to_str().expect("text");
    let mut parts = name.split('.').map_while(|part| part.parse().ok());
    (parts.next().expect("a number"), parts.next().expect("a number"))
}

fn names(trial: &mut Trial, top: &Path) {
    let long = "n".repeat(255);
    let names: [&[u8]; 6] = [b"plain", b"new\nline", b"\xff\xfe", "ä".as_bytes(), long.as_bytes(), b"sp ace"];
    for name in names {
        let path = top.join(std::ffi::OsStr::from_bytes(name));
        let found = trial.open(&name.escape_ascii().to_string(), || file(&path, OFlags::CREATE | OFlags::RDWR));
        assert_eq!(found.path, path.as_os_str().as_bytes(), "the path is that from the root");
        assert_eq!((found.view_at, found.flags), (0, tyr_agent::decode::PathFlags::default()));
    }
    symlink("plain", top.join("link")).expect("writable");
    symlink("link", top.join("chain")).expect("writable");
    fs::hard_link(top.join("plain"), top.join("hard")).expect("writable");
    for name in ["chain", "hard", ".", "./plain", "../"] {
        trial.path(top.join(name));
    }
    for path in ["/", "/proc/self/status", "/dev/null", "/sys/kernel", "/proc/self/root/proc/uptime"] {
        trial.path(path);
    }
}

/// Of each length about that of the longest; deeper than a path can be named in one go.
fn long_paths(trial: &mut Trial, top: &Path) {
    let name = "d".repeat(250);
    let mut folder = file(top, OFlags::PATH | OFlags::DIRECTORY);
    let mut bytes = top.as_os_str().len();
    while bytes + 251 < SAID_BYTES_MAX - 255 {
        rustix::fs::mkdirat(&folder, &name, Mode::from_raw_mode(0o700)).expect("writable");
        folder = at(&folder, &name, OFlags::PATH | OFlags::DIRECTORY);
        bytes += 251;
        let found = trial.open("deep", || at(&folder, ".", OFlags::RDONLY | OFlags::DIRECTORY));
        assert_eq!(found.path.len(), bytes);
    }
    // One more, so that the leaves have room to end on both sides of the limit.
    let rest = SAID_BYTES_MAX - bytes - 130;
    let name = "e".repeat(rest - 1);
    rustix::fs::mkdirat(&folder, &name, Mode::from_raw_mode(0o700)).expect("writable");
    folder = at(&folder, &name, OFlags::PATH | OFlags::DIRECTORY);
    bytes += rest;
    for length in SAID_BYTES_MAX - 6..=SAID_BYTES_MAX + 6 {
        let leaf = "l".repeat(length - bytes - 1);
        let create = || at(&folder, &leaf, OFlags::CREATE | OFlags::RDWR);
        if length < SAID_BYTES_MAX + 1 {
            let found = trial.open(&format!("{length} bytes"), create);
            assert_eq!((found.path.len(), found.flags.truncated), (length, false));
            continue;
        }
        // The kernel's own function gives up; the walk has room for one byte more, and says when it has not.
        let found = trial.comparison.of(0, || drop(create())).expect("the map is there").expect("it was seen");
        assert_eq!(found.said, Err(libc::ENAMETOOLONG), "{length}");
        assert_eq!(found.flags.truncated, length > SAID_BYTES_MAX + 1, "{length}");
        assert!(found.path.ends_with(leaf.as_bytes()), "{length}");
        trial.compared += 1;
    }
}

fn names_that_are_gone(trial: &mut Trial, top: &Path) {
    let gone = top.join("gone");
    let held = file(&gone, OFlags::CREATE | OFlags::RDWR);
    fs::remove_file(&gone).expect("it is there");
    let again = format!("/proc/self/fd/{}", held.as_raw_fd());
    assert!(trial.path(&again).flags.deleted);
    // Its place is taken, and it is gone all the same.
    fs::write(&gone, "x").expect("writable");
    assert!(trial.path(&again).flags.deleted);
    fs::create_dir(top.join("folder")).expect("writable");
    let folder = file(top.join("folder"), OFlags::PATH | OFlags::DIRECTORY);
    fs::remove_dir(top.join("folder")).expect("it is empty");
    assert!(trial.open("a folder that is gone", || at(&folder, ".", OFlags::RDONLY)).flags.deleted);
    let named = top.join("named (deleted)");
    fs::write(&named, "x").expect("writable");
    assert!(!trial.path(&named).flags.deleted);
    let unnamed = trial.open("a file without a name", || file(top, OFlags::TMPFILE | OFlags::RDWR));
    assert!(unnamed.flags.deleted, "{unnamed:?}");

    // Made up by its file system: the walk tells the name alone.
    let memory = rustix::fs::memfd_create("m", rustix::fs::MemfdFlags::CLOEXEC).expect("memory");
    let again = format!("/proc/self/fd/{}", memory.as_raw_fd());
    let found = trial.comparison.of(0, || drop(file(&again, OFlags::RDONLY))).expect("a map").expect("it was seen");
    assert!(found.flags.pseudo);
    assert_eq!((&*found.path, found.said), (&b"memfd:m"[..], Ok(b"/memfd:m (deleted)".to_vec())));
    trial.compared += 1;
}

fn mounts(trial: &mut Trial, top: &Path) {
    for name in ["source/deep", "bind", "twice", "lower", "upper", "work", "merged", "own", "lazy"] {
        fs::create_dir_all(top.join(name)).expect("writable");
    }
    for name in ["source/file", "source/deep/leaf", "onto", "lower/below", "lower/copied"] {
        fs::write(top.join(name), "x").expect("writable");
    }
    mount_bind(top.join("source"), top.join("bind")).expect("root may");
    mount_bind(top.join("bind/deep"), top.join("twice")).expect("root may");
    mount_bind(top.join("source/file"), top.join("onto")).expect("root may");
    for name in ["bind/file", "bind/deep/leaf", "twice/leaf", "twice", "onto", "source/deep/leaf"] {
        trial.path(top.join(name));
    }
    // On top of one another.
    mount("tmpfs", top.join("bind"), "tmpfs", MountFlags::empty(), None).expect("root may");
    fs::write(top.join("bind/above"), "x").expect("writable");
    trial.path(top.join("bind/above"));
    trial.path(top.join("bind"));

    let layers = ["lower", "upper", "work"].map(|name| format!("{name}dir={}", top.join(name).display())).join(",");
    let layers = CString::new(layers).expect("no NUL");
    mount("overlay", top.join("merged"), "overlay", MountFlags::empty(), Some(&*layers)).expect("root may");
    trial.path(top.join("merged/below"));
    // The overlay opens the file below itself. Since 6.7 that one has a path of its own there, from the root of its layer.
    let below = trial.comparison.of(1, || drop(file(top.join("merged/below"), OFlags::RDONLY)));
    let below = below.expect("the map is there").expect("a second open was seen");
    let expected = if release() >= (6, 7) { PathBuf::from("/below") } else { top.join("merged/below") };
    assert_eq!((&*below.path, below.said.as_deref()), (expected.as_os_str().as_bytes(), Ok(&*below.path)));
    trial.open("copied up", || file(top.join("merged/copied"), OFlags::RDWR));
    trial.open("new in an overlay", || file(top.join("merged/new"), OFlags::CREATE | OFlags::WRONLY));
    trial.path(top.join("upper/new"));

    // No more reached from anywhere.
    mount("tmpfs", top.join("lazy"), "tmpfs", MountFlags::empty(), None).expect("root may");
    fs::write(top.join("lazy/file"), "x").expect("writable");
    let lazy = file(top.join("lazy"), OFlags::PATH | OFlags::DIRECTORY);
    unmount(top.join("lazy"), UnmountFlags::DETACH).expect("root may");
    trial.open("unmounted meanwhile", || at(&lazy, "file", OFlags::RDONLY));
    let name = CString::new(top.join("source").as_os_str().as_bytes()).expect("no NUL");
    // SAFETY: the name lives as long as the call; open_tree with OPEN_TREE_CLONE (1).
    let tree = unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, name.as_ptr(), 1) };
    let tree = i32::try_from(tree).ok().filter(|fd| *fd >= 0).expect("root may");
    // SAFETY: a new descriptor that nobody else knows.
    let tree = unsafe { <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(tree) };
    trial.open("a tree of its own", || at(&tree, "file", OFlags::RDONLY));
}

/// The namespace's root stays; the process's own moves.
fn roots(trial: &mut Trial, top: &Path) {
    for name in ["jail/inner", "outside"] {
        fs::create_dir_all(top.join(name)).expect("writable");
    }
    for name in ["jail/inside", "jail/inner/deep", "outside/file"] {
        fs::write(top.join(name), "x").expect("writable");
    }
    let outside = file(top.join("outside"), OFlags::PATH | OFlags::DIRECTORY);
    let jail = top.join("jail");
    mount_bind(top.join("source"), jail.join("inner")).expect("root may");
    chroot(&jail).expect("root may");
    let seen = |found: Compared, path: &str, view: &str| {
        let whole = if path.is_empty() { jail.clone() } else { jail.join(path) };
        assert_eq!((&*found.path, found.view()), (whole.as_os_str().as_bytes(), view.as_bytes()));
    };
    seen(trial.path("/inside"), "inside", "/inside");
    seen(trial.path("/inner/file"), "inner/file", "/inner/file");
    seen(trial.path("/"), "", "/");
    let found = trial.open("above its root", || at(&outside, "file", OFlags::RDONLY));
    assert_eq!(found.path, top.join("outside/file").as_os_str().as_bytes());
    assert_eq!(found.view_at, 0, "it sees what the namespace sees");
}

#[test]
fn the_walk_says_what_the_kernel_says() {
    let trial = std::thread::spawn(|| {
        let comparison = match Comparison::load() {
            Ok(comparison) => comparison,
            Err(error) => {
                can_not_run(&format!("{error}: {:?}", std::error::Error::source(&error)));
                return;
            }
        };
        // Roots, working folders and mounts of this thread alone.
        // SAFETY: no descriptor is shared less than before.
        unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS | UnshareFlags::FS) }.expect("root may");
        mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).expect("root may");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let top = folder.path().canonicalize().expect("it exists");
        mount("tmpfs", &top, "tmpfs", MountFlags::empty(), None).expect("root may");
        let mut trial = Trial { comparison, compared: 0, wrong: Vec::new() };
        names(&mut trial, &top);
        long_paths(&mut trial, &top);
        names_that_are_gone(&mut trial, &top);
        mounts(&mut trial, &top);
        roots(&mut trial, &top);
        assert!(trial.wrong.is_empty(), "{} of {}: {:#?}", trial.wrong.len(), trial.compared, trial.wrong);
        assert!(trial.compared >= 60, "{} opens were compared", trial.compared);
        writeln!(std::io::stderr(), "{} opens compared", trial.compared).expect("standard error takes text");
        // Its mounts go with the thread's namespace, and its root can't remove what is outside.
        std::mem::forget(folder);
    });
    trial.join().expect("no case failed");
}
