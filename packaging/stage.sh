#!/bin/bash
# Puts a program with its manual page, completions and licence under a prefix.
#
#   packaging/stage.sh PROGRAM FOLDER    FOLDER: [DESTDIR]/usr/local, for example
set -euo pipefail
umask 022
program=$1
to=$2
root=$(cd "$(dirname "$0")/.." && pwd)

install -d "$to/bin" "$to/share/man/man1" "$to/share/bash-completion/completions" "$to/share/zsh/site-functions" \
  "$to/share/fish/vendor_completions.d" "$to/share/doc/firefly"
strip -o "$to/bin/firefly" "$program"
chmod 755 "$to/bin/firefly"
"$to/bin/firefly" manual >"$to/share/man/man1/firefly.1"
gzip -9nf "$to/share/man/man1/firefly.1"
"$to/bin/firefly" completion bash >"$to/share/bash-completion/completions/firefly"
"$to/bin/firefly" completion zsh >"$to/share/zsh/site-functions/_firefly"
"$to/bin/firefly" completion fish >"$to/share/fish/vendor_completions.d/firefly.fish"
install -m 644 "$root/README.md" "$root/README.zh-CN.md" "$root/CHANGELOG.md" "$root/LICENSE" "$to/share/doc/firefly"
