#!/usr/bin/env bash
# Counts the instructions of bench/counts.cpp with callgrind and compares them with those of bench/counts.md:
#   bench/counts.sh [--write] [--isa ISA] [PATTERN]
# --write makes the new counts the old ones. valgrind knows no AVX-512: the instruction set is avx2, or sse2 where the
# machine lacks it. A count that has grown by more than 2% is told, and the exit status is 1 then.
set -euo pipefail
cd "$(dirname "$0")"

write=no isa= pattern=
while [ $# -gt 0 ]; do
  case $1 in
    --write) write=yes ;;
    --isa) isa=$2; shift ;;
    --isa=*) isa=${1#*=} ;;
    *) pattern=$1 ;;
  esac
  shift
done
command -v valgrind >/dev/null || { echo "counts: valgrind is missing, nothing is counted" >&2; exit 0; }

make -s -j"$(nproc 2>/dev/null || echo 2)" counts
program=../build/bench/counts
if [ -z "$isa" ]; then
  isa=avx2
  "$program" avx2 >/dev/null 2>&1 || isa=sse2
fi

# Names in the first column of the table, counts in the second.
table=counts.md
before() { awk -F '|' -v name=" $1 " -v isa="$isa" '
  /^Instruction set: / { same = $0 ~ isa } same && $2 == name { gsub(/[ ,]/, "", $3); print $3 }' "$table" 2>/dev/null || true; }

count() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no --toggle-collect=counted_region \
    "$program" "$isa" "$1" 2>&1 | awk '/Collected *:/ { print $NF }'
}

commas() { sed -e ':a' -e 's/\([0-9]\)\([0-9]\{3\}\)\($\|,\)/\1,\2\3/;ta'; }

new=$(mktemp)
trap 'rm -f "$new"' EXIT
{
  echo "# Instructions of fixed small work"
  echo
  echo "Written by \`bench/counts.sh --write\`, compared with by \`bench/counts.sh\`; one thread, $(${CXX:-g++} --version 2>/dev/null | head -n 1)."
  echo
  echo "Instruction set: $isa"
  echo
  echo "| Work | Instructions |"
  echo "|---|---|"
} >"$new"

grown=0
while IFS= read -r name; do
  case $name in *"$pattern"*) ;; *) continue ;; esac
  now=$(count "$name")
  [ -n "$now" ] || { echo "counts: $name cannot be counted" >&2; exit 1; }
  old=$(before "$name")
  change=
  if [ -n "$old" ]; then
    change=$(awk -v a="$old" -v b="$now" 'BEGIN { printf "%+.1f%%", 100 * (b - a) / a }')
    if awk -v a="$old" -v b="$now" 'BEGIN { exit !(b > 1.02 * a) }'; then grown=$((grown + 1)); change="$change  grown"; fi
  fi
  printf '%-44s %14s  %s\n' "$name" "$(commas <<<"$now")" "$change"
  printf '| %s | %s |\n' "$name" "$(commas <<<"$now")" >>"$new"
done < <("$program" "$isa")

if [ "$write" = yes ]; then cp "$new" "$table"; exit 0; fi
if [ "$grown" -gt 0 ]; then echo "counts: $grown have grown by more than 2%" >&2; exit 1; fi
