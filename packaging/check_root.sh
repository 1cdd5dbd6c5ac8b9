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
if [ -n "$root" ]; then
  trap 'umount "$root/proc"' EXIT
else
  root=$(mktemp -d)
  chmod 755 "$root" # apt and man have users of their own inside
  trap 'umount "$root/proc" 2>/dev/null || true; rm -rf --one-file-system "$root"' EXIT
  debootstrap --variant=minbase "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root" >/dev/null
fi
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
cp /etc/resolv.conf "$root/etc/"
rm -rf "$root/tmp/model"
cp -rL "$model" "$root/tmp/model"
cp "$deb" "$tarball" "$root/tmp"
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"; }
apt() { inside apt-get -qq -y -o Dpkg::Use-Pty=0 "$@" >/dev/null; }

try() { # PROGRAM: what a newcomer does first
  inside "$1" --version
  inside "$1" env
  inside "$1" generate /tmp/model --prompt 'Tom has 3 apples.' --greedy --max-new-tokens 8 --precision float32
  # In the chroot's own shell, so that the server is its child and ends with it.
  inside sh -c '
    rm -f /tmp/serve.log
    "$1" serve /tmp/model --port 8642 2>/tmp/serve.log & server=$!
    for i in $(seq 100); do grep -qs listening /tmp/serve.log && break; sleep 0.1; done
    health=$(bash -c "exec 3<>/dev/tcp/127.0.0.1/8642; printf \"GET /health HTTP/1.0\r\n\r\n\" >&3; tail -n 1 <&3")
    kill $server; wait $server; ended=$?
    echo "/health: $health, and serve ended with $ended"
    [ "$health" = "{\"status\": \"ok\"}" ] && [ $ended = 0 ]' sh "$1"
}

echo "== the tarball, before anything is installed"
inside tar -C /opt -xf "/tmp/$(basename "$tarball")" 2>/dev/null \
  || { apt update; apt install --no-install-recommends xz-utils; inside tar -C /opt -xf "/tmp/$(basename "$tarball")"; }
unpacked=/opt/$(basename "$tarball" .tar.xz)
inside sh -c "ldd $unpacked/bin/firefly | grep 'not found' || echo 'nothing is missing'"
apt update
# What the tarball says that it needs, and nothing else.
packages=$(awk 'NF == 2 { print $2 }' "$root$unpacked/share/doc/firefly/needs.txt" | sort -u)
echo "installing: "$packages
apt install --no-install-recommends $packages
try "$unpacked/bin/firefly"

echo "== the package"
inside rm -rf "$unpacked"
apt install --no-install-recommends "/tmp/$(basename "$deb")"
inside dpkg -s firefly | sed -n 's/^Depends/depends/p;s/^Version/version/p'
try firefly
apt install --no-install-recommends man-db bash-completion
inside sh -c 'man firefly | sed -n 1,6p'
# As a shell of a user's does when Tab is pressed the first time.
inside bash -ec '. /usr/share/bash-completion/bash_completion; _completion_loader firefly || [ $? = 124 ]; complete -p firefly'
apt remove firefly
inside sh -c '! command -v firefly && echo "removed"'
