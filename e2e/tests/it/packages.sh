# Runs as root of the fresh system; see packages.rs.
set -euo pipefail
# Everything that packages own, and everything that they or their programs may leave.
listing() { find / -xdev \( -path /proc -o -path /dev -o -path /sys -o -path /host -o -path /debs -o -path /tmp -o -path /var/log -o -path /root \
    -o -path /var/lib/dpkg -o -path /var/cache -o -path /var/backups -o -path /run \) -prune -o -print | grep -v -e '-$' | sort; }
fail() { echo "FAILED: $*"; exit 1; }
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
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
# Loaders: what they load comes from the program that is installed.
bash -c 'source /usr/share/bash-completion/completions/tyrctl && complete -p tyrctl'
grep -q 'COMPLETE=zsh tyrctl' /usr/share/zsh/vendor-completions/_tyrctl || fail "zsh completions"
grep -q 'COMPLETE=fish tyrctl' /usr/share/fish/vendor_completions.d/tyrctl.fish || fail "fish completions"
for shell in bash zsh fish; do [ -n "$(COMPLETE=$shell tyrctl)" ] || fail "$shell completions"; done
for unit in tyr-server tyr-agent; do
    [ -s /usr/lib/systemd/system/$unit.service ] || fail "no unit $unit"
    [ -L /etc/systemd/system/multi-user.target.wants/$unit.service ] || fail "$unit is not enabled"
done
# The units as they are installed: their settings are known and their programs are there.
libraries=$(find /host/lib -maxdepth 3 -name 'libsystemd-shared-*.so' -printf '%h' -quit)
verify() {
    SYSTEMD_UNIT_PATH=/usr/lib/systemd/system:/host/lib/systemd/system "${libraries%/systemd}"/ld-linux-*.so.* \
        --library-path "${libraries%/systemd}:$libraries" /host/bin/systemd-analyze verify --man=no "$@" 2>&1
}
said=$(verify /usr/lib/systemd/system/tyr-{server,agent}.service) || fail "systemd-analyze verify: $said"
grep -q tyr- <<<"$said" && fail "systemd-analyze verify: $said"
sed 's|/usr/bin/tyrd|/usr/bin/missing|' /usr/lib/systemd/system/tyr-agent.service >/tmp/tyr-agent.service
said=$(verify /tmp/tyr-agent.service) && fail "a unit without its program passes: $said"

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

# The agent enrolls and reports, with the configuration of its package. Its scope is this test's cgroup.
cp /var/lib/tyr/ca.pem /tmp/ca.pem
token=$(tyrctl token create --label packaged -o json | sed -n 's/.*"token": *"\([^"]*\)".*/\1/p')
cat >>/etc/tyr/tyrd.yaml <<YAML
server: https://localhost:7700
ca_file: /tmp/ca.pem
enrollment_token: $token
name: packaged
scope: {cgroup: $CGROUP}
allow_events: all
YAML
(exec tyrd serve) 2>/tmp/tyrd.log & agent=$!
reported() { tyrctl events list --agent packaged --kind exec -o json 2>/dev/null | grep -q '/usr/bin/cat"'; }
for _ in $(seq 300); do grep -q 'policy loaded' /tmp/tyrd.log && break; kill -0 $agent 2>/dev/null || break; sleep 0.1; done
grep -q 'enrollment succeeded' /tmp/tyrd.log || { cat /tmp/tyrd.log; fail "the agent does not enroll"; }
grep -q '^enrollment_token: .*tyr_et_' /etc/tyr/tyrd.yaml && fail "the used token is still in tyrd.yaml"
(echo 0 >"$CGROUP/cgroup.procs" && exec tyrd run --type claude-code -- /usr/bin/cat /etc/hostname)
for _ in $(seq 300); do reported && break; sleep 0.1; done
reported || { cat /tmp/tyrd.log; tyrctl events list; fail "the agent does not report"; }

# docs/troubleshooting.md: what needs neither systemd nor a terminal.
tried=0
while IFS= read -r command; do
    case "$command" in
        journalctl* | systemctl* | 'tyrctl login' | ss*) continue ;;
    esac
    bash -c "${command/NAME/packaged}" </dev/null >/tmp/said 2>&1 || fail "$command: $(cat /tmp/said)"
    tried=$((tried + 1))
done < <(zcat -f /usr/share/doc/tyr-server/troubleshooting.md* | awk -F ' [|] ' '/^[|] / { print $2 }' | grep -o '`[^`]*`' | tr -d '`' | sort -u)
[ $tried -ge 11 ] || fail "only $tried commands of troubleshooting.md were found"
kill $agent
wait $agent || { cat /tmp/tyrd.log; fail "the agent ended with $?"; }

# docs/backup.md, as it is shipped, command by command. Root looks after a service that runs as somebody else.
documented() { zcat -f /usr/share/doc/tyr-server/backup.md* | awk -v want="$1" \
    '/^    / { if (!inside) n++; inside = 1; if (n == want) print substr($0, 5); next } { inside = 0 }' | sed "s/tyr-2026-11-22/tyr-$(date +%F)/"; }
systemctl() {
    case "$*" in
        # The machine is lost.
        'stop tyr-server') stop; find /var/lib/tyr -mindepth 1 -delete ;;
        'start tyr-server')
            [ -z "$(find /var/lib/tyr ! -user tyr)" ] || fail "not the service's own: $(find /var/lib/tyr ! -user tyr)"
            start ;;
        *) fail "systemctl $*" ;;
    esac
}
archive=/var/backups/tyr-$(date +%F).tar
nightly=$(zcat -f /usr/share/doc/tyr-server/backup.md* | grep -o '`0 3 [^`]*`' | tr -d '`' | cut -d' ' -f7- | sed 's/\\%/%/')
for commands in "$(documented 1)" "$(documented 2)" "$nightly"; do
    rm -f "$archive"
    eval "$commands"
    [ "$(stat -c %a "$archive")" = 600 ] || fail "no backup by: $commands"
done
tar -xOf "$archive" database.dump | pg_restore --list >/tmp/said
grep -q 'TABLE DATA public users' /tmp/said || fail "pg_restore --list"
eval "$(documented 3)"
rm "$archive"
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
