#!/usr/bin/env bash
# What pip cannot bring: installed where this is root on Debian or Ubuntu, named with its purpose elsewhere.
# Ends with an error only where the installation itself could not go on.
set -euo pipefail

python="${PYTHON:-python3}"
missing=() # weight|Debian packages|purpose

want() { # weight, Debian packages, purpose, then a command that succeeds where the thing is there
    local entry="$1|$2|$3"
    shift 3
    "$@" >/dev/null 2>&1 || missing+=("$entry")
}

has_header() { "$python" -c 'import os, sys, sysconfig as s; sys.exit(not os.path.exists(s.get_path("include") + "/Python.h"))'; }
has_library() { "$python" -c 'import ctypes.util, sys; sys.exit(ctypes.util.find_library(sys.argv[1]) is None)' "$1"; }
has_fonts() { command -v fc-list && [ -n "$(fc-list)" ]; }
has_postgresql() { command -v postgres || ls /usr/lib/postgresql/*/bin/postgres; }

look() {
    missing=()
    want needed "python3-venv" "the virtual environment" "$python" -c 'import ensurepip, venv'
    want needed "build-essential" "pyradiomics is compiled when it is installed" command -v cc
    want needed "python3-dev" "pyradiomics is compiled when it is installed" has_header
    want wanted "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0" "the report as PDF" has_library pangoft2-1.0
    want wanted "fontconfig fonts-dejavu-core" "letters in the report" has_fonts
    want wanted "poppler-utils" "tests that look into the PDF" command -v pdfinfo
    want wanted "chromium" "tests that open the report in a browser" command -v chromium
    want wanted "postgresql" "the store on a database server, and its tests" has_postgresql
    want wanted "dcmtk" "tests that read our DICOM with a second toolkit" command -v dcmdjpls
    want wanted "dicom3tools" "tests that validate our DICOM objects" command -v dciodvfy
}

install() {
    local log packages
    log="$(mktemp)"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >"$log" 2>&1 || cat "$log" >&2
    for entry in "${missing[@]}"; do # each for itself: what this release lacks does not keep out the others
        IFS='|' read -r _ packages _ <<<"$entry"
        echo "installing $packages"
        # shellcheck disable=SC2086  # several packages in one word
        apt-get install -qq --yes --no-install-recommends $packages >"$log" 2>&1 || tail -n 3 "$log" >&2
    done
    rm -f "$log"
}

if ! command -v "$python" >/dev/null; then
    echo "trialimg needs Python 3.11 or newer; there is no '$python'. Name another: make setup PYTHON=/path/to/python3" >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "trialimg needs Python 3.11 or newer; '$python' is $("$python" --version 2>&1)." \
        "Name another: make setup PYTHON=/path/to/python3" >&2
    exit 1
fi

look
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    install
    look
fi

refused=0
for entry in ${missing[@]+"${missing[@]}"}; do
    IFS='|' read -r weight packages purpose <<<"$entry"
    if [ "$weight" = needed ]; then
        echo "needed before trialimg can be installed: $packages ($purpose)" >&2
        refused=1
    else
        echo "not here, set-up goes on without it: $packages ($purpose)" >&2
    fi
done
exit "$refused"
