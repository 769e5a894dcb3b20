//! The file system of a guest, made anew for each boot: busybox, the programs under test with their libraries, modules.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::kernel::Kernel;
use super::{program, protocol};
use crate::binary;

/// Our programs in `/usr/bin`.
const PROGRAMS: [&str; 3] = ["tyrd", "tyr-attacker", "tyr-guest"];
/// What the programs find where they look for it.
const FOLDERS: [&str; 13] =
    ["bin", "dev", "etc", "home/user", "lib", "proc", "root", "run", "sbin", "sys", "tmp", "usr/bin", "var/lib"];

/// Makes the image file, working in `folder`.
pub(super) fn make(kernel: &Kernel, folder: &Path, image: &Path) -> Result<()> {
    let root = folder.join("root");
    for name in FOLDERS {
        fs::create_dir_all(root.join(name))?;
    }
    fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n")?;
    busybox(&root)?;
    for name in PROGRAMS {
        let to = root.join("usr/bin").join(name);
        // Debugging information is most of it.
        run(Command::new("strip").arg("-o").arg(&to).arg(binary(name)))?;
        libraries(&to, &root)?;
    }
    symlink("/usr/bin/tyr-guest", root.join("init"))?;
    modules(kernel, &root)?;
    archive(&root, image)?;
    Ok(fs::remove_dir_all(root)?)
}

fn busybox(root: &Path) -> Result<()> {
    let busybox = program("busybox")?;
    fs::copy(&busybox, root.join("bin/busybox"))?;
    libraries(&busybox, root)?;
    let names = Command::new(&busybox).arg("--list").output()?;
    for name in String::from_utf8(names.stdout)?.lines().filter(|name| *name != "busybox") {
        symlink("busybox", root.join("bin").join(name))?;
    }
    Ok(())
}

/// Copies the libraries of a program to where it looks for them.
fn libraries(of: &Path, root: &Path) -> Result<()> {
    let output = Command::new("ldd").arg(of).output().context("ldd")?;
    if String::from_utf8_lossy(&output.stderr).contains("not a dynamic executable") {
        return Ok(());
    }
    ensure!(output.status.success(), "ldd {}: {}", of.display(), String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    for library in text.split_whitespace().filter(|word| word.starts_with('/')) {
        let to = root.join(library.trim_start_matches('/'));
        if !to.exists() {
            fs::create_dir_all(to.parent().context("a file is in a folder")?)?;
            fs::copy(library, &to).with_context(|| library.to_owned())?;
        }
    }
    Ok(())
}

fn modules(kernel: &Kernel, root: &Path) -> Result<()> {
    let folder = root.join(protocol::MODULES.trim_start_matches('/'));
    fs::create_dir(&folder)?;
    for (number, module) in kernel.modules.iter().enumerate() {
        let name = module.file_name().context("a file has a name")?.to_string_lossy();
        let to = folder.join(format!("{number:02}-{}", name.trim_end_matches(".xz")));
        if name.ends_with(".xz") {
            run(Command::new("xz").arg("-dc").arg(module).stdout(File::create(to)?))?;
        } else {
            fs::copy(module, to)?;
        }
    }
    Ok(())
}

/// Not compressed: a guest takes longer to unpack it than qemu to hand it over.
fn archive(root: &Path, image: &Path) -> Result<()> {
    fs::set_permissions(root, Permissions::from_mode(0o755))?;
    let script = "find . -print0 | cpio --null --create --format=newc --owner=0:0 --quiet";
    run(Command::new("/bin/sh").args(["-euc", script]).current_dir(root).stdout(File::create(image)?))
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?.wait_with_output()?;
    ensure!(
        output.status.success(),
        "{}: {}",
        command.get_program().display(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
