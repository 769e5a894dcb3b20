//! Ways to change a file or its folder.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Error, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown, symlink};
use std::path::Path;

use io_uring::{opcode, types};

use super::Class;
use super::ground::{folder, path, secret};
use super::read::exchange;
use super::sys::check;
use super::uring::{Way, run};

/// The one argument is a folder that `prepare` made.
pub(crate) const CLASSES: &[Class] = &[
    ("write_open", |to| OpenOptions::new().write(true).open(secret(to)?)?.write_all(b"other")),
    ("write_append", |to| OpenOptions::new().append(true).open(secret(to)?)?.write_all(b"other")),
    ("write_truncating_open", |to| OpenOptions::new().write(true).truncate(true).open(secret(to)?).map(drop)),
    // Truncates though it is opened for reading.
    ("write_reading_truncating_open", |to| {
        let name = path(&secret(to)?)?;
        // SAFETY: the name lives as long as the call; the descriptor ends with this process.
        check(unsafe { libc::open(name.as_ptr(), libc::O_RDONLY | libc::O_TRUNC) }).map(drop)
    }),
    ("write_creat", |to| {
        let name = path(&secret(to)?)?;
        // SAFETY: as above.
        check(unsafe { libc::creat(name.as_ptr(), 0o600) }).map(drop)
    }),
    ("write_new_file", |to| {
        let new = folder(to)?.join("vault/new");
        let created = File::create(&new);
        if new.exists() && created.is_err() { Err(Error::other("an empty file was left")) } else { created.map(drop) }
    }),
    ("write_unnamed_file", |to| {
        let mut open = OpenOptions::new();
        let file = open.write(true).custom_flags(libc::O_TMPFILE).open(folder(to)?.join("vault"))?;
        let (from, name) = (format!("/proc/self/fd/{}", file.as_raw_fd()), path(&folder(to)?.join("vault/new"))?);
        let from = CString::new(from).map_err(Error::other)?;
        // SAFETY: the names live as long as the call.
        check(unsafe {
            libc::linkat(libc::AT_FDCWD, from.as_ptr(), libc::AT_FDCWD, name.as_ptr(), libc::AT_SYMLINK_FOLLOW)
        })
        .map(drop)
    }),
    ("write_truncate", |to| {
        let name = path(&secret(to)?)?;
        // SAFETY: the name lives as long as the call.
        check(unsafe { libc::truncate(name.as_ptr(), 0) }).map(drop)
    }),
    ("write_unlink", |to| fs::remove_file(secret(to)?)),
    ("write_rename_out", |to| fs::rename(secret(to)?, folder(to)?.join("open/out"))),
    ("write_rename_over", |to| fs::rename(folder(to)?.join("open/own"), secret(to)?)),
    ("write_rename_folder", |to| fs::rename(folder(to)?.join("vault"), folder(to)?.join("open/out"))),
    ("write_exchange", |to| exchange(&folder(to)?.join("open/own"), &secret(to)?)),
    ("write_link_out", |to| fs::hard_link(secret(to)?, folder(to)?.join("open/out"))),
    ("write_link_in", |to| fs::hard_link(folder(to)?.join("open/own"), folder(to)?.join("vault/new"))),
    ("write_symlink", |to| symlink("/nowhere", folder(to)?.join("vault/new"))),
    ("write_mkdir", |to| fs::create_dir(folder(to)?.join("vault/new"))),
    ("write_rmdir", |to| fs::remove_dir(folder(to)?.join("vault/inner"))),
    ("write_fifo", |to| {
        let name = path(&folder(to)?.join("vault/new"))?;
        // SAFETY: the name lives as long as the call.
        check(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }).map(drop)
    }),
    ("write_socket", |to| std::os::unix::net::UnixListener::bind(folder(to)?.join("vault/new")).map(drop)),
    ("write_chmod", |to| fs::set_permissions(secret(to)?, Permissions::from_mode(0o666))),
    ("write_fchmod", |to| File::open(folder(to)?.join("vault/read"))?.set_permissions(Permissions::from_mode(0o666))),
    ("write_chown", |to| chown(secret(to)?, Some(1000), None)),
    ("write_xattr", |to| {
        let name = path(&folder(to)?.join("vault/read"))?;
        // SAFETY: the strings live as long as the call.
        check(unsafe { libc::setxattr(name.as_ptr(), c"trusted.x".as_ptr(), c"y".as_ptr().cast(), 1, 0) }).map(drop)
    }),
    ("write_remove_xattr", |to| {
        let name = path(&folder(to)?.join("vault/read"))?;
        // SAFETY: as above.
        check(unsafe { libc::removexattr(name.as_ptr(), c"trusted.there".as_ptr()) }).map(drop)
    }),
    ("write_times", |to| {
        let name = path(&folder(to)?.join("vault/read"))?;
        // SAFETY: as above.
        check(unsafe { libc::utimensat(libc::AT_FDCWD, name.as_ptr(), std::ptr::null(), 0) }).map(drop)
    }),
    ("write_uring_unlink", |to| {
        let name = path(&secret(to)?)?;
        run(Way::Plain, opcode::UnlinkAt::new(HERE, name.as_ptr()).build()).map(drop)
    }),
    ("write_uring_unlink_polled", |to| {
        let name = path(&secret(to)?)?;
        run(Way::Polled, opcode::UnlinkAt::new(HERE, name.as_ptr()).build()).map(drop)
    }),
    ("write_uring_rename", |to| {
        two(&secret(to)?, &folder(to)?.join("open/out"), |from, at| opcode::RenameAt::new(HERE, from, HERE, at).build())
    }),
    ("write_uring_link", |to| {
        two(&secret(to)?, &folder(to)?.join("open/out"), |from, at| opcode::LinkAt::new(HERE, from, HERE, at).build())
    }),
    ("write_uring_symlink", |to| {
        two(&secret(to)?, &folder(to)?.join("vault/new"), |from, at| opcode::SymlinkAt::new(HERE, from, at).build())
    }),
    ("write_uring_mkdir", |to| {
        let name = path(&folder(to)?.join("vault/new"))?;
        run(Way::Plain, opcode::MkDirAt::new(HERE, name.as_ptr()).build()).map(drop)
    }),
];

const HERE: types::Fd = types::Fd(libc::AT_FDCWD);

/// A request with two names.
fn two(
    from: &Path,
    at: &Path,
    request: fn(*const libc::c_char, *const libc::c_char) -> io_uring::squeue::Entry,
) -> io::Result<()> {
    let (from, at) = (path(from)?, path(at)?);
    run(Way::Plain, request(from.as_ptr(), at.as_ptr())).map(drop)
}
