#!/bin/bash
# Builds the release program with Swift's libraries inside and prints its path. No path of the machine that builds it stays in it.
#
#   packaging/build.sh shared    the other libraries are the system's
#   packaging/build.sh portable  those whose versions differ between distributions are inside too, but for oneDNN, which has
#                                no archive: that is looked for in ../lib/firefly beside the program
set -euo pipefail
cd "$(dirname "$0")/.."

flags=(-c release --static-swift-stdlib --disable-local-rpath --scratch-path .build/static --product firefly
  -Xlinker --as-needed)
case ${1:-} in
  shared) ;;
  portable)
    # A folder with nothing but archives, which the linker looks into first.
    archives=.build/static/archives
    mkdir -p $archives
    for name in microhttpd pcre2-8 yaml z edit bsd md; do
      archive=$(clang -print-file-name=lib$name.a)
      [ "$archive" != "lib$name.a" ] || { echo "build: no lib$name.a on this machine" >&2; exit 1; }
      ln -sf "$archive" $archives
    done
    # What the archives need themselves.
    flags+=(-Xlinker "-L$PWD/$archives" -Xlinker -lbsd -Xlinker -lmd -Xlinker -ltinfo -Xlinker -lgnutls
      -Xlinker -rpath -Xlinker '$ORIGIN/../lib/firefly')
    ;;
  *)
    echo "usage: packaging/build.sh shared|portable" >&2
    exit 2
    ;;
esac
FIREFLY_COMMIT=${FIREFLY_COMMIT:-$(git describe --always --dirty --abbrev=12 --exclude '*' 2>/dev/null || true)}
export FIREFLY_COMMIT
swift build "${flags[@]}" >&2
echo "$(swift build "${flags[@]}" --show-bin-path)/firefly"
