//! Making a cluster: `initdb` beside the final place, then a rename, so that a crash in between leaves nothing half made.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::embedded::account::Account;
use crate::embedded::binaries::Binaries;
use crate::embedded::{EmbeddedError, as_account};

/// Major version that the cluster in `data` was made with; `None` when there is no cluster.
pub(crate) fn data_major(data: &Path) -> Result<Option<u32>, EmbeddedError> {
    let path = data.join("PG_VERSION");
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim().parse().map_err(|_| EmbeddedError::StrangeData { dir: data.to_owned() })?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !data.exists() => Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(EmbeddedError::StrangeData { dir: data.to_owned() })
        }
        Err(source) => Err(EmbeddedError::File { action: "reading", path, source }),
    }
}

/// A folder that belongs to the account alone (0700).
pub(crate) fn private_dir(path: &Path, account: &Account) -> Result<(), EmbeddedError> {
    let file = |source| EmbeddedError::File { action: "preparing", path: path.to_owned(), source };
    fs::create_dir_all(path).map_err(file)?;
    if account.switch {
        chown(path, Some(account.uid), Some(account.gid)).map_err(file)?;
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(file)
}

/// Makes a cluster in `dir/data`: UTF-8, checksums, peer authentication on the socket for the account and for root, no TCP.
pub(crate) fn create(dir: &Path, binaries: &Binaries, account: &Account) -> Result<(), EmbeddedError> {
    let new = dir.join("data.new");
    let file = |action, path: &Path| {
        let path = path.to_owned();
        move |source| EmbeddedError::File { action, path, source }
    };
    if new.exists() {
        fs::remove_dir_all(&new).map_err(file("removing", &new))?;
    }
    let mut command = Command::new(binaries.dir.join("initdb"));
    command
        .arg("-D")
        .arg(&new)
        .args([
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--auth-local=peer",
            "--auth-host=reject",
            "--data-checksums",
        ])
        .stdin(Stdio::null());
    let output = as_account(&mut command, account, dir)
        .output()
        .map_err(|source| EmbeddedError::Start { program: binaries.dir.join("initdb"), source })?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let said = stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("nothing").to_owned();
        return Err(EmbeddedError::Initdb { said });
    }
    let hba = "# Written by tyr-server: the private socket alone, no passwords.\nlocal all all peer map=tyr\n";
    let ident = format!("# Written by tyr-server.\ntyr \"{}\" postgres\ntyr root postgres\n", account.name);
    for (name, content) in [("pg_hba.conf", hba), ("pg_ident.conf", ident.as_str())] {
        let path = new.join(name);
        fs::write(&path, content).map_err(file("writing", &path))?;
    }
    fs::rename(&new, dir.join("data")).map_err(file("renaming", &new))
}
