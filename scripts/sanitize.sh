#!/bin/sh
# Builds with a sanitizer, in a build folder of its own, and runs the tests that it is for. What it finds is an error.
#
#   scripts/sanitize.sh address|thread [flags of swift build]
set -eu

sanitizer=$1
shift
case $sanitizer in
  address)
    tests=.
    # Swift marks addresses inside of enumerations with bits of its own, so that the leak check takes what they hold for lost.
    export ASAN_OPTIONS=detect_leaks=0
    ;;
  thread)
    # Where threads share something: the pool and what runs on it, opened weights, text read on several threads, generation,
    # the server, training. Kernels share nothing.
    tests='ParallelTests|MatMulTests|LinearTests|LinearByRowTests|AttentionTests|WeightsTests|DataCacheTests|DatasetTests|TokenizerFixtureTests|ServingTests|GenerationTests|ServerTests|TrainingTests'
    ;;
  *)
    echo "sanitize: $sanitizer is neither address nor thread" >&2
    exit 2
    ;;
esac

set -- "$@" --sanitize "$sanitizer" --scratch-path ".build/$sanitizer"
swift build --build-tests "$@"
exec swift test --skip-build --disable-xctest "$@" --filter "$tests"
