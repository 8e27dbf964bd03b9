#!/usr/bin/env bash
# Make a virtual environment: virtual_environment.sh PYTHON FOLDER
set -euo pipefail
python="$1" folder="$2"

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "Sekisho needs Python 3.11 or newer; found: ${python:-none}. Name one with: make PYTHON=/path/to/python3.11" >&2
  exit 1
fi
# Debian ships the standard library without ensurepip, in a package of its own.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  "$(dirname "$0")/debian_packages.sh" python3-venv=
fi
"$python" -m venv "$folder"
