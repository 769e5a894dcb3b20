#!/usr/bin/env bash
# What `./dev demo` runs as a governed AI process: it reads, writes, starts programs and connects, harmlessly, once a second
# until it is told to stop. The two refused addresses never get a packet: the kernel says EPERM first.
set -u
work=$1
mkdir -p "$work/project/src"
cd "$work/project" || exit 1
printf 'API_KEY=not-a-real-key\n' >.env
printf 'fn main() {}\n' >src/main.rs

round=0
while :; do
  round=$((round + 1))
  cat src/main.rs >/dev/null
  printf '// round %d\n' "$round" >>src/main.rs
  ls -l src >/dev/null
  grep -c round src/main.rs >/dev/null
  [ $((round % 3)) -ne 1 ] || cat .env >/dev/null
  [ $((round % 2)) -ne 1 ] || (exec 3<>/dev/tcp/203.0.113.7/443) 2>/dev/null
  [ $((round % 5)) -ne 1 ] || (exec 3<>/dev/tcp/169.254.169.254/80) 2>/dev/null
  (exec 3<>/dev/tcp/127.0.0.1/9) 2>/dev/null
  sleep 1
done
