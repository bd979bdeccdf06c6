#!/bin/sh
# Make .venv from requirements.lock with the first Python that runs and is new enough, or with uv.
set -eu
cd "$(dirname "$0")/../.."

new_enough='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))'
python=
for candidate in python3.13 python3.12 python3 python; do
    if "$candidate" -c "$new_enough" >/dev/null 2>&1; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ] && ! command -v uv >/dev/null 2>&1; then
    echo "This book needs Python 3.12 or newer: install it from python.org or your package manager" \
        "(with its venv module), or install uv, which brings its own." >&2
    exit 1
fi

trap 'status=$?; [ $status -eq 0 ] || rm -rf .venv; exit $status' EXIT
trap 'exit 130' INT TERM
rm -rf .venv
if [ -n "$python" ]; then
    echo "Making .venv with $("$python" --version)."
    "$python" -m venv .venv
else
    echo "Making .venv with uv."
    uv venv --seed .venv # of the version in .python-version
fi
bin=.venv/bin
[ -d "$bin" ] || bin=.venv/Scripts
unset PYTHONDONTWRITEBYTECODE # compiled bytecode halves the start of every chapter
"$bin/python" -m pip install --disable-pip-version-check --require-hashes -r requirements.lock
"$bin/python" -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e .
touch .venv/ready
