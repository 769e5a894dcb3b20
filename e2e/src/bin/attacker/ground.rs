//! The ground for attempts on files: a folder with `vault`, which rules protect, and `open`, which they don't.

use std::ffi::CString;
use std::fs;
use std::io::{self, Error, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Class;
use super::sys::check;

/// Content of `vault/secret`.
pub(crate) const SECRET: &[u8] = b"secret\n";
/// What `vault/tool` says.
pub(crate) const RAN: &[u8] = b"ran\n";

/// The one argument is a folder that isn't there yet.
pub(crate) const CLASSES: &[Class] =
    &[("prepare", |to| prepare(&folder(to)?)), ("prepare_deep", |to| prepare_deep(&folder(to)?))];

/// A program with the set-uid bit of root.
pub(crate) const SET_UID: &str = "/data/set-uid";
/// Length of a folder's name, and how many of them make a path longer than the kernel takes in a call.
const NAME_BYTES: usize = 250;
const FOLDERS: usize = 17;

/// A secret at the end of a path that is longer than 4,096 bytes.
fn prepare_deep(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    std::env::set_current_dir(folder)?;
    let name = "d".repeat(NAME_BYTES);
    for _ in 0..FOLDERS {
        fs::create_dir(&name)?;
        std::env::set_current_dir(&name)?;
    }
    fs::write("secret", SECRET)
}

/// Goes there, one folder after the other.
pub(crate) fn descend(folder: &Path) -> io::Result<()> {
    std::env::set_current_dir(folder)?;
    let name = "d".repeat(NAME_BYTES);
    (0..FOLDERS).try_for_each(|_| std::env::set_current_dir(&name))
}

fn prepare(folder: &Path) -> io::Result<()> {
    let (vault, open) = (folder.join("vault"), folder.join("open"));
    fs::create_dir_all(vault.join("inner"))?;
    fs::create_dir_all(&open)?;
    fs::write(vault.join("secret"), SECRET)?;
    fs::write(vault.join("read"), "may be read")?;
    fs::write(open.join("own"), "own")?;
    fs::write(vault.join("secret-linked"), SECRET)?;
    fs::hard_link(vault.join("secret-linked"), open.join("linked-before"))?;
    let read = path(&vault.join("read"))?;
    // SAFETY: the strings live as long as the call.
    check(unsafe { libc::setxattr(read.as_ptr(), c"trusted.there".as_ptr(), c"y".as_ptr().cast(), 1, 0) })?;
    // One copy of the program for all folders: it is large for a file system in memory.
    let program = Path::new("/data/program");
    if !program.exists() {
        fs::copy(std::env::current_exe()?, program)?;
        fs::copy("/bin/busybox", "/data/program-static")?;
        fs::copy(std::env::current_exe()?, SET_UID)?;
        fs::set_permissions(SET_UID, fs::Permissions::from_mode(0o4755))?;
    }
    fs::hard_link(program, vault.join("tool"))?;
    fs::hard_link("/data/program-static", vault.join("tool-static"))?;
    fs::write(vault.join("tool.sh"), "#!/bin/sh\necho ran\n")?;
    fs::set_permissions(vault.join("tool.sh"), fs::Permissions::from_mode(0o755))
}

/// The folder of an attempt.
pub(crate) fn folder(arguments: &[&str]) -> io::Result<PathBuf> {
    Ok(arguments.first().ok_or(ErrorKind::InvalidInput)?.into())
}

/// The protected file of an attempt.
pub(crate) fn secret(arguments: &[&str]) -> io::Result<PathBuf> {
    Ok(folder(arguments)?.join("vault/secret"))
}

/// A path as the kernel takes it.
pub(crate) fn path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(Error::other)
}
