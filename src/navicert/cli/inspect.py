"""`navicert inspect`: a built-in inspection on the files of the current folder.

A layout names inspections by this command, so that every implementation of in-toto can run them; `navicert verify`
itself runs them without a process.
"""

from __future__ import annotations

import os
import sys

from navicert.errors import Malformed, Unavailable
from navicert.limits import LOCAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from navicert.verify.foundation import Layers

HELP = "run a built-in inspection on the files of this folder"
DESCRIPTION = """Run a built-in inspection on the files of this folder:
  json-none FILE --preset trivy|grype --severity LEVEL  no finding of it
  json-none FILE --path PATH --value VALUE  no value at PATH is VALUE
  json-all FILE --path PATH --value VALUE   every value at PATH is VALUE
  file-exists FILE                          it is there and not empty
  image-base IMAGE --base BASE              its lowest layers are those of BASE
Options repeat. PATH joins names by dots; name[] is each element, a final ? allows absence. IMAGE and BASE are oci:DIR,
oci-archive:FILE or docker-archive:FILE; BASE may be sha256:HEX, the digest of its layers. In a layout, "image-base
target --base materials:STEP/NAME" looks at the image that is judged, and needs no files."""
EXAMPLE = "navicert inspect json-none scan.json --preset trivy --severity CRITICAL"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `inspect`."""
    parser.add_argument("check", metavar="CHECK", help="which inspection")
    parser.add_argument("words", metavar="…", nargs="...", help="its files and options")


def run(args: argparse.Namespace) -> int:
    """The inspection's return value: 0 passed, 1 did not, 2 could not be judged."""
    from navicert.verify.builtin import BUILT_IN, run_built_in

    code, reason = run_built_in((*BUILT_IN, args.check, *args.words), _read, _read_layers)
    print(reason, file=sys.stdout if code == 0 else sys.stderr)
    return code


def _read(name: str) -> bytes:
    if not os.path.isfile(name):
        raise Malformed("no such file", path=name)
    try:
        with open(name, "rb") as file:
            raw = file.read(LOCAL.sbom_bytes + 1)
    except OSError as error:
        raise Unavailable(f"cannot be read: {error.strerror}", path=name) from error
    if len(raw) > LOCAL.sbom_bytes:
        raise Malformed("too large (limit sbom_bytes)", path=name)
    return raw


def _read_layers(place: str) -> Layers:
    from navicert.resolve.image import image_layers, open_image, parse_image_location

    return image_layers(open_image(parse_image_location(place)))
