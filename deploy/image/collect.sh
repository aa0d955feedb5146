#!/bin/sh
# Collects what the image holds besides its base: collect.sh SOURCE SITE
#
# Wheels are fetched by the hashes of requirements/admission.txt, for the Python of the base (PYTHON_VERSION and
# PLATFORM, by default those of the Python that runs this), Navicert's own is built from SOURCE, and all are unpacked
# into SITE. Nothing of them is run. PYTHON names an interpreter that has pip and hatchling.
set -eu
source=$1
site=$2
python=${PYTHON:-python3}
version=${PYTHON_VERSION:-$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')}
# Wheels for older C libraries run with newer ones.
platform=${PLATFORM:-manylinux_2_17 manylinux_2_28 manylinux_2_34}
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
mkdir -p "$site"
set -- --python-version "$version" --implementation cp --only-binary :all:
for one in $platform; do
    case $one in
    *_x86_64 | *_aarch64) set -- "$@" --platform "$one" ;;
    *) set -- "$@" --platform "${one}_$(uname -m)" ;;
    esac
done
"$python" -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps "$@" \
    --requirement "$source/requirements/admission.txt" --dest "$wheels"
(cd "$source" && "$python" -m hatchling build --target wheel >/dev/null)
cp "$source"/dist/navicert-*.whl "$wheels"
rm -r "$source/dist"
for wheel in "$wheels"/*.whl; do
    "$python" -m zipfile --extract "$wheel" "$site"
done
