#!/bin/sh
# Resolves the dependencies of pyproject.toml anew and writes requirements/*.txt: every version, every hash, no index.
# `make lock` runs this; `make lock ARGS=--upgrade` takes the newest releases.
set -eu
cd "$(dirname "$0")/.."
upgrade=${1:-}
uv=.lab/uv/bin/uv
if [ ! -x "$uv" ]; then
    python3 -m venv --clear .lab/uv
    .lab/uv/bin/python -m pip install -qq --disable-pip-version-check uv
fi

compile() {
    output=$1
    shift
    # One file for every supported Python and platform: what differs is marked in it.
    "$uv" --quiet pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --custom-compile-command 'make lock' --output-file "requirements/$output" \
        ${upgrade:+"$upgrade"} "$@"
}

compile runtime.txt pyproject.toml
# Whatever else is installed beside the package is resolved so that it agrees with what users get.
compile build.txt --group build --constraint requirements/runtime.txt
# Without the extras `sigstore` and `kms`: they bring in securesystemslib, in whose place the tests put our shim. What
# needs them runs in environments of their own (tests/lab.sh).
compile dev.txt pyproject.toml --extra admission --extra cel --extra openssh --extra postgres --group dev \
    --constraint requirements/runtime.txt
compile sigstore.txt pyproject.toml --extra sigstore --constraint requirements/runtime.txt
compile kms.txt pyproject.toml --extra kms --constraint requirements/runtime.txt
# What goes into the image of the webhook (deploy/image).
compile admission.txt pyproject.toml --extra admission --extra cel --constraint requirements/runtime.txt
compile oracle.txt --group oracle
compile scanner.txt --group scanner
compile kubernetes.txt --group kubernetes
compile kubectl.txt --group kubectl --no-deps

if grep -nE '://|--(extra-)?index-url|--find-links' requirements/*.txt | grep -v ':#' ; then
    echo 'a lock names where it was made: see the lines above' >&2
    exit 1
fi
