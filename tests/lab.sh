#!/bin/sh
# Installs the real components that tests run against: Debian packages where this may be done (root, or sudo without
# a password), programs from PyPI and the reference implementation in .lab. Quick when everything is there.
# Writes .lab/components: one line for each, "NAME ready" or "NAME missing: REASON". Never fails for a missing one:
# the tests that need it then say that they did not run, and why.
set -eu
cd "$(dirname "$0")/.."
lab=.lab
mkdir -p "$lab/bin"
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { printf '%s\n' "$*" >&2; }

# -- Debian packages ---------------------------------------------------------------------------------------------
installed() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }
packages=$(sed -e 's/#.*//' tests/debian-packages.txt)
absent=
for package in $packages; do
    installed "$package" || absent="$absent $package"
done

refusal=
as_root=
if ! command -v apt-get >/dev/null 2>&1; then
    refusal="this is not Debian: install it with your system's packages"
elif [ "$(id -u)" = 0 ]; then
    as_root="env"
elif sudo -n true >/dev/null 2>&1; then
    as_root="sudo -n env"
else
    refusal="no permission to install packages: sudo apt-get install$absent"
fi

if [ -n "$absent" ] && [ -z "$refusal" ]; then
    say "installing Debian packages:$absent"
    $as_root apt-get -qq update >"$lab/apt.log" 2>&1 </dev/null || say "apt-get update failed: see $lab/apt.log"
    # One by one, so that one which this release does not have takes none of the others with it; and never in place
    # of something that is installed (busybox-static would replace busybox).
    for package in $absent; do
        $as_root DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-remove --no-install-recommends "$package" \
            >>"$lab/apt.log" 2>&1 </dev/null || refusal="apt-get could not install it: see $lab/apt.log"
    done
    # Since Debian 13 the client is a package of its own.
    if command -v dockerd >/dev/null 2>&1 && ! command -v docker >/dev/null 2>&1; then
        $as_root DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-remove --no-install-recommends docker-cli \
            >>"$lab/apt.log" 2>&1 </dev/null || refusal="apt-get could not install it: see $lab/apt.log"
    fi
fi

# -- From PyPI ---------------------------------------------------------------------------------------------------
# What an environment was made from: its lock, the interpreter, and the place, which its scripts name.
origin() { echo "$(cksum <"$1") $(.venv/bin/python --version) $(pwd -P)"; }

# environment NAME LOCK: a virtual environment in .lab/NAME with exactly what the lock says.
environment() {
    stamp=$lab/$1/.installed
    wanted=$(origin "$2")
    [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ] && "$lab/$1/bin/python" -c '' 2>/dev/null && return 0
    say "installing $1"
    .venv/bin/python -m venv --clear "$lab/$1" &&
        "$lab/$1/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r "$2" \
            >"$lab/$1.log" 2>&1 </dev/null && echo "$wanted" >"$stamp"
}

missing_pypi=
environment in-toto-3.1.0 requirements/oracle.txt || missing_pypi="pip could not install it: see $lab/in-toto-3.1.0.log"
missing_scanner=
environment scanner requirements/scanner.txt || missing_scanner="pip could not install it: see $lab/scanner.log"

# kms: Navicert with its extra of that name, which cannot be in .venv: there our own modules stand in the place of
# securesystemslib. The tests put the sources before what is installed; its list of plugins is what they need of it.
kms() {
    wanted=$(cat pyproject.toml src/navicert/__init__.py requirements/kms.txt | cksum)
    [ "$(cat "$lab/kms/.complete" 2>/dev/null || true)" = "$wanted" ] && return 0
    rm -rf "$lab/kms-wheel"
    .venv/bin/hatchling build -t wheel -d "$lab/kms-wheel" >"$lab/kms-wheel.log" 2>&1 </dev/null &&
        "$lab/kms/bin/python" -m pip install -qq --disable-pip-version-check --no-deps --force-reinstall \
            "$lab"/kms-wheel/navicert-*.whl >>"$lab/kms-wheel.log" 2>&1 </dev/null && echo "$wanted" >"$lab/kms/.complete"
}
missing_kms=
environment kms requirements/kms.txt && kms || missing_kms="pip could not install it: see $lab/kms.log"
missing_sigstore=
environment sigstore requirements/sigstore.txt || missing_sigstore="pip could not install it: see $lab/sigstore.log"

# wheels: what Navicert itself needs, to be installed from there without an index, as a user would with one.
wheels() {
    wanted=$(origin requirements/runtime.txt)
    [ "$(cat "$lab/wheels/.complete" 2>/dev/null || true)" = "$wanted" ] && return 0
    say "fetching wheels"
    rm -rf "$lab/wheels"
    .venv/bin/python -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: \
        -r requirements/runtime.txt -d "$lab/wheels" >"$lab/wheels.log" 2>&1 </dev/null &&
        echo "$wanted" >"$lab/wheels/.complete"
}
missing_wheels=
wheels || missing_wheels="pip could not fetch them: see $lab/wheels.log"

# suite: the source archive of the reference implementation, by the hash in its lock, with the tests that are in it.
suite() {
    wanted=$(origin requirements/oracle.txt)
    [ "$(cat "$lab/suite/.complete" 2>/dev/null || true)" = "$wanted" ] && return 0
    say "fetching the test-suite of in-toto"
    rm -rf "$lab/suite"
    mkdir -p "$lab/suite"
    sed -n '/^in-toto==/,/^ *#/p' requirements/oracle.txt >"$lab/suite/requirement.txt"
    .venv/bin/python -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps \
        --no-binary :all: --no-build-isolation -r "$lab/suite/requirement.txt" -d "$lab/suite" \
        >"$lab/suite.log" 2>&1 </dev/null &&
        tar -xzf "$lab"/suite/in*toto-*.tar.gz -C "$lab/suite" --strip-components=1 && echo "$wanted" >"$lab/suite/.complete"
}
missing_suite=
suite || missing_suite="pip could not fetch it: see $lab/suite.log"
for program in syft trivy; do
    # Both ship as a plain executable somewhere inside their package.
    found=$(find "$lab/scanner/" -type f -name "$program" -size +1000k 2>/dev/null | head -n 1)
    if [ -n "$found" ]; then
        chmod +x "$found"
        ln -sf "../${found#"$lab/"}" "$lab/bin/$program"
    fi
done

# -- What is there now -------------------------------------------------------------------------------------------
report() { # NAME REASON COMMAND...: ready where the command succeeds
    name=$1 reason=$2
    shift 2
    if "$@" >/dev/null 2>&1 </dev/null; then
        echo "$name ready"
    else
        echo "$name missing: ${reason:-it does not run: $*}"
    fi
}
static_busybox() { busybox true && ! ldd "$(command -v busybox)"; }
postgresql_server() {
    for program in /usr/lib/postgresql/*/bin/initdb; do [ -x "$program" ] && return 0; done
    return 1
}
docker_and_client() { dockerd --version && docker --version; }
pkcs11_tool() { command -v pkcs11-tool; }
debian_in_toto() { [ "$(/usr/bin/in-toto-run --version)" = "in-toto-run 1.3.1" ]; }

{
    report git "$refusal" git --version
    report gpg "$refusal" gpg --version
    report buildah "$refusal" buildah --version
    report skopeo "$refusal" skopeo --version
    report runc "$refusal" runc --version
    report busybox "${refusal:-the one installed is not linked statically}" static_busybox
    report in-toto-1.3.1 "${refusal:-this release of Debian ships another version}" debian_in_toto
    report in-toto-3.1.0 "$missing_pypi" "$lab/in-toto-3.1.0/bin/in-toto-run" --version
    report sigstore-python "$missing_sigstore" "$lab/sigstore/bin/python" -c "import sigstore"
    report in-toto-suite "$missing_suite" test -f "$lab/suite/.complete"
    report wheels "$missing_wheels" test -f "$lab/wheels/.complete"
    report strace "$refusal" strace --version
    report shellcheck "$refusal" shellcheck --version
    report docker-registry "$refusal" docker-registry --version
    report postgresql "$refusal" postgresql_server
    report podman "$refusal" podman --version
    report dockerd "${refusal:-the client docker is missing}" docker_and_client
    report syft "$missing_scanner" "$lab/bin/syft" version
    report kms "$missing_kms" "$lab/kms/bin/navicert" --version
    report softhsm "$refusal" softhsm2-util --version
    report openssl "$refusal" openssl version
    report opensc "$refusal" pkcs11_tool
    report trivy "$missing_scanner" "$lab/bin/trivy" --version
} >"$lab/components.new"
mv "$lab/components.new" "$lab/components"
grep ' missing: ' "$lab/components" >&2 || true
