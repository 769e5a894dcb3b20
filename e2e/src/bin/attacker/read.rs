//! Ways to read a file. Each is done only when the file's content came back.

use std::ffi::{CString, c_void};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Error, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{OpenOptionsExt, chroot, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use io_uring::{opcode, types};

use super::ground::{SECRET, SET_UID, descend, folder, path, secret};
use super::lineage::ask;
use super::sys::{check, descriptor, handed_over, text};
use super::uring::{Way, run};
use super::{Class, FILE};

/// Opens of one flood.
const FLOOD: u32 = 1000;

/// The one argument is a folder that `prepare` made.
pub(crate) const CLASSES: &[Class] = &[
    ("flood", |to| flood(&folder(to)?.join("open/own"))),
    ("read_open", |to| content(&mut File::open(secret(to)?)?)),
    ("read_and_write_open", |to| content(&mut OpenOptions::new().read(true).write(true).open(secret(to)?)?)),
    ("read_open_call", |to| {
        let name = path(&secret(to)?)?;
        // SAFETY: the name lives as long as the call.
        opened(unsafe { libc::syscall(libc::SYS_open, name.as_ptr(), libc::O_RDONLY) })
    }),
    ("read_openat", |to| {
        let vault = File::open(folder(to)?.join("vault"))?;
        let name = CString::new("secret").map_err(Error::other)?;
        // SAFETY: the name lives as long as the call.
        opened(unsafe { libc::syscall(libc::SYS_openat, vault.as_raw_fd(), name.as_ptr(), libc::O_RDONLY) })
    }),
    ("read_openat2", |to| openat2(&secret(to)?)),
    ("read_by_handle", |to| by_handle(&secret(to)?, || Ok(()))),
    // The kernel has forgotten every name of it by then.
    ("read_by_cold_handle", |to| by_handle(&secret(to)?, || fs::write("/proc/sys/vm/drop_caches", "2"))),
    // A handle leads to any of the names.
    ("read_linked_by_handle", |to| by_handle(&folder(to)?.join("vault/secret-linked"), || Ok(()))),
    ("read_uring_openat", |to| by_uring(Way::Plain, &secret(to)?)),
    ("read_uring_openat_worker", |to| by_uring(Way::Worker, &secret(to)?)),
    ("read_uring_openat_polled", |to| by_uring(Way::Polled, &secret(to)?)),
    ("read_uring_openat2", |to| by_uring_openat2(&secret(to)?)),
    ("read_symlink", |to| through_link(&folder(to)?, &secret(to)?)),
    ("read_relative_symlink", |to| through_link(&folder(to)?, Path::new("../vault/secret"))),
    ("read_folder_symlink", |to| {
        let link = folder(to)?.join("open/folder-link");
        symlink("../vault", &link)?;
        content(&mut File::open(link.join("secret"))?)
    }),
    ("read_dots", |to| content(&mut File::open(folder(to)?.join("open/.././vault//secret"))?)),
    ("read_proc_root", |to| content(&mut File::open(below("/proc/self/root", &secret(to)?))?)),
    ("read_proc_cwd", |to| {
        std::env::set_current_dir(folder(to)?.join("vault"))?;
        content(&mut File::open("/proc/self/cwd/secret")?)
    }),
    ("read_path_descriptor", |to| again(libc::O_PATH, &secret(to)?)),
    ("read_chroot", |to| {
        chroot(folder(to)?.join("vault"))?;
        content(&mut File::open("/secret")?)
    }),
    ("read_child", |to| by_cat(&secret(to)?)),
    ("read_mount_namespace", |to| {
        // SAFETY: the namespaces of this process alone.
        check(unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS) })?;
        content(&mut File::open(secret(to)?)?)
    }),
    ("read_hard_link", |to| {
        let link = folder(to)?.join("open/hard-link");
        fs::hard_link(secret(to)?, &link)?;
        content(&mut File::open(link)?)
    }),
    ("read_renamed", |to| {
        let moved = folder(to)?.join("open/renamed");
        fs::rename(secret(to)?, &moved)?;
        content(&mut File::open(moved)?)
    }),
    ("read_renamed_folder", |to| {
        let moved = folder(to)?.join("open/renamed");
        fs::rename(folder(to)?.join("vault"), &moved)?;
        content(&mut File::open(moved.join("secret"))?)
    }),
    ("read_renamed_ancestor", |to| {
        let deeper = folder(to)?.with_file_name("deeper");
        fs::create_dir_all(&deeper)?;
        let moved = deeper.join(std::process::id().to_string());
        fs::rename(folder(to)?, &moved)?;
        content(&mut File::open(moved.join("vault/secret"))?)
    }),
    ("read_exchanged", |to| {
        let own = folder(to)?.join("open/own");
        exchange(&secret(to)?, &own)?;
        content(&mut File::open(own)?)
    }),
    ("read_linked_before", |to| content(&mut File::open(folder(to)?.join("open/linked-before"))?)),
    ("read_bind_mount", |to| {
        let at = folder(to)?.join("open/mounted");
        fs::create_dir(&at)?;
        own_mounts()?;
        mount(&folder(to)?.join("vault"), &at, "", libc::MS_BIND, "")?;
        content(&mut File::open(at.join("secret"))?)
    }),
    ("read_overlay", |to| {
        let at = folder(to)?.join("open/mounted");
        fs::create_dir(&at)?;
        own_mounts()?;
        let layers = format!("lowerdir={}:{}", folder(to)?.join("vault").display(), folder(to)?.join("open").display());
        mount(Path::new("overlay"), &at, "overlay", 0, &layers)?;
        content(&mut File::open(at.join("secret"))?)
    }),
    ("read_cloned_tree", |to| {
        let name = path(&folder(to)?.join("vault"))?;
        // SAFETY: the name lives as long as the call; open_tree with OPEN_TREE_CLONE (1).
        let tree = descriptor(unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, name.as_ptr(), 1) })?;
        let name = CString::new("secret").map_err(Error::other)?;
        // SAFETY: as above.
        opened(unsafe { libc::syscall(libc::SYS_openat, tree.as_raw_fd(), name.as_ptr(), libc::O_RDONLY) })
    }),
    // As nobody, a program that anybody may run as root.
    ("read_by_set_uid_program", |to| {
        // SAFETY: gives up what this process may do.
        check(unsafe { libc::setresuid(65534, 65534, 65534) })?;
        ask(Command::new(SET_UID).args(["one", "read_as_root"]).args(to))
    }),
    ("read_as_root", |to| {
        // SAFETY: asks, and changes nothing.
        if unsafe { libc::geteuid() } != 0 {
            return Err(Error::other("not root"));
        }
        content(&mut File::open(secret(to)?)?)
    }),
    ("read_deep", |to| {
        descend(&folder(to)?)?;
        content(&mut File::open("secret")?)
    }),
    ("read_descriptor_from_parent", |_| content(&mut File::from(handed_over(FILE)?))),
];

/// Whether it holds the secret.
pub(crate) fn content(file: &mut impl Read) -> io::Result<()> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    if bytes == SECRET { Ok(()) } else { Err(Error::other(format!("{} other bytes", bytes.len()))) }
}

fn opened(result: i64) -> io::Result<()> {
    content(&mut File::from(descriptor(result)?))
}

/// Opens what no rule protects, over and over.
fn flood(own: &Path) -> io::Result<()> {
    let name = path(own)?;
    for _ in 0..FLOOD {
        // SAFETY: the name lives as long as the call, and the descriptor is closed by nobody else.
        check(unsafe { libc::close(check(libc::open(name.as_ptr(), libc::O_RDONLY))?) })?;
    }
    Ok(())
}

/// An absolute path below a folder.
fn below(root: &str, path: &Path) -> PathBuf {
    Path::new(root).join(path.strip_prefix("/").unwrap_or(path))
}

fn openat2(secret: &Path) -> io::Result<()> {
    let name = path(secret)?;
    // SAFETY: all zeroes are O_RDONLY without conditions.
    let how: libc::open_how = unsafe { std::mem::zeroed() };
    let size = size_of::<libc::open_how>();
    // SAFETY: name and conditions live as long as the call.
    opened(unsafe { libc::syscall(libc::SYS_openat2, libc::AT_FDCWD, name.as_ptr(), &raw const how, size) })
}

/// Without a name at all; `between` comes after the name was asked for its handle.
fn by_handle(secret: &Path, between: fn() -> io::Result<()>) -> io::Result<()> {
    const BYTES: usize = 128;
    #[repr(C, align(8))]
    struct Handle {
        bytes: u32,
        kind: i32,
        name: [u8; BYTES],
    }
    let name = path(secret)?;
    let mut handle = Handle { bytes: 128, kind: 0, name: [0; BYTES] };
    let mut mount = 0;
    let place: *mut c_void = (&raw mut handle).cast();
    // SAFETY: what is pointed to lives as long as the call and is as large as it says.
    check(unsafe {
        libc::syscall(libc::SYS_name_to_handle_at, libc::AT_FDCWD, name.as_ptr(), place, &raw mut mount, 0)
    })?;
    between()?;
    // Any file of the same file system.
    let root = File::open(secret.with_file_name("../open"))?;
    // SAFETY: as above.
    opened(unsafe { libc::syscall(libc::SYS_open_by_handle_at, root.as_raw_fd(), place, libc::O_RDONLY) })
}

fn by_uring(way: Way, secret: &Path) -> io::Result<()> {
    let name = path(secret)?;
    opened(run(way, opcode::OpenAt::new(types::Fd(libc::AT_FDCWD), name.as_ptr()).build())?.into())
}

fn by_uring_openat2(secret: &Path) -> io::Result<()> {
    let (name, how) = (path(secret)?, types::OpenHow::new());
    opened(
        run(Way::Plain, opcode::OpenAt2::new(types::Fd(libc::AT_FDCWD), name.as_ptr(), &raw const how).build())?.into(),
    )
}

fn through_link(folder: &Path, to: &Path) -> io::Result<()> {
    let link = folder.join("open/link");
    symlink(to, &link)?;
    content(&mut File::open(link)?)
}

/// Opens it in a way that is not asked for, and then once more through its descriptor.
fn again(flags: i32, secret: &Path) -> io::Result<()> {
    let handle = OpenOptions::new().read(true).custom_flags(flags).open(secret)?;
    content(&mut File::open(format!("/proc/self/fd/{}", handle.as_raw_fd()))?)
}

fn by_cat(secret: &Path) -> io::Result<()> {
    let output = Command::new("cat").arg(secret).output()?;
    if text(&output.stderr).contains("not permitted") {
        return Err(Error::from_raw_os_error(libc::EPERM));
    }
    content(&mut output.stdout.as_slice())
}

/// Swaps two names.
pub(crate) fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    let (one, other) = (path(one)?, path(other)?);
    // SAFETY: the names live as long as the call.
    check(unsafe {
        libc::renameat2(libc::AT_FDCWD, one.as_ptr(), libc::AT_FDCWD, other.as_ptr(), libc::RENAME_EXCHANGE)
    })?;
    Ok(())
}

/// A mount namespace of this process's own, so that no mount is left behind.
pub(crate) fn own_mounts() -> io::Result<()> {
    // SAFETY: the namespaces of this process alone.
    check(unsafe { libc::unshare(libc::CLONE_NEWNS) })?;
    mount(Path::new("none"), Path::new("/"), "", libc::MS_REC | libc::MS_PRIVATE, "")
}

pub(crate) fn mount(from: &Path, at: &Path, kind: &str, flags: libc::c_ulong, data: &str) -> io::Result<()> {
    let (from, at) = (path(from)?, path(at)?);
    let (kind, data) = (CString::new(kind).map_err(Error::other)?, CString::new(data).map_err(Error::other)?);
    // SAFETY: all strings live as long as the call.
    check(unsafe { libc::mount(from.as_ptr(), at.as_ptr(), kind.as_ptr(), flags, data.as_ptr().cast()) })?;
    Ok(())
}

/// A descriptor that the kernel just gave us.
pub(crate) fn owned(number: RawFd) -> OwnedFd {
    // SAFETY: nobody else closes it.
    unsafe { OwnedFd::from_raw_fd(number) }
}
