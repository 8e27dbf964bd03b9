#!/usr/bin/env bash
# Get Debian packages that are not there yet: debian_packages.sh PACKAGE=COMMAND...
# A package counts as present when its command, or a file named by its whole path, is found; with an empty command it
# is always asked for.
set -euo pipefail
PATH="$PATH:/usr/sbin:/sbin"

missing=()
for wanted in "$@"; do
  command="${wanted#*=}"
  if [[ -z "$command" || ! -e "$command" ]] && ! command -v "$command" >/dev/null; then
    missing+=("${wanted%%=*}")
  fi
done
if [[ ${#missing[@]} -eq 0 ]]; then
  exit 0
fi
if [[ "$(id -u)" -ne 0 ]] || ! command -v apt-get >/dev/null; then
  echo "Missing on this machine: ${missing[*]}. Install with: sudo apt-get install ${missing[*]}" >&2
  exit 1
fi
echo "Installing from Debian: ${missing[*]}"
# In runlevel 1 a server that is installed for a test does not start by itself.
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
