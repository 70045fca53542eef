#!/usr/bin/env bash
# Installs what is missing: R, its compiler, and the packages of DESCRIPTION; from Debian's packages where apt-get can be
# used, else from the configured CRAN mirror. Packages in Suggests may stay missing, those named as arguments may not.
#   tools/setup.sh [NAME ...]    NAME: an R package, or pandoc; or libdnnl-dev, python3-torch, valgrind, qpdf or the compiler
#                                g++-mingw-w64-x86-64-posix, which are used where they are to be had
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build
log=build/setup.log

have() { command -v "$1" >/dev/null 2>&1; }
say() { printf 'setup: %s\n' "$*"; }
give_up() { printf 'setup: %s\n' "$@" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Asked once: whether apt-get is there, may be used, and reaches an archive.
apt=
apt_usable() {
  if [ -z "$apt" ]; then
    apt=no
    if have apt-get && { [ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null; }; }; then
      say "asking Debian's archive"
      if as_root apt-get -q -o Acquire::Retries=0 -o Acquire::http::Timeout=15 -o Acquire::https::Timeout=15 \
        update >"$log" 2>&1; then apt=yes; else say "apt-get update failed"; fi
    fi
  fi
  [ "$apt" = yes ]
}

# Those of the named Debian packages that the archive has; a failure is for the caller to notice.
apt_install() {
  apt_usable || return 0
  local known=() name
  for name in "$@"; do
    if apt-cache show --no-all-versions "$name" >/dev/null 2>&1; then known+=("$name"); fi
  done
  [ ${#known[@]} -gt 0 ] || return 0
  say "installing from Debian: ${known[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 \
    install "${known[@]}" >"$log" 2>&1 || { say "apt-get install failed:"; tail -n 5 "$log"; }
}

# Debian's r-cran-* packages belong to Debian's R alone.
debian_r() { [ "$(R RHOME 2>/dev/null)" = /usr/lib/R ]; }

# R may call it with flags or through ccache.
compiler() {
  local word found=no
  for word in $(R CMD config CXX17 2>/dev/null); do
    case $word in -*) ;; *) have "$word" || return 1; found=yes ;; esac
  done
  [ "$found" = yes ]
}
toolchain() { have R && have Rscript && have make && compiler && { ! debian_r || have gfortran; }; }

toolchain || apt_install r-base-dev
have Rscript || give_up "R is missing and cannot be installed from here." \
  "Install R 4.1 or later and its compiler (https://cran.r-project.org), then run this again." \
  "On Debian and Ubuntu: apt-get install r-base-dev"
toolchain || give_up "R has no C++ compiler (or make, or gfortran)." \
  "Install them, then run this again. On Debian and Ubuntu: apt-get install r-base-dev"

# A compiler that finds it, or a python3 that does.
have_tool() {
  case $1 in
    libdnnl-dev) echo '#include <dnnl.hpp>' | $(R CMD config CXX17) -std=c++17 -x c++ -fsyntax-only - >/dev/null 2>&1 ;;
    python3-torch)
      local python
      for python in python3 /usr/bin/python3; do
        if have "$python" && "$python" -c 'import torch' >/dev/null 2>&1; then return 0; fi
      done
      return 1 ;;
    g++-mingw-w64-x86-64-posix) have x86_64-w64-mingw32-g++-posix ;;
    *) have "$1" ;;
  esac
}

packages=()
for name in "$@"; do
  if [ "$name" = pandoc ]; then
    have pandoc || apt_install pandoc
    have pandoc || give_up "pandoc is missing and cannot be installed from here: see https://pandoc.org/installing.html"
  elif [[ $name =~ ^(libdnnl-dev|python3-torch|valgrind|qpdf|g\+\+-mingw-w64-x86-64-posix)$ ]]; then
    have_tool "$name" || apt_install "$name"
    have_tool "$name" || say "not to be had, not needed here: $name"
  else
    packages+=("$name")
  fi
done

missing() { Rscript tools/setup.R missing ${packages[@]+"${packages[@]}"}; }
names() { cut -s -d ' ' -f 2 | tr '\n' ' '; }

todo=$(missing)
[ -n "$todo" ] || exit 0
# What could not be had the last time is not asked for again, unless it is needed.
if ! grep -q '^needed' <<<"$todo" && [ "$todo" = "$(cat build/setup.missing 2>/dev/null)" ]; then
  say "still missing, not needed here: $(names <<<"$todo")"
  exit 0
fi

if debian_r; then
  # shellcheck disable=SC2046
  apt_install $(names <<<"$todo" | tr '[:upper:]' '[:lower:]' | sed 's/[^ ][^ ]*/r-cran-&/g')
  todo=$(missing)
fi
if [ -n "$todo" ]; then
  # shellcheck disable=SC2046
  Rscript tools/setup.R install $(names <<<"$todo") 2>&1 | tee "$log" || true
  todo=$(missing)
fi

printf '%s\n' "$todo" >build/setup.missing
needed=$({ grep '^needed' <<<"$todo" || true; } | names)
if [ -n "$needed" ]; then
  give_up "R packages are missing: $needed" \
    "Neither Debian's archive nor the CRAN mirror $(Rscript tools/setup.R mirrors) gave them." \
    "Check the network, set another mirror with options(repos = ) in ~/.Rprofile, or install them by hand."
fi
[ -z "$todo" ] || say "not to be had, not needed here: $(names <<<"$todo")"
