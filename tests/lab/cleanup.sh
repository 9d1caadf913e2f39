#!/bin/sh
# Takes away everything one lab host has put on the machine: processes, mounts, cgroups, network, files.
# Safe to run twice, and when the number has been given to another host since (the token tells).
# usage: cleanup.sh LEASE_FOLDER TOKEN
lease=$1
token=$2
base=${lease%/*/*}
number=${lease##*/}
# Its guard and another suite may come at once: one that is late would take away the next host of this number.
command exec 8<"$lease" 2>/dev/null || exit 0
flock 8
[ "$(cat "$lease/token" 2>/dev/null)" = "$token" ] || exit 0

# same PID START: is it still the process that was started then?
same() {
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  start=$2
  set -- ${stat##*) }
  [ "$start" = "${20}" ] && [ "$1" != Z ]
}

# With its first process all processes of a host end, then by itself what launched it (systemd-nspawn, unshare).
if read -r pid start 2>/dev/null <"$lease/launcher"; then
  if same "$pid" "$start"; then
    for child in $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do kill -KILL "$child" 2>/dev/null; done
    tries=0
    while same "$pid" "$start" && [ $tries -lt 600 ]; do sleep 0.1; tries=$((tries + 1)); done
    same "$pid" "$start" && kill -KILL "$pid"
  fi
fi

work=$(cat "$lease/work" 2>/dev/null)
if [ -n "$work" ]; then
  for mounted in "$work/root" "$work/disk"; do
    while mountpoint -q "$mounted"; do umount "$mounted" 2>/dev/null || umount -l "$mounted" || break; done
  done
fi
ip link del "infralab$number" 2>/dev/null
ip netns del "infra-lab-$number" 2>/dev/null
for tree in /sys/fs/cgroup /sys/fs/cgroup/*; do # version 2, version 1
  # A cgroup stays busy until the last of its processes has ended.
  tries=0
  while [ -d "$tree/infra-lab-$number" ] && [ $tries -lt 600 ]; do
    find "$tree/infra-lab-$number" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.1
    tries=$((tries + 1))
  done
done
rmdir "/run/systemd/nspawn/propagate/infra-lab-$number" 2>/dev/null
[ -n "$work" ] && rm -rf --one-file-system "$work"

# The last one turns off the light.
(
  flock 9
  [ "$(cat "$lease/token" 2>/dev/null)" = "$token" ] && rm -rf "$lease"
  if ! ls "$base/hosts" | grep -q '^[0-9]'; then
    iptables-save -t filter | sed -n 's/^-A \(.*infra-lab.*\)$/\1/p' | while read -r rule; do
      eval "iptables -w -D $rule"
    done
    iptables-save -t nat | sed -n 's/^-A \(.*infra-lab.*\)$/\1/p' | while read -r rule; do
      eval "iptables -w -t nat -D $rule"
    done
    [ -f "$base/ip_forward" ] && cat "$base/ip_forward" >/proc/sys/net/ipv4/ip_forward
    rm -f "$base/ip_forward"
  fi
) 9>"$base/lock"
exit 0
