# What the checks of a machine share, for their scripts to source: parts that are asked for by name, steps that end in time, one table.
# All that a step's program says goes to a file of $OUT. The script has set OUT, LIMIT (seconds for all) and `parts`.
mkdir -p "$OUT"
: >"$OUT/table.txt"
status=0
slower=1  # how many times as long everything may take
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

wants() { [[ " $parts " == *" $1 "* ]]; }
row() { printf '%-34s %s\n' "$1" "$2" | tee -a "$OUT/table.txt"; }

# step NAME SECONDS COMMAND…: its result is the first line with RESULT, where that is set, and else its last.
step() {
  local name=$1 limit=$((slower * $2)) started=$SECONDS left=$((slower * LIMIT - SECONDS)) result
  shift 2
  if [ $left -lt 5 ]; then
    row "$name" "left out: the $LIMIT seconds are over"
    status=1
    return 1
  fi
  if timeout $((limit < left ? limit : left)) "$@" >"$OUT/$name.txt" 2>&1; then
    result=$(grep -m1 -- "${RESULT:-no line has this}" "$OUT/$name.txt" || grep -v '^=* *$' "$OUT/$name.txt" | tail -1)
    row "$name" "$result ($((SECONDS - started)) s)"
  else
    row "$name" "FAILED with $?: $(tail -1 "$OUT/$name.txt") ($((SECONDS - started)) s)"
    head -20 "$OUT/$name.txt" | sed 's/^/    /'
    status=1
    return 1
  fi
}

# The same, and all that it says.
told() { step "$@" && cat "$OUT/$1.txt"; }

# bench DEVICE NAME SECONDS OPTIONS…: what `firefly bench` says, started by the words of `on` (taskset …).
on=()
bench() {
  RESULT='tokens/s' told "bench-$2" "$3" "${on[@]}" ./firefly bench --device "$1" "${@:4}"
}
