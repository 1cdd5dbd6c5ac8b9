#!/bin/sh
# Builds with a sanitizer, in a build folder of its own, and runs the tests that it is for. What it finds is an error.
#
#   scripts/sanitize.sh address|thread [flags of swift build]
set -eu

sanitizer=$1
skipped=
shift
case $sanitizer in
  address)
    tests=.
    # Swift marks addresses inside of enumerations with bits of its own, so that the leak check takes what they hold for lost.
    # Only what a reader needs: a report's end, shadow bytes and their legend, would hide its beginning.
    export ASAN_OPTIONS=detect_leaks=0:print_legend=0
    # Of each kind of damaged file (StormTests): ten thousand in all.
    export FIREFLY_MUTATIONS=400
    ;;
  thread)
    # Where threads share something: the pool and products on it, opened weights, text read on several threads, generation, the
    # server, training. The other tests of Tensors compare with sums so naive that they would take an hour.
    tests='ParallelTests|MatMulTests|WeightsTests|DataCacheTests|DatasetTests|TokenizerFixtureTests'
    tests="$tests|ServingTests|GenerationTests|ServerTests|TrainingTests"
    # The emulated card's fibers change stacks, which ThreadSanitizer does not follow; they are all one thread's.
    skipped='--skip TrainingTests.Card'
    ;;
  *)
    echo "sanitize: $sanitizer is neither address nor thread" >&2
    exit 2
    ;;
esac

set -- "$@" --sanitize "$sanitizer" --scratch-path ".build/$sanitizer"
swift build --build-tests "$@"

# Reports go to files, one a process: among what tests print they would be lost, those of programs that tests start too.
reports=.build/$sanitizer/reports
rm -rf "$reports"
mkdir -p "$reports"
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:log_path=$PWD/$reports/address" TSAN_OPTIONS="log_path=$PWD/$reports/thread"
result=0
swift test --skip-build --disable-xctest "$@" --filter "$tests" $skipped || result=$?

# Last what was found and where it was met: the first lines of a report and its summary.
for report in "$reports"/*; do
  [ -e "$report" ] || continue
  result=1
  cat "$report" >&2
  echo "sanitize: in short:" >&2
  grep -m 12 -e ERROR -e WARNING -e '^ *#[0-9]' "$report" >&2
  grep '^SUMMARY' "$report" >&2
done
exit $result
