#!/bin/bash
# The how-tos of hub and station, typed into a bare Debian 12 with systemd as PID 1.
#
#   sudo tests/debian/trial.sh [--seed FOLDER] [--keep]
#
# --seed FOLDER   copied over the new root before its first boot: a mirror, a proxy, an authority, pip's settings
# --keep          leave the root where it is, for a look
#
# Needs root, debootstrap and systemd-nspawn. Shares the network of this machine, on which it takes one port of the
# loopback. Begins nothing new after half an hour, and ends and removes whatever it began. Exit code 0: all was as
# said.
set -euo pipefail

[ "$(id -u)" = 0 ] || { echo "trial: needs root" >&2; exit 2; }
for needed in debootstrap systemd-nspawn nsenter git; do
  command -v "$needed" >/dev/null || { echo "trial: $needed is not installed" >&2; exit 2; }
done
ENDS_S=1800 STEP_S=600  # after the first nothing new is begun; no step may take longer than the second
seed='' keep=''
while [ $# -gt 0 ]; do
  case "$1" in
    --seed) seed=$(realpath "$2"); shift 2 ;;
    --keep) keep=yes; shift ;;
    *) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
done

repository=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d /var/tmp/loa-trial.XXXXXX)
root=$work/root
port=$((20000 + RANDOM % 10000))
url=http://127.0.0.1:$port
box='' init='' failed=0

switch_off() {
  [ -n "$box" ] || return 0
  kill -TERM "$box" 2>/dev/null || true
  for _ in $(seq 60); do kill -0 "$box" 2>/dev/null || break; sleep 0.5; done
  kill -KILL "$box" 2>/dev/null || true
  wait "$box" 2>/dev/null || true
  box='' init=''
}
clean_up() {
  switch_off
  if [ -n "$keep" ]; then echo "the root is left in $root"; else rm -rf --one-file-system "$work"; fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

switch_on() {
  # adjtimex only reads here: nobody in the box has the right to set the clock of this machine.
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --directory="$root" --boot --register=no --keep-unit \
    --machine="$(basename "$work" | tr . -)" --resolv-conf=off --timezone=off --console=pipe \
    --drop-capability=CAP_SYS_TIME --system-call-filter="adjtimex clock_adjtime" \
    </dev/null >>"$work/console" 2>&1 &
  box=$!
  for _ in $(seq 60); do
    init=$(tr -d ' ' <"/proc/$box/task/$box/children" 2>/dev/null || true)
    # Only its own PID 1 may answer: before the box has its own namespaces, it would be this machine's.
    if [ -n "$init" ] && [ "$(readlink "/proc/$init/ns/pid")" != "$(readlink /proc/self/ns/pid)" ] \
      && [ "$(cat "/proc/$init/comm" 2>/dev/null)" = systemd ] \
      && inside systemctl is-system-running 2>/dev/null | grep -Eq 'running|degraded'; then return 0; fi
    sleep 0.5
  done
  echo "trial: systemd did not come up; it said:" >&2; tail -20 "$work/console" >&2; exit 1
}
inside() {
  timeout --foreground --kill-after=10 $STEP_S nsenter --target "$init" --all env -i HOME=/root TERM=dumb LANG=C.UTF-8 LOA_PASSWORD=trial-admin-1 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
type_in() { inside bash -euc "cd /root; $1"; }
step() { printf '%5d s  %s\n' "$SECONDS" "$1"; }
check() {  # check WHAT COMMAND: it has to succeed
  if [ $SECONDS -gt $ENDS_S ]; then step "BAD  out of time before: $1"; exit 1; fi
  if type_in "$2" >"$work/said" 2>&1; then step "ok   $1"; else step "BAD  $1"; sed 's/^/         /' "$work/said"; failed=1; fi
}
until_s() {  # until_s SECONDS COMMAND: waits until it succeeds
  local ends=$((SECONDS + $1))
  until type_in "$2" >/dev/null 2>&1; do [ $SECONDS -lt $ends ] || return 1; sleep 1; done
}
check_within() {
  if [ $SECONDS -gt $ENDS_S ]; then step "BAD  out of time before: $1"; exit 1; fi
  if until_s "$2" "$3"; then step "ok   $1"; else step "BAD  $1"; type_in "journalctl --no-pager -n 15" | sed 's/^/         /'; failed=1; fi
}

step "debootstrap"
timeout --foreground --kill-after=10 $STEP_S debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,python3,ca-certificates,sudo \
  bookworm "$root" >"$work/debootstrap.log" 2>&1 || { tail -5 "$work/debootstrap.log" >&2; exit 1; }
cp /etc/resolv.conf "$root/etc/resolv.conf"
echo "127.0.0.1 localhost $(hostname)" >"$root/etc/hosts"
[ -z "$seed" ] || cp -a "$seed/." "$root/"
mkdir -p "$root/root/loa"  # in the place of `git clone`: the tree as it is here
(cd "$repository" && git ls-files -z --cached --others --exclude-standard | tar --null --ignore-failed-read -cf - -T - 2>/dev/null) \
  | tar -C "$root/root/loa" -xf -
switch_on
step "a bare Debian 12 is up; PID 1 is $(type_in 'cat /proc/1/comm')"
type_in 'apt-get update -q' >/dev/null
began=$SECONDS

hub='sudo -u loa-hub --preserve-env=LOA_PASSWORD,LOA_NEW_PASSWORD /opt/loa-hub/current/bin/loa hub'
station='sudo -u loa /opt/loa/current/bin/loa node'
quiet=$(date -u -d '+19 hours' +%H)  # twelve hours from now, in Vietnam
check "the hub is installed" '
  sudo apt-get install --yes git python3-venv ffmpeg poppler-utils
  sudo useradd --system --home-dir /var/lib/loa-hub --no-create-home --shell /usr/sbin/nologin loa-hub
  sudo install -d -o loa-hub -g loa-hub -m 700 /var/lib/loa-hub
  sudo install -d /opt/loa-hub
  sudo python3 -m venv /opt/loa-hub/0.1.0
  sudo /opt/loa-hub/0.1.0/bin/pip install "./loa[hub]"
  sudo ln -sfn 0.1.0 /opt/loa-hub/current'
check "the hub is founded" "
  $hub init --dir /var/lib/loa-hub --province vn.yb --name 'Yên Bái'
  printf 'unit,name,kind\nvn.yb.04630,Tú Lệ,it\n' >/tmp/tram.csv
  $hub stations import --dir /var/lib/loa-hub /tmp/tram.csv
  export LOA_NEW_PASSWORD=trial-editor-1
  $hub account add --dir /var/lib/loa-hub --name 'Biên tập' --role editor bientap
  export LOA_NEW_PASSWORD=trial-approver-1
  $hub account add --dir /var/lib/loa-hub --name 'Lãnh đạo' --role approver lanhdao
  $hub quiet --dir /var/lib/loa-hub vn.yb $quiet:00 $quiet:01
  $hub token --dir /var/lib/loa-hub vn.yb.04630 | sed 's/.* //' >/root/token"
check "the hub is a service that is ready" "
  sudo sh -c '/opt/loa-hub/current/bin/loa hub unit --dir /var/lib/loa-hub --port $port >/etc/systemd/system/loa-hub.service'
  sudo systemctl daemon-reload
  sudo systemctl enable --now loa-hub"
step "     the hub took $((SECONDS - began)) s from the bare box"
began=$SECONDS
check "the station is installed" '
  sudo apt-get install --yes git python3-venv mpv espeak-ng alsa-utils poppler-utils
  sudo useradd --system --home-dir /var/lib/loa --no-create-home --shell /usr/sbin/nologin --groups audio loa
  sudo install -d -o loa -g loa -m 700 /var/lib/loa
  sudo install -d /opt/loa
  sudo python3 -m venv /opt/loa/0.1.0
  sudo /opt/loa/0.1.0/bin/pip install "./loa[node]"
  sudo ln -sfn 0.1.0 /opt/loa/current'
check "root is refused in the station's folder" "
  ! /opt/loa/current/bin/loa node init --dir /var/lib/loa --hub $url --token \$(cat token) && [ ! -e /var/lib/loa/station.key ]"
check "the station is enrolled" "$station init --dir /var/lib/loa --hub $url --token \$(cat token)"
# A battery clock is played: a box in a container has none, and without one the last check would wait for the hub.
check "the station is a service that is ready" "
  sudo sh -c '/opt/loa/current/bin/loa node unit --dir /var/lib/loa --ao null >/etc/systemd/system/loa.service'
  mkdir -p /srv/rtc0 /etc/systemd/system/loa.service.d
  printf '[Service]\nTemporaryFileSystem=/sys/class\nBindReadOnlyPaths=/srv/rtc0:/sys/class/rtc/rtc0\n' \
    >/etc/systemd/system/loa.service.d/battery.conf
  sudo systemctl daemon-reload
  sudo systemctl enable --now loa"
step "     the station took $((SECONDS - began)) s from the bare box"

playing='systemctl status loa --no-pager | grep -q "Status:.*playing"'
plan() { type_in "/opt/loa/current/bin/python loa/tests/debian/office.py $url $1 $2" >/dev/null && type_in 'systemctl restart loa'; }
for unit in loa loa-hub; do
  check "systemd takes $unit.service without a word" "[ -z \"\$(systemd-analyze verify $unit.service 2>&1)\" ]"
  step "     $(type_in "systemd-analyze security --no-pager $unit | tail -1")"
done
plan 15 110
check_within "the station plays what was approved" 120 "$playing"
type_in 'kill -9 $(systemctl show -P MainPID loa)'
check_within "after kill -9 it is there again" 30 'systemctl is-active loa'
check "the folder is whole" "$station doctor --dir /var/lib/loa"
check "the service leaves nothing in its folder that is not a station's" '[ ! -e /var/lib/loa/.config ]'
for unit in loa loa-hub; do type_in "systemctl show -P MainPID $unit >$unit.pid; kill -STOP \$(cat $unit.pid)"; done
for unit in loa loa-hub; do
  check_within "the watchdog ends a $unit that hangs, and starts it anew" 240 \
    "journalctl -u $unit --no-pager | grep -q 'Watchdog timeout' && systemctl is-active $unit && [ \$(systemctl show -P MainPID $unit) != \$(cat $unit.pid) ]"
done
until_s 30 'systemctl is-active loa-hub' || true
plan 45 120
until_s 60 "[ \$(sudo -u loa sh -c 'ls /var/lib/loa/blobs/*/* | wc -l') -ge 6 ]" || true
type_in 'systemctl disable --now loa-hub' >/dev/null 2>&1
switch_off
step "     power off; the hub stays away"
switch_on
check_within "it boots and plays without a hub" 120 "$playing"
check "the uninstall leaves nothing" '
  sudo systemctl disable --now loa
  sudo rm -r /etc/systemd/system/loa.service /opt/loa /var/lib/loa
  sudo systemctl daemon-reload
  sudo userdel loa
  ! systemctl cat loa 2>/dev/null | grep -q ExecStart'
if [ $failed = 0 ]; then step "all was as the how-tos say"; else step "something was not as the how-tos say"; fi
exit $failed
