//! The Debian packages, installed, run and purged in a root of their own: nothing is left. The commands of docs/backup.md and
//! docs/troubleshooting.md are run there as they are written.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tyr_e2e::cgroup::Cgroup;
use tyr_e2e::stack::text;
use tyr_e2e::{binary, tool};

/// What runs as root of the fresh system, in namespaces of its own: no network but its own loopback. Not in a pid namespace, as
/// the kernel programs of the agent tell processes by the numbers of the first one.
const OUTSIDE: &str = r#"
set -eu
ip link set lo up
mount -t tmpfs tmpfs "$WORK"
mkdir "$WORK/upper" "$WORK/work" "$WORK/root"
mount -t overlay overlay -o "lowerdir=$ROOT,upperdir=$WORK/upper,workdir=$WORK/work" "$WORK/root"
mount -t proc proc "$WORK/root/proc"
mount --rbind /dev "$WORK/root/dev"
# The kernel's own, for the agent: its scope is a cgroup made for this test.
mount --rbind /sys "$WORK/root/sys"
# The host's systemd-analyze, as the fresh system has no systemd.
mkdir "$WORK/root/debs" "$WORK/root/host"
mount --bind /usr "$WORK/root/host"
mount -o remount,bind,ro "$WORK/root/host"
cp "$DEBS"/*.deb "$WORK/root/debs/"
cp "$INSIDE" "$WORK/root/debs/inside.sh"
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive HOME=/root CGROUP="$CGROUP" \
    chroot "$WORK/root" bash /debs/inside.sh
"#;

/// What happens inside: the packages are installed, used as their manual says, upgraded, removed and purged.
const INSIDE: &str = include_str!("packages.sh");

/// The three packages of the binaries that were built, without debug information, as cargo-deb would make them for a release.
fn build(folder: &Path) -> PathBuf {
    let target = folder.join("target");
    fs::create_dir_all(target.join("release")).expect("a folder");
    for name in ["tyr-server", "tyrd", "tyrctl"] {
        let status = Command::new("strip").arg("-o").arg(target.join("release").join(name)).arg(binary(name)).status();
        assert!(status.expect("strip starts").success());
    }
    for package in ["tyr-server", "tyr-agent", "tyrctl"] {
        let output = Command::new(tool("cargo-deb").expect("asked for before"))
            .args(["deb", "--no-build", "--no-strip", "--fast", "--offline", "--package", package])
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .env("CARGO_TARGET_DIR", &target)
            .output()
            .expect("cargo-deb starts");
        text(&output).unwrap_or_else(|error| panic!("{package}: {error}"));
    }
    target.join("debian")
}

#[test]
fn packages_install_run_and_purge_without_a_trace() {
    let (Some(_), Some(root)) = (tool("cargo-deb"), tool("debian-root")) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let debs = build(folder.path());
    let work = folder.path().join("work");
    fs::create_dir(&work).expect("a folder");
    let inside = folder.path().join("inside.sh");
    fs::write(&inside, INSIDE).expect("a script");
    let cgroup = Cgroup::new().expect("a cgroup");
    let output = Command::new("unshare")
        .args(["--mount", "--net", "--fork", "--kill-child", "bash", "-c", OUTSIDE])
        .env("ROOT", root)
        .env("WORK", &work)
        .env("DEBS", &debs)
        .env("INSIDE", &inside)
        .env("CGROUP", cgroup.path())
        .output()
        .expect("unshare starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.ends_with("installed, run and purged\n"),
        "{}\n{said}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn packages_say_what_they_need() {
    let Some(_) = tool("cargo-deb") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let debs = build(folder.path());
    let field = |package: &str, field: &str| {
        let deb = fs::read_dir(&debs).expect("packages").flatten().map(|entry| entry.path());
        let deb = deb.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(package)));
        let output = Command::new("dpkg-deb").arg("-f").args(deb).arg(field).output().expect("dpkg-deb starts");
        text(&output).expect("a field").trim().to_owned()
    };
    assert!(field("tyr-server_", "Depends").contains("postgresql | postgresql-client"));
    assert!(field("tyr-server_", "Depends").contains("adduser"));
    for package in ["tyr-server_", "tyr-agent_", "tyrctl_"] {
        assert!(field(package, "Depends").contains("libc6 (>="), "{package}");
        let description = field(package, "Description");
        assert!(description.lines().all(|line| line.len() <= 80), "{description}");
    }
}
