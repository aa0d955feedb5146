#!/bin/sh
# Say which level of SLSA the release has reached, and add one piece of evidence after the other until it is the highest.
#
#     levels.sh WORK
#
# WORK is the folder in which build.sh has been. Whoever plays a service or a person here is a key in WORK/levels.
set -eu

if [ $# -ne 1 ] || [ ! -f "$1/release/root.layout" ]; then
    echo "usage: levels.sh WORK   (the folder that build.sh has filled)" >&2
    exit 2
fi
cd "$1"
rm -rf levels
mkdir levels
image=oci-archive:release/app.tar
commit=$(git -C repository rev-parse HEAD)
forge=https://forge.example/harbour/notices
builder=https://ci.example/builder/v1

# The report on the release, by the expectations and with the attestations that there are by then. It ends with another
# code than 0 where a level that is required is not reached.
report() {
    set -- --layout release/root.layout --owner keys/owner.pub --store release/evidence --inspect-from release \
        --name harbour-notices "$@"
    for file in levels/*.intoto.json; do
        if [ -f "$file" ]; then
            set -- "$@" --attestation "$file"
        fi
    done
    navicert slsa "$image" "$@"
}

# Expectations in the file of this name, signed by the owner: levels/$1.json becomes levels/$1.signed.
sign() {
    navicert attest --type urn:navicert:expectations:v1 --predicate "levels/$1.json" --subject "levels/$1.json" \
        --key keys/owner -o "levels/$1.signed"
}

# The public key in a file, as one line of JSON.
pem() {
    awk '{ printf "%s\\n", $0 }' "$1"
}

title() {
    printf '\n== %s\n' "$1"
}

title "1: what the pipeline has recorded is documented, and no more"
report --require table:1

title "3, as declared: the owner says, signed, what nobody has recorded"
cat >levels/declared.json <<END
{"type": "navicert-expectations/v1", "name": "harbour notices, declared",
 "declared": {
   "service": "The build runs on our own runners; nobody logs in to them.",
   "generated": "The runner signs with a key that its jobs cannot read.",
   "version-control": "The source is in git, and the checkout step clones it.",
   "as-code": "The steps are files of this repository.",
   "ephemeral": "Each job gets a machine of its own, which is thrown away.",
   "isolated": "Jobs share no disk and no network.",
   "non-falsifiable": "See generated.",
   "parameters": "The pipeline takes none.",
   "history": "Everybody signs in with a second factor.",
   "retained": "The repository is mirrored and kept for ten years."}}
END
sign declared
report --expect levels/declared.signed --expect-key keys/owner.pub --require declared:3

title "3, as evidenced: provenance by the CI service, a summary of the source, and whom to trust for them"
for name in ci source monitor alice bob; do
    navicert keygen "levels/$name" >/dev/null
done
env GITLAB_CI=true CI_SERVER_URL=https://forge.example CI_PROJECT_PATH=harbour/notices CI_COMMIT_SHA="$commit" \
    CI_COMMIT_REF_NAME=main CI_PIPELINE_ID=7 \
    navicert attest provenance release/evidence/build.*.link --link-key keys/builder.pub --key levels/ci \
    --builder-id "$builder" --ci -o levels/provenance.intoto.json
cat >levels/source.json <<END
{"verifier": {"id": "https://forge.example/verifier"}, "timeVerified": "2026-01-31T00:00:00Z",
 "resourceUri": "git+$forge", "policy": {"uri": "https://forge.example/policy"},
 "verificationResult": "PASSED", "verifiedLevels": ["SLSA_SOURCE_LEVEL_3"]}
END
navicert attest --type vsa --predicate levels/source.json --subject "gitCommit:$commit" --key levels/source \
    -o levels/source.intoto.json
cat >levels/trusted.json <<END
{"type": "navicert-expectations/v1", "name": "harbour notices",
 "images": [{
   "image": "harbour-notices", "source": "git+$forge", "builder": "$builder",
   "build_type": "urn:navicert:build:recorded-step:v1",
   "parameters": {
     "step": "build", "source": "git+$forge@main",
     "command": ["buildah", "bud", "--quiet", "--isolation", "chroot", "--timestamp", "0", "--build-context",
                 "base=base", "--tag", "oci:image:1.0", "source"]}}],
 "builders": [{"id": "$builder", "signer": {"key": "$(pem levels/ci.pub)"}, "level": 3, "hosted": true}],
 "verifiers": [{"id": "https://forge.example/verifier", "signer": {"key": "$(pem levels/source.pub)"}, "source": 4}],
 "people": {"alice": "$(pem levels/alice.pub)", "bob": "$(pem levels/bob.pub)"},
 "reviewers": ["alice", "bob"],
 "monitors": ["$(pem levels/monitor.pub)"]}
END
sign trusted
report --expect levels/trusted.signed --expect-key keys/owner.pub --require table:3 --require build:3 --require source:3

title "4, as evidenced: two persons agree to the commit, and a monitor saw no connection while it was built"
for name in alice bob; do
    navicert attest review --subject "gitCommit:$commit" --key "levels/$name" -o "levels/review-$name.intoto.json"
done
cat >levels/trace.json <<END
{"monitor": {"type": "https://monitor.example/v1", "tracePolicy": {"calls": ["connect", "sendto"]}},
 "monitoredProcess": {"hostID": "https://ci.example/runner/3", "type": "https://ci.example/job", "event": "7"},
 "monitorLog": {"process": [], "network": []}}
END
navicert attest --type runtime-trace --predicate levels/trace.json --subject "$image" --key levels/monitor \
    -o levels/trace.intoto.json
report --expect levels/trusted.signed --expect-key keys/owner.pub --require table:4
