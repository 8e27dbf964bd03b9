#!/usr/bin/env bash
# Get Debian packages that are not there yet: debian_packages.sh PACKAGE=COMMAND...
# A package counts as present when its command is found; with an empty command it is always asked for.
set -euo pipefail
PATH="$PATH:/usr/sbin:/sbin"

missing=()
for wanted in "$@"; do
  command="${wanted#*=}"
  if [[ -z "$command" ]] || ! command -v "$command" >/dev/null; then
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
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
