#!/bin/sh
# What a program needs of the system that runs it: shared libraries with the Debian packages that bring them, the newest versions
# of glibc and of libstdc++'s symbols, and where else it looks for libraries.
#
#   packaging/needs.sh PROGRAM
set -eu
program=$1

newest() { # PREFIX: the highest version of the symbols that are asked for, also by libraries that lie beside the program
  objdump -T "$program" $beside | sed -n "s/.*(\{0,1\}$1_\([0-9.]*[0-9]\))\{0,1\} .*/\1/p" | sort -Vu | tail -n 1
}

folder=$(cd "$(dirname "$program")/.." && pwd)
beside=$(ldd "$program" | awk -v folder="$folder" '$2 == "=>" && index($3, folder) == 1 { print $3 }')
echo "glibc $(newest GLIBC), libstdc++ with GLIBCXX $(newest GLIBCXX)"
echo "looks in: $(readelf -d "$program" | sed -n 's/.*R\(UN\)\{0,1\}PATH.*\[\(.*\)\]/\2/p' | grep . || echo 'the usual places only')"
for library in $(readelf -d "$program" $beside | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | sort -u); do
  path=$(ldd "$program" | sed -n "s/^[[:space:]]*$library => \([^ ]*\) .*/\1/p")
  case $path in
    "") package="the C library's loader" ;;
    "$folder"/*) package="beside the program" ;;
    # By its whole path: packages for cross-compiling have libraries of the same names. dpkg may know it without /usr.
    *)
      real=$(readlink -f "$path")
      package=$(dpkg-query -S "*${real#/usr}" 2>/dev/null | sed 's/:.*//;q')
      ;;
  esac
  printf '  %-24s %s\n' "$library" "${package:-of no package}"
done
