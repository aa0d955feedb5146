#!/bin/sh
# Makes .venv and installs Navicert into it: `environment.sh runtime` or `environment.sh dev`. Quick when nothing
# changed. PYTHON names the interpreter to use; otherwise the first of several usual names that is new enough.
set -eu
cd "$(dirname "$0")/.."
kind=${1:?runtime or dev}
venv=.venv

say() { printf '%s\n' "$*" >&2; }

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        if new_enough "$PYTHON"; then
            echo "$PYTHON"
            return
        fi
        say "PYTHON=$PYTHON is not a Python 3.11 or newer that runs"
        exit 2
    fi
    for candidate in python3 python3.13 python3.12 python3.11 python; do
        if new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    found=$(python3 --version 2>/dev/null || echo none)
    say "Navicert needs Python 3.11 or newer; found: $found."
    say "On Debian 12, Ubuntu 24.04 and newer:  sudo apt-get install python3 python3-venv"
    say "Elsewhere, name an interpreter:        make PYTHON=/path/to/python3.12 ..."
    exit 2
}

make_venv() {
    python=$(find_python) || exit 2
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        say "$python cannot make virtual environments: Debian and Ubuntu ship that part in a package of its own."
        say "Install it and run make again:  sudo apt-get install python3-venv   (or python$version-venv)"
        exit 2
    fi
    say "making $venv with $("$python" --version)"
    [ ! -L "$venv" ] || rm "$venv"
    "$python" -m venv --clear "$venv"
}

install() {
    # What was resolved is installed, byte for byte: every file is checked against a hash in the lock. Nothing is
    # resolved again (--no-deps): pip before 24 took the newest release for a dependency that is named with an extra,
    # which has no hash here from the day on which there is a newer one.
    if ! "$venv/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes --no-deps "$@"; then
        say "Installing the dependencies failed (see above). This needs a package index: PyPI, or the mirror that"
        say "pip is configured for (pip config set global.index-url ..., or PIP_INDEX_URL)."
        exit 3
    fi
}

# Scripts in an environment name its place and its interpreter: one that was moved or copied here would run the other.
usable() {
    new_enough "$venv/bin/python" && grep -qF "$(pwd -P)/$venv/bin/python" "$venv/bin/pip" 2>/dev/null
}
usable || make_venv

case $kind in
runtime) locks="requirements/build.txt requirements/runtime.txt" ;;
dev) locks="requirements/dev.txt" ;;
*) say "unknown kind: $kind" && exit 2 ;;
esac

# The stamp holds what was installed from, so that a changed lock or version installs again and nothing else does.
# shellcheck disable=SC2086
wanted=$(cat $locks pyproject.toml src/navicert/__init__.py | cksum)
stamp=$venv/.installed-$kind
if [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ] && [ -x "$venv/bin/navicert" ]; then
    exit 0
fi
say "installing Navicert and its $kind dependencies into $venv"
arguments=
for lock in $locks; do
    arguments="$arguments --requirement $lock"
done
# shellcheck disable=SC2086
install $arguments
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
if ! "$venv/bin/python" -m pip check >/dev/null; then
    say "The lock in requirements/ is not complete: $("$venv/bin/python" -m pip check)"
    exit 3
fi
echo "$wanted" >"$stamp"
