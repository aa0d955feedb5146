#!/bin/sh
# base: gather what the image starts from, with the script that came with the source. Run in the working directory.
set -eu
exec navicert run base --key keys/builder --store release/evidence \
    --materials source/base.sh --products base \
    -- sh source/base.sh base
