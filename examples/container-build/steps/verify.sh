#!/bin/sh
# verify: judge the release by the image in it. Needs the folder `release` and the owner's public key, nothing else.
set -eu
exec navicert verify --layout release/root.layout --owner keys/owner.pub --store release/evidence --strict \
    --inspect-from release oci-archive:release/app.tar
