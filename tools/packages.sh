# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Sourced by tools/quickstart and tools/test.

# packages_named KIND...: the packages of tools/packages.txt that one of these kinds needs.
packages_named() {
  local name kind _ wanted
  while read -r name kind _; do
    for wanted in "$@"; do
      if [[ $name != '#'* && $kind == "$wanted" ]]; then echo "$name"; fi
    done
  done <tools/packages.txt
}

# packages_missing NAME...: those that are not installed.
packages_missing() {
  local installed name
  # It ends with 1 for names it has never seen.
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
  for name in "$@"; do
    grep -qxF "installed $name" <<<"$installed" || echo "$name"
  done
}

# packages_ensure KIND...: installs what is missing, or says how and exits 69.
packages_ensure() {
  local wanted missing
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "==> No apt-get here: going on without checking tools/packages.txt" >&2
    return
  fi
  mapfile -t wanted < <(packages_named "$@")
  mapfile -t missing < <(packages_missing "${wanted[@]}")
  if ((${#missing[@]} == 0)); then return; fi
  if ((EUID != 0)); then
    {
      echo "These Debian packages are missing: ${missing[*]}"
      echo "Install them, then start this again:"
      echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
    } >&2
    exit 69
  fi
  echo "==> Installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  if ! apt-get update -q ||
    ! apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}"; then
    echo "$0: apt-get could not install: ${missing[*]}" >&2
    exit 69
  fi
}
