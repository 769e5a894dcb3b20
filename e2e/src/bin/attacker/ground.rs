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
pub(crate) const CLASSES: &[Class] = &[("prepare", |to| prepare(&folder(to)?))];

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
