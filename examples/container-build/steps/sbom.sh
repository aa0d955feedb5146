#!/bin/sh
# sbom: list what is in the image. Run in the working directory.
set -eu
exec navicert run sbom --key keys/scanner --store release/evidence \
    --materials app=oci:image:1.0 --products release/sbom.cdx.json \
    -- syft scan --quiet --output cyclonedx-json=release/sbom.cdx.json oci-dir:image
