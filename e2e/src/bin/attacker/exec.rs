//! Ways to run a program. Each is done only when the program said that it ran.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Error, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::Class;
use super::ground::{RAN, folder, path};
use super::read::owned;
use super::sys::{check, text};

/// The one argument is a folder that `prepare` made.
pub(crate) const CLASSES: &[Class] = &[
    ("exec", |to| ran(Command::new(folder(to)?.join("vault/tool")).arg("ran"))),
    ("exec_other_name", |to| ran(Command::new(folder(to)?.join("vault/tool")).arg0("true").arg("ran"))),
    ("exec_script", |to| ran(Command::new(folder(to)?.join("vault/tool.sh")).arg("ran"))),
    ("exec_as_interpreter", |to| {
        let script = folder(to)?.join("open/script");
        let tool = folder(to)?.join("vault/tool");
        fs::write(&script, format!("#!{} ran\n", tool.display()))?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        ran(&mut Command::new(script))
    }),
    ("exec_symlink", |to| {
        let link = folder(to)?.join("open/link");
        symlink("../vault/tool", &link)?;
        ran(Command::new(link).arg("ran"))
    }),
    ("exec_hard_link", |to| {
        let link = folder(to)?.join("open/link");
        fs::hard_link(folder(to)?.join("vault/tool"), &link)?;
        ran(Command::new(link).arg("ran"))
    }),
    ("exec_descriptor", |to| by_descriptor(&folder(to)?.join("vault/tool"))),
    ("exec_proc_descriptor", |to| {
        let tool = File::open(folder(to)?.join("vault/tool"))?;
        // SAFETY: the descriptor stays open, and what is executed may keep it.
        check(unsafe { libc::fcntl(tool.as_raw_fd(), libc::F_SETFD, 0) })?;
        ran(Command::new(format!("/proc/self/fd/{}", tool.as_raw_fd())).arg("ran"))
    }),
    ("exec_by_loader", |to| ran(Command::new(loader()?).arg(folder(to)?.join("vault/tool")).arg("ran"))),
    // What the loader does first.
    ("exec_map", |to| {
        let tool = File::open(folder(to)?.join("vault/tool"))?;
        let (protection, number) = (libc::PROT_READ | libc::PROT_EXEC, tool.as_raw_fd());
        // SAFETY: a new mapping, which ends with this process.
        let mapped = unsafe { libc::mmap(std::ptr::null_mut(), 4096, protection, libc::MAP_PRIVATE, number, 0) };
        if mapped == libc::MAP_FAILED { Err(Error::last_os_error()) } else { Ok(()) }
    }),
    ("exec_chroot", |to| {
        let root = folder(to)?;
        let mut command = Command::new("/vault/tool-static");
        // SAFETY: one system call between fork and exec.
        unsafe { command.pre_exec(move || std::os::unix::fs::chroot(&root)) };
        ran(command.arg0("busybox").args(["echo", "ran"]))
    }),
    ("exec_copy", |to| {
        let copy = folder(to)?.join("open/copy");
        fs::copy(folder(to)?.join("vault/tool"), &copy)?;
        ran(Command::new(copy).arg("ran"))
    }),
    ("exec_memory", |to| {
        // SAFETY: the name lives as long as the call.
        let memory = check(unsafe { libc::memfd_create(c"tool".as_ptr(), 0) })?;
        let mut file = File::from(owned(memory));
        file.write_all(&fs::read(folder(to)?.join("vault/tool"))?)?;
        ran(Command::new(format!("/proc/self/fd/{memory}")).arg("ran"))
    }),
    ("exec_read_by_shell", |to| ran(Command::new("/bin/sh").arg(folder(to)?.join("vault/tool.sh")))),
];

/// The program that runs dynamic programs.
fn loader() -> io::Result<&'static str> {
    let known = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"];
    known.into_iter().find(|path| Path::new(path).exists()).ok_or_else(|| Error::other("no loader"))
}

fn ran(command: &mut Command) -> io::Result<()> {
    let output = command.output()?;
    if output.stdout == RAN {
        return Ok(());
    }
    let said = text(&output.stderr);
    // The loader tells of the error in words, without its number.
    if said.contains("failed to map segment from shared object") {
        return Err(Error::from_raw_os_error(libc::EPERM));
    }
    Err(Error::other(format!("{}: {said}", output.status)))
}

/// `fexecve`: the program has no name in the call.
fn by_descriptor(tool: &Path) -> io::Result<()> {
    let file = File::open(tool)?;
    let (name, argument) = (path(tool)?, CString::new("ran").map_err(Error::other)?);
    let arguments = [name.as_ptr(), argument.as_ptr(), std::ptr::null()];
    let mut command = Command::new("/bin/true");
    let arguments = arguments.map(|pointer| pointer as usize);
    // SAFETY: between fork and exec one system call is made, with memory that the parent keeps.
    unsafe {
        command.pre_exec(move || {
            let environment: [*const libc::c_char; 1] = [std::ptr::null()];
            libc::syscall(
                libc::SYS_execveat,
                file.as_raw_fd(),
                c"".as_ptr(),
                arguments.as_ptr(),
                environment.as_ptr(),
                libc::AT_EMPTY_PATH,
            );
            Err(Error::last_os_error())
        });
    }
    ran(&mut command)
}
