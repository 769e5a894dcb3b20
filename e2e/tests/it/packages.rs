//! The Debian packages, installed, run and purged in a root of their own: nothing is left.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tyr_e2e::stack::text;
use tyr_e2e::{binary, tool};

/// What runs as root of the fresh system, in namespaces of its own: no other process, no network but its own loopback.
const OUTSIDE: &str = r#"
set -eu
ip link set lo up
mount -t tmpfs tmpfs "$WORK"
mkdir "$WORK/upper" "$WORK/work" "$WORK/root"
mount -t overlay overlay -o "lowerdir=$ROOT,upperdir=$WORK/upper,workdir=$WORK/work" "$WORK/root"
mount -t proc proc "$WORK/root/proc"
mount --rbind /dev "$WORK/root/dev"
mkdir "$WORK/root/debs"
cp "$DEBS"/*.deb "$WORK/root/debs/"
cp "$INSIDE" "$WORK/root/debs/inside.sh"
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive HOME=/root \
    chroot "$WORK/root" bash /debs/inside.sh
"#;

const INSIDE: &str = r#"
set -euo pipefail
# Everything that packages own, and everything that they or their programs may leave.
listing() { find / -xdev \( -path /proc -o -path /dev -o -path /debs -o -path /tmp -o -path /var/log -o -path /root \
    -o -path /var/lib/dpkg -o -path /var/cache -o -path /var/backups -o -path /run \) -prune -o -print | grep -v -e '-$' | sort; }
fail() { echo "FAILED: $*"; exit 1; }
listing >/tmp/before
for deb in /debs/*.deb; do dpkg-deb -f "$deb" Package; done
dpkg -i /debs/*.deb
dpkg --audit
for p in tyr-server tyr-agent tyrctl; do [ -z "$(dpkg -V $p)" ] || fail "dpkg -V $p: $(dpkg -V $p)"; done
for b in tyr-server tyrd tyrctl; do $b --version; ldd "$(command -v $b)" | grep -q 'not found' && fail "$b lacks a library"; done
[ "$(stat -c '%a %U' /etc/tyr/tyrd.yaml /etc/tyr/server.env)" = $'600 root\n600 root' ] || fail "modes in /etc/tyr"
[ "$(stat -c '%a %U %G' /var/lib/tyr)" = '700 tyr tyr' ] || fail "/var/lib/tyr"
for f in man8/tyr-server.8 man8/tyr-server-backup.8 man8/tyrd.8 man1/tyrctl.1 man1/tyrctl-policy-apply.1; do
    gzip -t /usr/share/man/$f.gz; done
bash -c 'source /usr/share/bash-completion/completions/tyrctl && complete -p tyrctl'
[ -s /usr/share/zsh/vendor-completions/_tyrctl ] && [ -s /usr/share/fish/vendor_completions.d/tyrctl.fish ] || fail completions
for unit in tyr-server tyr-agent; do
    [ -s /usr/lib/systemd/system/$unit.service ] || fail "no unit $unit"
    [ -L /etc/systemd/system/multi-user.target.wants/$unit.service ] || fail "$unit is not enabled"
done
# As shipped it says what is missing.
{ tyrd serve 2>&1 || true; } | grep '^hint: ' || fail "tyrd with the configuration as shipped"

# The server, as its unit runs it: its own user, no capability, no new privileges.
server() { exec setpriv --reuid=tyr --regid=tyr --clear-groups --bounding-set=-all --no-new-privs env TYR_DATA_DIR=/var/lib/tyr tyr-server serve; }
start() {
    (server) 2>/tmp/server.log & pid=$!
    for _ in $(seq 300); do tyrctl health >/dev/null 2>&1 && return; kill -0 $pid 2>/dev/null || break; sleep 0.1; done
    cat /tmp/server.log; fail "the server does not come up"
}
stop() { kill $pid; wait $pid || { cat /tmp/server.log; fail "the server ended with $?"; }; }
export TYR_SERVER=https://localhost:7701 TYR_CA_FILE=/var/lib/tyr/ca.pem
start
echo 'correct horse battery staple' | tyrctl setup --username admin --password-stdin
tyrctl policy apply -f /usr/share/doc/tyr-server/examples/policies/default-policy.yaml --yes
# Root looks after a service that runs as somebody else.
tyr-server backup /root/tyr.tar
stop
tyr-server restore /root/tyr.tar --force
[ -z "$(find /var/lib/tyr ! -user tyr)" ] || fail "not the service's own: $(find /var/lib/tyr ! -user tyr)"
start
[ "$(tyrctl policy list -o json | grep -c '"version"')" = 1 ] || fail "the policy is gone"

# An upgrade keeps what was set and what was stored.
echo 'TYR_RETENTION_DAYS=14' >>/etc/tyr/server.env
dpkg -i /debs/tyr-server_*.deb
grep -q '^TYR_RETENTION_DAYS=14$' /etc/tyr/server.env || fail "an upgrade changed server.env"
stop

dpkg --remove tyr-server tyr-agent tyrctl
[ -s /var/lib/tyr/ca.key ] && [ -s /etc/tyr/server.env ] || fail "remove took data or settings"
dpkg --purge tyr-server tyr-agent tyrctl
getent passwd tyr && fail "the user is left"
listing >/tmp/after
diff /tmp/before /tmp/after || fail "the purge left something, or took too much"
echo 'installed, run and purged'
"#;

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
    let output = Command::new("unshare")
        .args(["--mount", "--pid", "--net", "--fork", "--kill-child", "bash", "-c", OUTSIDE])
        .env("ROOT", root)
        .env("WORK", &work)
        .env("DEBS", &debs)
        .env("INSIDE", &inside)
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
