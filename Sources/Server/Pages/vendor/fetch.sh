#!/bin/bash
# Makes katex.js.gz and prism.js.gz again, from Debian's packages of the versions below. Needs apt's package lists of Debian 12.
set -euo pipefail
cd "$(dirname "$0")"
katex_version='0.16.4+~cs6.1.0-1'
prism_version='1.29.0+dfsg+~1.26.0-1'
# Each language after those that it is made from.
languages=(markup css clike javascript typescript bash c cpp csharp diff go java json kotlin python ruby rust sql swift toml yaml)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && apt-get download "libjs-katex=$katex_version" "node-prismjs=$prism_version")
for package in "$work"/*.deb; do dpkg -x "$package" "$work"; done

gzip -9 -n -c "$work/usr/share/javascript/katex/katex.js" > katex.js.gz
for name in core "${languages[@]}"; do
  cat "$work/usr/share/nodejs/prismjs/components/prism-$name.min.js"
  echo
done | gzip -9 -n -c > prism.js.gz
cp "$work/usr/share/doc/libjs-katex/copyright" katex.LICENSE
cp "$work/usr/share/doc/node-prismjs/copyright" prism.LICENSE
sha256sum -c SHA256SUMS
