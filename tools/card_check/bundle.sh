#!/bin/bash
# Builds all that runs on a machine with a card into DIRECTORY, which needs nothing there but the driver and cuBLAS (and
# python3 with PyTorch for the runs): the checks (build.sh), and firefly with Swift's libraries inside and the others beside it.
#
#   tools/card_check/bundle.sh DIRECTORY
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p "$1/lib"
out=$(cd "$1" && pwd)
tools/card_check/build.sh "$out"

flags=(-c release --static-swift-stdlib --scratch-path .build/static --product firefly)
swift build "${flags[@]}"
strip -o "$out/firefly-program" "$(swift build "${flags[@]}" --show-bin-path)/firefly"
# With the loader and the C library of this machine, as that one's may be older.
ldd "$out/firefly-program" | grep -oE '/[^ ]+' | sort -u | xargs -I{} cp -L {} "$out/lib"
for name in libdl.so.2 librt.so.1 libpthread.so.0; do  # the driver's
  cp -L "$(ldconfig -p | sed -n "s/^\t$name .*x86-64.* => //p" | head -1)" "$out/lib"
done
cat >"$out/firefly" <<'SCRIPT'
#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/lib/ld-linux-x86-64.so.2" --library-path "$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$here/firefly-program" "$@"
SCRIPT
chmod +x "$out/firefly"
cp tools/card_check/model.py tools/card_check/compare_runs.py tools/card_check/peer.py "$out"
du -sh "$out"
