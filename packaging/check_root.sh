#!/bin/bash
# Tries the package and the tarball on a Debian with nothing but its base, which it makes in a folder and removes again; needs root
# and debootstrap.
#
#   packaging/check_root.sh build/firefly_VERSION_ARCH.deb build/firefly-VERSION-linux-ARCH.tar.xz MODEL
#
# MODEL is the folder of a small one. FOLDER names where the root is made, or already is (debootstrap's, kept afterwards).
set -euo pipefail
deb=$(readlink -f "$1") tarball=$(readlink -f "$2") model=$(readlink -f "$3")
root=${FOLDER:-}
if [ -z "$root" ]; then
  root=$(mktemp -d)
  trap 'umount "$root/proc" 2>/dev/null || true; rm -rf --one-file-system "$root"' EXIT
  debootstrap --variant=minbase "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root" >/dev/null
fi
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
cp /etc/resolv.conf "$root/etc/"
cp -rL "$model" "$root/tmp/model"
cp "$deb" "$tarball" "$root/tmp"
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"; }

try() { # PROGRAM: what a newcomer does first
  inside "$1" --version
  inside "$1" env
  inside "$1" generate /tmp/model --prompt 'Tom has 3 apples.' --greedy --max-new-tokens 8 --precision float32
  # In the chroot's own shell, so that the server is its child and ends with it.
  inside sh -c '
    "$1" serve /tmp/model --port 8642 2>/tmp/serve.log & server=$!
    for i in $(seq 100); do grep -q listening /tmp/serve.log && break; sleep 0.1; done
    echo "/health: $(bash -c "exec 3<>/dev/tcp/127.0.0.1/8642; printf \"GET /health HTTP/1.0\r\n\r\n\" >&3; tail -n 1 <&3")"
    kill $server; wait $server; echo "serve ended with $?"' sh "$1"
}

echo "== the tarball, before anything is installed"
inside tar -C /opt -xf "/tmp/$(basename "$tarball")" 2>/dev/null \
  || { inside apt-get -qq update; inside apt-get -qq install -y --no-install-recommends xz-utils >/dev/null; inside tar -C /opt -xf "/tmp/$(basename "$tarball")"; }
unpacked=/opt/$(basename "$tarball" .tar.xz)
inside sh -c "ldd $unpacked/bin/firefly | grep 'not found' || echo 'nothing is missing'"
inside apt-get -qq update
# The libraries that needs.sh names, and no others.
packages=$("$(dirname "$0")/needs.sh" "$root$unpacked/bin/firefly" | awk '$2 ~ /^lib/ { print $2 }' | sort -u)
echo "installing: "$packages
inside apt-get -qq install -y --no-install-recommends $packages >/dev/null
try "$unpacked/bin/firefly"

echo "== the package"
inside rm -rf "$unpacked"
inside apt-get -qq install -y --no-install-recommends "/tmp/$(basename "$deb")" >/dev/null
inside dpkg -s firefly | sed -n 's/^Depends/depends/p;s/^Version/version/p'
try firefly
inside apt-get -qq install -y --no-install-recommends man-db >/dev/null
inside sh -c 'man -w firefly; man firefly | sed -n 1,6p'
inside apt-get -qq remove -y firefly >/dev/null
inside sh -c '! command -v firefly && echo "removed"'
umount "$root/proc"
