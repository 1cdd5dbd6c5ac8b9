#!/bin/bash
# Puts what checks a machine into DIRECTORY, which runs there with nothing but bash (and python3 with PyTorch for the runs and the
# peers; for a card its driver and cuBLAS): firefly with Swift's libraries inside and the others beside it, and the parts asked for.
#
#   tools/machine_check/bundle.sh DIRECTORY card|processor …
#
# card         card.sh and the kernels' checks (tools/card_check)
# processor    processor.sh and the tiles' check (tools/processor_check). LLAMA=FOLDER: llama-bench and llama-batched-bench, built
#              for that processor and linked statically. PEERS=FOLDER: Python packages that are not there (pip install --target)
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p "$1/lib"
out=$(cd "$1" && pwd)
shift

flags=(-c release --static-swift-stdlib --scratch-path .build/static --product firefly)
swift build "${flags[@]}"
strip -o "$out/firefly-program" "$(swift build "${flags[@]}" --show-bin-path)/firefly"
# With the loader and the C library of this machine, as that one's may be older.
ldd "$out/firefly-program" | grep -oE '/[^ ]+' | sort -u | xargs -I{} cp -L {} "$out/lib"
cat >"$out/firefly" <<'SCRIPT'
#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/lib/ld-linux-x86-64.so.2" --library-path "$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$here/firefly-program" "$@"
SCRIPT
chmod +x "$out/firefly"
cp tools/machine_check/{steps.sh,model.py,peer.py} "$out"

for part; do
  case $part in
  card)
    tools/card_check/build.sh "$out"
    cp tools/card_check/card.sh tools/card_check/compare_runs.py "$out"
    for name in libdl.so.2 librt.so.1 libpthread.so.0; do  # the driver's
      cp -L "$(ldconfig -p | sed -n "s/^\t$name .*x86-64.* => //p" | head -1)" "$out/lib"
    done
    ;;
  processor)
    tools/tile_check/build.sh "$out/tiles" -static -s
    cp tools/processor_check/processor.sh tools/compare_inference/native.py "$out"
    [ -z "${LLAMA:-}" ] || strip -o "$out/llama-bench" "$LLAMA/llama-bench"
    [ -z "${LLAMA:-}" ] || strip -o "$out/llama-batched-bench" "$LLAMA/llama-batched-bench"
    # A card's own libraries are the most of such packages.
    [ -z "${PEERS:-}" ] || (mkdir -p "$out/peers" && cd "$PEERS" && find . -type f -not -name '*_cuda*' -not -name '*_rocm*' \
      -not -name '*_xpu*' -not -name '*.pyc' -exec cp --parents -t "$out/peers" {} +)
    ;;
  *)
    echo "bundle: no part is called $part" >&2
    exit 1
    ;;
  esac
done
du -sh "$out"
