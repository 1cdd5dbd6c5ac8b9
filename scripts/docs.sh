#!/bin/sh
# Makes the library's pages (DocC) from what is built, into build/docs; what leads nowhere is an error.
#
#   scripts/docs.sh FOLDER      FOLDER: `swift build --show-bin-path`
set -eu
cd "$(dirname "$0")/.."

graphs=$(mktemp -d)
trap 'rm -rf "$graphs"' EXIT
modules=$1
set -- -I "$modules/Modules" -target "$(swiftc -print-target-info | sed -n 's/.*"triple": "\([^"]*\)".*/\1/p' | head -n 1)"
for map in "$modules"/*.build/module.modulemap Sources/C/*/module.modulemap; do
  [ -f "$map" ] && set -- "$@" -Xcc "-fmodule-map-file=$map"
done
for folder in Sources/C/*/include; do set -- "$@" -I "$folder"; done
# Its notes on modules that are not looked at go to standard output.
swift-symbolgraph-extract -module-name Firefly -output-dir "$graphs" "$@" >/dev/null
mkdir -p build
docc convert Sources/Firefly/Firefly.docc --additional-symbol-graph-dir "$graphs" --warnings-as-errors \
  --fallback-display-name Firefly --fallback-bundle-identifier firefly --output-path build/docs
