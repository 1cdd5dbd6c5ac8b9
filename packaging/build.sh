#!/bin/bash
# Builds the release program with Swift's libraries inside and prints its path. No path of the machine that builds it stays in it.
#
#   packaging/build.sh shared    the other libraries are the system's
#   packaging/build.sh portable  they are looked for in ../lib/firefly beside the program first
set -euo pipefail
cd "$(dirname "$0")/.."

flags=(-c release --static-swift-stdlib --disable-local-rpath --scratch-path .build/static --product firefly
  -Xlinker --as-needed)
case ${1:-} in
  shared) ;;
  portable) flags+=(-Xlinker -rpath -Xlinker '$ORIGIN/../lib/firefly') ;;
  *)
    echo "usage: packaging/build.sh shared|portable" >&2
    exit 2
    ;;
esac
FIREFLY_COMMIT=${FIREFLY_COMMIT:-$(git describe --always --dirty --abbrev=12 --exclude '*' 2>/dev/null || true)}
export FIREFLY_COMMIT
swift build "${flags[@]}" >&2
echo "$(swift build "${flags[@]}" --show-bin-path)/firefly"
