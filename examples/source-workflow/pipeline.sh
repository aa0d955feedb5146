#!/bin/bash
# Take a container image through checkout, build and scan with the in-toto programs, and verify before it is used.
#
#     pipeline.sh WORK [--closed] [--docker]
#
# WORK is a new or empty folder. What has to be on PATH: the in-toto programs and the python of Navicert, git, syft,
# trivy, and buildah; or with --docker a docker whose daemon answers. Nothing is fetched: the repository is made on the
# spot, trivy gets a database of this folder's own.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
form='' builder=buildah work=''
for word in "$@"; do
    case $word in
    --closed) form=--closed ;;
    --docker) builder=docker ;;
    *) work=$word ;;
    esac
done
if [ -z "$work" ]; then
    echo "usage: pipeline.sh WORK [--closed] [--docker]" >&2
    exit 2
fi
mkdir -p "$work"
cd "$work"
if [ -n "$(ls -A)" ]; then
    echo "pipeline.sh: $PWD is not empty" >&2
    exit 2
fi
top=$PWD

# -- surroundings: a repository, a database of flaws, and nobody asks the network ------------------------------------
cp -R "$here/app" repository
git -C repository init --quiet
git -C repository add --all
git -C repository -c user.name=Example -c user.email=example@example.org -c commit.gpgsign=false \
    commit --quiet --message "Tides"
python "$here/../container-build/tools/trivydb.py" "$here/../container-build/advisories.json" trivy
export TRIVY_CACHE_DIR="$top/trivy" TRIVY_SKIP_DB_UPDATE=true TRIVY_SKIP_JAVA_DB_UPDATE=true
export TRIVY_OFFLINE_SCAN=true TRIVY_SCANNERS=vuln TRIVY_QUIET=true
export SYFT_CHECK_FOR_APP_UPDATE=false SYFT_QUIET=true
export XDG_CACHE_HOME="$top/home" XDG_CONFIG_HOME="$top/home" XDG_DATA_HOME="$top/home"
if [ $builder = buildah ]; then
    export CONTAINERS_STORAGE_CONF="$top/storage.conf"
    for driver in overlay vfs; do
        rm -rf storage
        printf '[storage]\ndriver = "%s"\ngraphroot = "%s"\nrootless_storage_path = "%s"\nrunroot = "%s"\n' \
            "$driver" "$top/storage/root" "$top/storage/root" "$top/storage/run" >storage.conf
        if buildah info >/dev/null 2>storage.log; then
            break
        fi
    done
fi

# -- keys and layout -----------------------------------------------------------------------------------------------
mkdir -p keys
in-toto-keygen --type ed25519 keys/owner      # signs the layout
in-toto-keygen --type ed25519 keys/builder
in-toto-keygen --type ed25519 keys/scanner
python -m navicert.compat "$here/layout.py" ${form:+"$form"}

# -- the three steps: the clone needs an empty folder, so keys lie beside it until it is there -----------------------
mkdir work
cd work
in-toto-run --step-name checkout --key ../keys/builder \
    --products Dockerfile src/* requirements.txt -- git clone --quiet "$top/repository" .
ln -s ../keys keys
if [ $builder = docker ]; then
    in-toto-run --step-name build --key keys/builder --materials Dockerfile src/* --products image-digest.txt \
        -- bash -c "docker build -t app:latest . && docker inspect --format='{{.Id}}' app:latest > image-digest.txt"
    in-toto-run --step-name scan --key keys/scanner \
        --materials image-digest.txt --products vulnerability-report.json sbom.json \
        -- bash -c "trivy image --format json app:latest > vulnerability-report.json && \
            syft app:latest -o json > sbom.json"
else
    # Without a daemon an image has no place where both scanners would look for it by its name: it is pushed to one.
    in-toto-run --step-name build --key keys/builder --materials Dockerfile src/* --products image-digest.txt \
        -- bash -c "buildah bud --quiet --isolation chroot --timestamp 0 --tag app:latest . && \
            buildah inspect --type image --format='{{.FromImageID}}' app:latest > image-digest.txt && \
            buildah push --quiet app:latest oci:../image:latest"
    in-toto-run --step-name scan --key keys/scanner \
        --materials image-digest.txt --products vulnerability-report.json sbom.json \
        -- bash -c "trivy image --format json --input ../image > vulnerability-report.json && \
            syft oci-dir:../image -o json > sbom.json"
fi

# -- before it is deployed: links, the layout and the owner's public key are where the verifier is -------------------
mkdir link-metadata
mv ./*.link link-metadata/
mv ../root.layout .
rm keys
mkdir keys
cp ../keys/owner.pub keys/
in-toto-verify --layout root.layout --layout-key keys/owner.pub --link-dir ./link-metadata/
echo "verified: deploy"
