"""The part of the catalogue that is about claims: what an image index holds unsigned."""

from __future__ import annotations

from navicert.verify.catalogue_entry import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

_PINNED: Final = "Navicert: what a signed index pins is claimed; BuildKit, attestation-storage.md"

CLAIM: Final[Mapping[str, Entry]] = {
    "attestation.claimed": Entry(
        "The statement stands in an image index, signed by nobody, about the manifest that the index files it under.",
        _PINNED,
        "It is a note of what the evidence is worth, and passes wherever it is shown.",
        "Demand a statement that somebody signs, where a builder's own word is too little.",
    ),
    "attestation.pinned": Entry(
        "Signed evidence names the index that holds a claim by its digest.",
        _PINNED,
        "The build step recorded the image without its index, or another index; or the claim was put into an index"
        " that nobody has signed anything about.",
        "Record the image after it was pushed or written with its index (`-p app=registry:…`, `-p app=oci:…`), or"
        " demand a statement about the index that somebody signs.",
    ),
}
"""Check id → what it stands for."""
