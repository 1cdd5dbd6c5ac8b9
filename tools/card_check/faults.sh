#!/bin/bash
# Plants faults in copies of the kernels and expects the checks on the emulated card to find each.
#
#   tools/card_check/faults.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

tree=$copy/tree
mkdir -p "$tree/Sources/C" "$tree/Tests" "$tree/tools"
cp -r Sources/C/Card "$tree/Sources/C"
cp -r Tests/CardEmulator Tests/CardChecks Tests/CardStandIn "$tree/Tests"
cp -r tools/card_check "$tree/tools"
found=0
# plant NAME FILE TEXT REPLACEMENT: replaces the first TEXT of a kernel's or an operation's FILE, and puts it back afterwards.
plant() {
  local file=$tree/Sources/C/Card/$2
  cp "$file" "$copy/sound"
  python3 - "$file" "$3" "$4" <<'PYTHON'
import sys
path, old, new = sys.argv[1:]
text = open(path).read()
if text.count(old) == 0: sys.exit(f"faults: {path} has no \"{old}\"")
open(path, "w").write(text.replace(old, new, 1))
PYTHON
  "$tree/tools/card_check/build.sh" "$copy/bin" "$copy/objects" >/dev/null
  cp "$copy/sound" "$file"
  for order in 0 1 2 3; do
    if ! { bash -c '"$0" emulated "$1" first' "$copy/bin/kernels" $order; } >"$copy/log" 2>&1; then
      # What the checks or the emulator say; an access beyond a buffer ends the program without a word.
      said=$(grep -m1 -oE 'WRONG.*|emulator: .*' "$copy/log" || echo 'a fault of memory')
      printf '%-55s found in order %s: %s\n' "$1" $order "$(echo "$said" | tr -s ' ' | cut -c -100)"
      found=$((found + 1))
      return
    fi
  done
  printf '%-55s NOT FOUND\n' "$1"
  exit 1
}

plant "a barrier missing after a block's sum is written" kernels/numbers.h \
  $'room[THREAD_X / 32] = x;\n  barrier();' 'room[THREAD_X / 32] = x;'
plant "a barrier missing before a block's sum is written" kernels/numbers.h \
  $'  x = warp_sum(x);\n  barrier();' '  x = warp_sum(x);'
plant "a barrier that not all threads reach" kernels/training.h \
  $'  largest = block_largest(largest, room);\n  float sum' $'  if (THREAD_X < 32) largest = block_largest(largest, room);\n  float sum'
plant "an index past the end" kernels/norms.h 'reciprocal[row] = inverse;' 'reciprocal[row + 1] = inverse;'
plant "columns past the end" kernels/elementwise.h \
  'store4(out, row, column, n, load4(x, row, column, n));' 'store4(out, row, column, 4, load4(x, row, column, n));'
plant "swapped operands" kernels/layers.h 'store(x, row, low, a * c - b * s);' 'store(x, row, low, b * c - a * s);'
plant "a copy that is not waited for" kernels/attention_tiles.h \
  $'wait_for_copies<1>();\n    barrier();  // the values' $'barrier();  // the values'
plant "keys fetched where they are still read" kernels/attention_tiles.h \
  $'barrier();  // nobody reads them any more' ''
plant "a query that sees the key after its own" kernels/attention_tiles.h \
  'here > 0 || here' 'here > 1 || here'
plant "warps that take the same columns" kernels/rows_tiles.h \
  '(int64_t)(THREAD_X / 32) * ROW_COLUMNS' '(int64_t)(THREAD_X / 64) * ROW_COLUMNS'
plant "outputs of one weight in another's place" kernels/rows_tiles.h \
  'part.column + output, sum' 'output, sum'
plant "the codes of a byte exchanged" kernels/nf4_rows_tiles.h 'code_value(THREAD_X >> 4)' 'code_value(THREAD_X & 15)'
plant "sums written where codes are still looked up" kernels/nf4_rows_tiles.h \
  'barrier();  // nobody decodes any more' '// nobody decodes any more'
plant "a row of 64 read to the end of 128" kernels/nf4_rows_tiles.h 'place.own_end = chunks - 1;' 'place.own_end = chunks;'
plant "a new key that is taken from the cache" kernels/attention_cached.h 'at == of.count - 1;' 'at == of.count;'
plant "new values of the first head alone" kernels/attention_cached.h 'new_key.at && head % group == 0' 'new_key.at && head == 0'
plant "float16 rounded as bfloat16" kernels/tiles.h 'return narrow_pair_float16' 'return narrow_pair'
plant "rows and columns exchanged in a launch" operations/elementwise.c \
  'scale_rows, over_matrix(rows, columns, 4), x, factors, rows, columns' \
  'scale_rows, over_matrix(rows, columns, 4), x, factors, columns, rows'
plant "an argument of the wrong size" operations/elementwise.c \
  'scale, over_matrix(rows, columns, 4), x, factor, rows' 'scale, over_matrix(rows, columns, 4), x, rows, factor'
echo "$found faults planted, $found found"
