#!/bin/sh
# Attack what build.sh made, in copies of it, and show how each attack is refused.
#
#     attack.sh WORK [ATTACK]
#
# WORK is the folder that was given to build.sh; the copies stay in WORK/attacks. Without ATTACK all are played.
# Exit code 0: every one was refused, with exit code 1 of `navicert verify`.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
attacks="image-altered release-replaced source-changed critical-found report-swapped step-skipped foreign-key"
if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    echo "usage: attack.sh WORK [ATTACK]; ATTACK is one of: $attacks" >&2
    exit 2
fi
cd "$1"
work=$PWD
if [ ! -f release/app.tar ]; then
    echo "attack.sh: nothing was built in $work: run build.sh on it" >&2
    exit 2
fi
# shellcheck source=/dev/null
. ./environment.sh

# again STEP...: the people of the pipeline go on, with their own keys, and notice nothing.
again() {
    for step in "$@"; do
        sh "$here/steps/$step.sh"
    done
}

# An honest image with one file replaced, under the same name.
alter_image() {
    mkdir altered
    cat >altered/Dockerfile <<'END'
FROM oci:image:1.0
COPY --chmod=0755 berth /srv/cgi-bin/berth
END
    cat >altered/berth <<'END'
#!/bin/sh
exec sh -c "$QUERY_STRING"
END
    buildah bud --quiet --isolation chroot --tag oci:altered-image:1.0 altered
    buildah rmi --all --force >/dev/null
    rm -r image
    mv altered-image image
}

image_altered() {
    echo "After the scan, the image in the build folder gets a back door. It is published as always."
    alter_image
    again publish
}

release_replaced() {
    echo "The published file is replaced by an image with a back door. All evidence is left as it was."
    alter_image
    skopeo copy --quiet oci:image:1.0 oci-archive:release/app.tar:1.0
}

source_changed() {
    echo "Between checkout and build, somebody edits one file. Everything after it is done honestly."
    echo 'echo pay at the bar' >>source/src/cgi-bin/berth
    rm -r image
    again build sbom scan publish
}

critical_found() {
    echo "No attack: the scanner knows a critical flaw by now, and says so in its report."
    python3 "$here/tools/trivydb.py" "$here/advisories-critical.json" trivy
    again scan publish
}

report_swapped() {
    echo "The scanner reports a critical flaw. Its report is replaced by the clean one of the last release."
    python3 "$here/tools/trivydb.py" "$here/advisories-critical.json" trivy
    again scan
    cp "$work/release/report.json" release/report.json
    again publish
}

step_skipped() {
    echo "Nobody scanned: there is a report, but no evidence of the step that makes one."
    rm release/evidence/scan.*.link
}

foreign_key() {
    echo "The scan is signed by somebody else, with a key of her own."
    rm release/evidence/scan.*.link
    navicert keygen keys/mallory
    navicert run scan --key keys/mallory --store release/evidence \
        --materials app=oci:image:1.0 --materials trivy/db --products release/report.json -- true
}

# play ATTACK: in a fresh copy of everything; fails unless the verification says "judged, and not passed".
play() {
    printf '\n== %s\n' "$1"
    mkdir -p "$work/attacks"
    rm -rf "$work/attacks/$1"
    mkdir "$work/attacks/$1"
    cp -R "$work/keys" "$work/source" "$work/base" "$work/image" "$work/trivy" "$work/release" "$work/attacks/$1"
    cd "$work/attacks/$1"
    "$(printf %s "$1" | tr - _)"
    code=0
    sh "$here/steps/verify.sh" || code=$?
    cd "$work"
    if [ "$code" -ne 1 ]; then
        echo "attack.sh: $1: expected exit code 1, got $code" >&2
        exit 1
    fi
    echo "(exit code 1)"
}

if [ $# -eq 2 ]; then
    case " $attacks " in
    *" $2 "*) attacks=$2 ;;
    *)
        echo "attack.sh: no attack $2; there are: $attacks" >&2
        exit 2
        ;;
    esac
fi
for attack in $attacks; do
    play "$attack"
done
