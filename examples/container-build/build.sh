#!/bin/sh
# Build a container image through six recorded and signed steps, with real tools, and verify the result.
#
#     build.sh WORK
#
# WORK is a new or empty folder; everything is made in there, without a network. What has to be on PATH: navicert, git,
# buildah, skopeo, syft, trivy, python3; and Debian's package busybox-static has to be installed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
if [ $# -ne 1 ]; then
    echo "usage: build.sh WORK" >&2
    exit 2
fi
for tool in navicert git buildah skopeo syft trivy python3; do
    if ! command -v "$tool" >/dev/null; then
        echo "build.sh: $tool is not on PATH (README.md says where to get it)" >&2
        exit 2
    fi
done
mkdir -p "$1"
cd "$1"
if [ -n "$(ls -A)" ]; then
    echo "build.sh: $PWD is not empty" >&2
    exit 2
fi

title() {
    printf '\n== %s\n' "$1"
}

title "The upstream repository, made on the spot"
cp -R "$here/app" repository
git -C repository init --quiet
git -C repository add --all
git -C repository -c user.name=Example -c user.email=example@example.org -c commit.gpgsign=false \
    commit --quiet --message "Harbour notices"

title "A vulnerability database of this folder's own, with one made-up advisory"
python3 "$here/tools/trivydb.py" "$here/advisories.json" trivy

title "An environment for the tools: storage and caches in this folder, no look at the network"
cat >environment.sh <<END
export CONTAINERS_STORAGE_CONF="$PWD/storage.conf"
export XDG_CACHE_HOME="$PWD/home" XDG_CONFIG_HOME="$PWD/home" XDG_DATA_HOME="$PWD/home"
export SYFT_CHECK_FOR_APP_UPDATE=false
END
# shellcheck source=/dev/null
. ./environment.sh
# Overlay mounts for the layers where the machine allows them, else plain copies.
for driver in overlay vfs; do
    rm -rf storage
    cat >storage.conf <<END
[storage]
driver = "$driver"
graphroot = "$PWD/storage/root"
rootless_storage_path = "$PWD/storage/root"
runroot = "$PWD/storage/run"
END
    if buildah info >/dev/null 2>storage.log; then
        break
    fi
done
echo "storage driver: $driver"

title "Keys: the owner says what has to happen, three functionaries do it"
for name in owner builder scanner publisher; do
    navicert keygen "keys/$name"
done

title "The layout, signed by its owner"
cp "$here/layout.yaml" layout.yaml
mkdir release
navicert layout sign layout.yaml --key keys/owner -o release/root.layout

for step in checkout base build sbom scan publish verify; do
    title "$step"
    grep -v '^#\|^set' "$here/steps/$step.sh" | sed '/^$/d; s/^exec /$ /'
    sh "$here/steps/$step.sh"
done
