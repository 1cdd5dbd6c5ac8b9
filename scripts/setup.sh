#!/bin/sh
# Installs what Firefly is built from, unless it is there. Quiet when there is nothing to do.
#
#   scripts/setup.sh [demo]     demo: also what downloads the demonstration's model (python3 with pip)
set -eu

fail() {
  printf 'setup: %s\n' "$1" >&2
  exit 1
}

[ "$(uname -s)" = Linux ] || fail "Firefly is built on Linux; this is $(uname -s)."

# The toolchain is not in Debian, so it must be there already.
command -v swift >/dev/null 2>&1 \
  || fail "no Swift toolchain on PATH. Install Swift 6.2 or later: https://www.swift.org/install/linux/"
version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
major=${version%%.*}
minor=${version#*.}
if [ "${major:-0}" -lt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -lt 2 ]; }; then
  fail "Swift 6.2 or later is needed, found ${version:-no version}: https://www.swift.org/install/linux/"
fi

missing=
for package in make pkg-config libdnnl-dev libpcre2-dev libedit-dev zlib1g-dev libmicrohttpd-dev \
  libcurl4-openssl-dev libssl-dev libyaml-dev; do
  case $package in
    # Any flavour of libcurl will do, and only one can be installed.
    libcurl4-openssl-dev) pkg-config --exists libcurl 2>/dev/null || missing="$missing $package" ;;
    make | pkg-config) command -v $package >/dev/null 2>&1 || missing="$missing $package" ;;
    *) dpkg-query -W -f='${Status}' $package 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package" ;;
  esac
done
# The toolchain's clang++ takes the C++ library from the system.
printf '#include <vector>\nstd::vector<int> v;\n' | clang++ -std=c++17 -fsyntax-only -x c++ - >/dev/null 2>&1 \
  || missing="$missing g++"
if [ "${1:-}" = demo ] && ! python3 -m pip --version >/dev/null 2>&1; then
  missing="$missing python3-pip"
fi
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null 2>&1 \
  || fail "missing:$missing. There is no apt-get here; install what your system calls these packages, and run again."
if [ "$(id -u)" -eq 0 ]; then
  root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
  root='sudo -n'
else
  fail "missing:$missing. Not root, and no sudo without a password. Run: sudo apt-get install -y$missing"
fi

echo "setup: installing$missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# `env` works through sudo too. The lists may be old or absent: update only if the first try fails.
install="$root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends $missing"
if ! $install >"$log" 2>&1; then
  if ! $root apt-get -qq update >"$log" 2>&1 || ! $install >>"$log" 2>&1; then
    tail -n 15 "$log" >&2
    fail "apt-get could not install$missing (its last words are above). Is the machine online?"
  fi
fi
