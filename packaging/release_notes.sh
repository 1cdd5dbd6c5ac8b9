#!/bin/sh
# Prints the notes of the release that Sources/CLI/VERSION names, from CHANGELOG.md: what stands under its heading, or under
# "Unreleased" until it has one.
#
#   packaging/release_notes.sh > notes.md && git tag -a v0.2.0 -F notes.md
set -eu
cd "$(dirname "$0")/.."
version=$(cat Sources/CLI/VERSION)

section() { # HEADING, which a date may follow
  awk -v heading="## $1" '$0 == heading || index($0, heading " ") == 1 { inside = 1; next } /^## / { inside = 0 } inside' CHANGELOG.md
}
notes=$(section "$version")
if [ -z "$notes" ]; then
  notes=$(section Unreleased)
  echo "release_notes: CHANGELOG.md has no heading \"## $version\" yet; these are the notes of \"## Unreleased\"" >&2
fi
[ -n "$notes" ] || { echo "release_notes: nothing in CHANGELOG.md under \"## $version\" or \"## Unreleased\"" >&2; exit 1; }
printf 'Firefly %s\n%s\n' "$version" "$notes"
