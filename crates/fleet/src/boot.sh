#!/bin/bash
# boot.sh HOST NETNS CGROUP DIR LOWER CMD...
# Runs CMD as process 1 of a host whose disk is an overlay of DIR/up over LOWER, and runs it again
# whenever the host reboots itself. Appends each exit status to DIR/exits (129 rebooted, 130 powered off).
set -euo pipefail
host=$1 netns=$2 cg=$3 dir=$4 lower=$5
shift 5
# The supervisor stays out of the group the host sees as its root: systemd wants that one for itself.
mkdir -p "$cg/outer" "$cg/root"
echo 0 >"$cg/outer/cgroup.procs"
for _ in $(seq 1 20); do
  rm -rf "$dir/wk/work/incompat" # left by a killed "volatile" mount; a later mount is refused until it is gone
  rc=0
  nsenter --net="/run/netns/$netns" unshare --mount --pid --uts --ipc --fork \
    --kill-child=SIGKILL --propagation private bash -euc '
      cg=$1; shift
      echo 0 >"$cg/root/cgroup.procs"
      exec unshare --cgroup bash -euc "$@"' _ "$cg" '
      host=$1 lower=$2 dir=$3; shift 3; r=$dir/mnt
      mount -t overlay overlay -o "lowerdir=$lower,upperdir=$dir/up,workdir=$dir/wk,volatile" "$r"
      hostname "$host"; echo "$host" >"$r/etc/hostname"; echo "127.0.0.1 localhost $host" >"$r/etc/hosts"
      mount -t proc proc "$r/proc"
      # The kernel gives every namespace the boot id of the machine; a host gets a fresh one per boot.
      cat /proc/sys/kernel/random/uuid >"$dir/boot_id"
      mount --bind "$dir/boot_id" "$r/proc/sys/kernel/random/boot_id"
      mount -t sysfs -o ro sysfs "$r/sys"
      mount -t cgroup2 cgroup2 "$r/sys/fs/cgroup"
      mount -t tmpfs -o mode=755,size=1m tmpfs "$r/dev"
      for x in null zero full random urandom tty; do touch "$r/dev/$x"; mount --bind "/dev/$x" "$r/dev/$x"; done
      ln -s /proc/self/fd "$r/dev/fd"; mkdir "$r/dev/pts" "$r/dev/shm"
      mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$r/dev/pts"; ln -s pts/ptmx "$r/dev/ptmx"
      mount -t tmpfs -o mode=1777 tmpfs "$r/dev/shm"
      mount -t tmpfs -o mode=755,size=64m tmpfs "$r/run"; mkdir "$r/run/lock"
      mkdir -p "$r/.old"; cd "$r"; pivot_root . .old
      exec chroot . /bin/sh -c "umount -l /.old; rmdir /.old; : >/run/tenon-fleet-booted; exec env -i container=lab TERM=dumb \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \"\$@\"" sh "$@"
    ' _ "$host" "$lower" "$dir" "$@" &
  echo $! >"$dir/pid"
  wait $! || rc=$?
  rm -f "$dir/pid"
  echo "$rc" >>"$dir/exits"
  [ "$rc" = 129 ] || break
done
