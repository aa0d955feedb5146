#!/bin/sh
# Builds Navicert's own image, with evidence of every step, and publishes both.
#
#     build.sh BASE IMAGE KEYS WORK
#
# BASE    an image with Python 3.11 or newer, by digest (registry.example/python@sha256:…, or oci:DIR:TAG)
# IMAGE   where it goes: registry.example/navicert:0.1.0
# KEYS    a folder with the private keys owner, builder, scanner and publisher, and their public ones
# WORK    a new folder for everything that is made
#
# What has to be on PATH: navicert, git, buildah, skopeo, syft; and python3 (or PYTHON) with pip and hatchling.
# INSECURE=1 is for a registry on this machine without TLS.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
if [ $# -ne 4 ]; then
    echo "usage: build.sh BASE IMAGE KEYS WORK" >&2
    exit 2
fi
base=$1 image=$2
keys=$(cd "$3" && pwd)
mkdir "$4"
cd "$4"
ln -s "$keys" keys
insecure=${INSECURE:+--insecure}
# When it was committed is when it was made: the same commit gives the same image.
SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct)
export SOURCE_DATE_EPOCH
record() { # STEP KEY OPTION... -- COMMAND...
    step=$1 key=$2
    shift 2
    navicert run "$step" --key "keys/$key" --store evidence --quiet "$@"
}

cp "$here/layout.yaml" layout.yaml
navicert layout sign layout.yaml --key keys/owner -o root.layout

record checkout builder -p source -- git clone --quiet --depth 1 "file://$root" source
record collect builder -m source -p site -- sh source/deploy/image/collect.sh source site
record build builder -m source/deploy/image/Containerfile -m site -p app=oci:image:latest -- \
    buildah bud --quiet --isolation chroot --timestamp "$SOURCE_DATE_EPOCH" --build-arg "BASE=$base" \
    --file source/deploy/image/Containerfile --tag oci:image:latest .
record sbom scanner -m app=oci:image:latest -p sbom.syft.json -- \
    syft scan --quiet --output syft-json=sbom.syft.json oci-dir:image
record publish publisher -m app=oci:image:latest -m sbom.syft.json -p "release=registry:$image" ${insecure:+"$insecure"} -- \
    skopeo copy --quiet ${insecure:+--dest-tls-verify=false} oci:image:latest "docker://$image"

# Its evidence and the list of its contents stay with the image, and whoever has the owner's key can judge it by name.
# Of syft's forms its own has the id of the image, which pushing leaves as it is, so that the list is known to be of this
# one; it is attested as SPDX.
navicert evidence push "$image" --layout root.layout --owner keys/owner.pub --store evidence ${insecure:+"$insecure"}
navicert attest sbom sbom.syft.json --subject "$image" --key keys/scanner --attach ${insecure:+"$insecure"}
navicert verify "$image" --owner keys/owner.pub ${insecure:+"$insecure"}
