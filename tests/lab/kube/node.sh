# The first process of a lab node: gives its mount namespace places of its own, says so, and reaps what is orphaned.
# usage: node.sh WORK CGROUP
set -e
work=$1
# Mounts go from the node to its pods, and never to the machine: the namespace was made private before.
mount --make-rshared /
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/netns /run/lock
for place in var/lib var/log tmp; do
  mkdir -p "$work/$place"
  mount --bind "$work/$place" "/$place"
done
chmod 1777 /tmp

# The kubelet sets these for the whole machine; the node has files instead, which say that it is done already.
while read -r name value; do
  [ -f "/proc/sys/$name" ] || continue
  file=$work/sysctl/$name
  mkdir -p "${file%/*}"
  echo "$value" >"$file"
  mount --bind "$file" "/proc/sys/$name"
done <<end
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
end

# As many processors as a node of the default size has, so that a roll-out finds the room that it has there. What a
# pod may run on are the machine's own, so each of these is told as often as it takes: cpu00 is processor 0 once more.
topology=$work/topology/node0
mkdir -p "$topology"
cp -r /sys/devices/system/node/node0/hugepages "$topology" 2>/dev/null || true
cp /sys/devices/system/node/node0/meminfo /sys/devices/system/node/node0/distance "$topology"
count=0
zeros=
while [ "$count" -lt 4 ]; do
  for real in /sys/devices/system/cpu/cpu[0-9]*; do
    [ "$count" -lt 4 ] || break
    number=${real##*/cpu}
    one=$topology/cpu$zeros$number/topology
    mkdir -p "$one"
    echo "$count" >"$one/core_id"
    echo 0 >"$one/physical_package_id"
    count=$((count + 1))
  done
  zeros=0$zeros
done
mount --bind "$work/topology" /sys/devices/system/node

# A cgroup of its own in each hierarchy, so that nodes side by side keep their pods apart. Of version 2 there is one.
trees='/sys/fs/cgroup/*'
[ -f /sys/fs/cgroup/cgroup.procs ] && trees=/sys/fs/cgroup
for tree in $trees; do
  [ -f "$tree/cgroup.procs" ] || continue
  mkdir -p "$tree/$2"
  if [ -f "$tree/cgroup.controllers" ]; then
    for controller in $(cat "$tree/cgroup.controllers"); do
      echo "+$controller" >"$tree/cgroup.subtree_control" || true
      echo "+$controller" >"$tree/$2/cgroup.subtree_control" || true
    done 2>/dev/null
  elif [ -f "$tree/cpuset.cpus" ]; then
    cat "$tree/cpuset.cpus" >"$tree/$2/cpuset.cpus"
    cat "$tree/cpuset.mems" >"$tree/$2/cpuset.mems"
  fi
done
echo ready
exec >/dev/null
sleep infinity &
while :; do wait; done
