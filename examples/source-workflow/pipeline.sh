#!/bin/bash
# Take a container image through checkout, build and scan with the in-toto programs, and verify before it is used.
#
#     pipeline.sh WORK [--closed]
#
# WORK is a new or empty folder. What has to be on PATH: the in-toto programs and the python of Navicert, git, buildah,
# syft, trivy. Nothing is fetched: the repository is made on the spot, trivy gets a database of this folder's own.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
if [ $# -lt 1 ]; then
    echo "usage: pipeline.sh WORK [--closed]" >&2
    exit 2
fi
mkdir -p "$1"
cd "$1"
if [ -n "$(ls -A)" ]; then
    echo "pipeline.sh: $PWD is not empty" >&2
    exit 2
fi
top=$PWD
form=${2:-}

# -- surroundings --------------------------------------------------------------------------------------------------
cp -R "$here/app" repository
git -C repository init --quiet
git -C repository add --all
git -C repository -c user.name=Example -c user.email=example@example.org -c commit.gpgsign=false \
    commit --quiet --message "Tides"
python "$here/../container-build/tools/trivydb.py" "$here/../container-build/advisories.json" trivy
export CONTAINERS_STORAGE_CONF="$top/storage.conf" SYFT_CHECK_FOR_APP_UPDATE=false
export XDG_CACHE_HOME="$top/home" XDG_CONFIG_HOME="$top/home" XDG_DATA_HOME="$top/home"
for driver in overlay vfs; do
    rm -rf storage
    printf '[storage]\ndriver = "%s"\ngraphroot = "%s"\nrootless_storage_path = "%s"\nrunroot = "%s"\n' \
        "$driver" "$top/storage/root" "$top/storage/root" "$top/storage/run" >storage.conf
    if buildah info >/dev/null 2>storage.log; then
        break
    fi
done

# -- keys and layout -----------------------------------------------------------------------------------------------
mkdir -p keys
in-toto-keygen --type ed25519 keys/owner      # signs the layout
in-toto-keygen --type ed25519 keys/builder
in-toto-keygen --type ed25519 keys/scanner
python -m navicert.compat "$here/layout.py" ${form:+"$form"}

# -- the three steps: the clone needs an empty folder, so keys and links lie beside it ------------------------------
mkdir work
cd work
ln -s "$top/repository" ../REPOSITORY
in-toto-run --step-name checkout --key ../keys/builder --metadata-directory .. \
    --products Dockerfile src/* requirements.txt -- git clone --quiet ../REPOSITORY .
in-toto-run --step-name build --key ../keys/builder --metadata-directory .. \
    --materials Dockerfile src/* --products image-digest.txt \
    -- bash -c "buildah bud --quiet --isolation chroot --timestamp 0 --tag app:latest . && \
        buildah inspect --type image --format='{{.FromImageID}}' app:latest > image-digest.txt && \
        buildah push --quiet app:latest oci:../image:latest"
in-toto-run --step-name scan --key ../keys/scanner --metadata-directory .. \
    --materials image-digest.txt --products vulnerability-report.json sbom.json \
    -- bash -c "trivy image --quiet --cache-dir ../trivy --skip-db-update --skip-java-db-update --offline-scan \
        --scanners vuln --format json --input ../image > vulnerability-report.json && \
        syft scan --quiet oci-dir:../image -o json > sbom.json"
mkdir link-metadata
mv ../*.link link-metadata/
mv ../root.layout .

# -- before it is deployed -----------------------------------------------------------------------------------------
in-toto-verify --layout root.layout --layout-key ../keys/owner.pub --link-dir ./link-metadata/
echo "verified: deploy"
