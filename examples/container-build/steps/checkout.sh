#!/bin/sh
# checkout: fetch the source. Product: every file of it. Run in the working directory.
set -eu
exec navicert run checkout --key keys/builder --store release/evidence \
    --products source \
    -- git clone --quiet repository source
