#!/bin/bash
# Makes build/firefly-VERSION-linux-x86_64.tar.xz, which runs where it is unpacked: bin, the libraries whose versions
# differ between distributions, manual page, completions, the licences of what is inside, and needs.txt: what the system
# must still have.
set -euo pipefail
umask 022
cd "$(dirname "$0")/.."

name=firefly-$(cat Sources/CLI/VERSION)-linux-$(uname -m)
program=$(packaging/build.sh portable)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
to=$work/$name
install -d "$to/lib/firefly"
libraries=$(ldd "$program" | sed -n 's/^[[:space:]]*lib\(dnnl\|edit\|microhttpd\)\.so[^ ]* => \([^ ]*\).*/\2/p')
cp -L $libraries "$to/lib/firefly"
packaging/stage.sh "$program" "$to"

# Debian keeps each library's licence with its package; Swift's lies in the toolchain.
install -d "$to/share/doc/firefly/licences"
for library in $libraries; do
  real=$(readlink -f "$library")
  package=$(dpkg-query -S "*${real#/usr}" | sed 's/:.*//;q')
  install -m 644 "/usr/share/doc/$package/copyright" "$to/share/doc/firefly/licences/$package"
done
swift=$(dirname "$(readlink -f "$(command -v swift)")")/../share/swift/LICENSE.txt
[ ! -e "$swift" ] || install -m 644 "$swift" "$to/share/doc/firefly/licences/swift"

. /etc/os-release
{
  echo "What the program needs of the system, with the packages of $PRETTY_NAME:"
  packaging/needs.sh "$to/bin/firefly"
} | tee "$to/share/doc/firefly/needs.txt"

mkdir -p build
# The same bytes from the same commit: names in order, nobody's, with the commit's time.
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct 2>/dev/null || echo 0)" \
  -cf - "$name" | xz -T0 -6 >"build/$name.tar.xz.part"
mv "build/$name.tar.xz.part" "build/$name.tar.xz"
ls -l "build/$name.tar.xz"
