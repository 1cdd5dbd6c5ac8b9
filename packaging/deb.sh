#!/bin/bash
# Makes build/firefly_VERSION-1_ARCH.deb for the Debian or Ubuntu that this runs on: its libraries are what the package depends on.
#
# DEBFULLNAME and DEBEMAIL name who makes it, as in Debian's own tools; without them it has an address that is nobody's.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(cat Sources/CLI/VERSION)-1
arch=$(dpkg --print-architecture)
maintainer="${DEBFULLNAME:-Firefly} <${DEBEMAIL:-firefly@firefly.invalid}>"
program=$(packaging/build.sh shared)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022
root=$work/root
packaging/stage.sh "$program" "$root/usr"

# As Debian has it: the licence by reference, changelogs compressed, zsh's functions in vendor-completions.
doc=$root/usr/share/doc/firefly
rm "$doc/LICENSE"
install -m 644 packaging/debian/copyright "$doc/copyright"
mv "$doc/CHANGELOG.md" "$doc/changelog"
printf 'firefly (%s) unstable; urgency=medium\n\n  * Packaged; changelog.gz says what is new.\n\n -- %s  %s\n' \
  "$version" "$maintainer" "$(date -R -u -d "@$(git log -1 --format=%ct 2>/dev/null || date +%s)")" >"$doc/changelog.Debian"
gzip -9n "$doc/changelog" "$doc/changelog.Debian"
install -d "$root/usr/share/zsh/vendor-completions"
mv "$root/usr/share/zsh/site-functions/_firefly" "$root/usr/share/zsh/vendor-completions"
rmdir "$root/usr/share/zsh/site-functions"

# dpkg-shlibdeps wants a source package's file.
mkdir -p "$work/debian" "$root/DEBIAN"
printf 'Source: firefly\n\nPackage: firefly\nArchitecture: %s\n' "$arch" >"$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O --ignore-missing-info root/usr/bin/firefly 2>/dev/null \
  | sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || { echo "deb: dpkg-shlibdeps found no dependencies" >&2; exit 1; }
cat >"$root/DEBIAN/control" <<END
Package: firefly
Version: $version
Architecture: $arch
Maintainer: $maintainer
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f 1)
Depends: $depends
Section: science
Priority: optional
Description: fine-tune pretrained language models on conversations, and use them
 Firefly turns a pretrained language model and a file of conversations into a
 chat model, with QLoRA and DPO, on the processor or an NVIDIA card. It reads
 Hugging Face folders, GGUF and bitsandbytes 4-bit files, runs the original
 Firefly's configuration files, and writes what transformers, PEFT and
 llama.cpp read. It chats, serves OpenAI's HTTP interface and evaluates.
END
(cd "$root" && find usr -type f | LC_ALL=C sort | xargs md5sum >DEBIAN/md5sums)

mkdir -p build
file=build/firefly_${version}_$arch.deb
dpkg-deb --root-owner-group -Zxz --build "$root" "$file" >&2
echo "$file"
