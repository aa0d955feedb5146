"""Signed links of any size, written as in-toto 3.1.0 writes them, without building them in memory piece by piece.

The text of a list of artifacts is made once and used for every link that holds it: as the products of one step and
the materials of the next, and for every signature of a threshold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from navicert.crypto.signer import Signer
from navicert.envelope.dsse import PAYLOAD_TYPE, encode_base64, pae

Form = Literal["metablock", "dsse"]

_PLAIN: Final = re.compile(r"[ !#-\[\]-~]*")
"""Text that stands for itself in JSON."""


class Artifacts:
    """The artifacts that a step had before or after: path → SHA-256 in hex."""

    def __init__(self, digests: Mapping[str, str]) -> None:
        self.digests = dict(sorted(digests.items()))
        if not all(map(_PLAIN.fullmatch, self.digests)):
            raise ValueError("a path that JSON would escape")

    def __len__(self) -> int:
        return len(self.digests)

    @cached_property
    def compact(self) -> str:
        """The object without white space, as signed in a Metablock."""
        return "{" + ",".join(f'"{path}":{{"sha256":"{value}"}}' for path, value in self.digests.items()) + "}"

    @cached_property
    def spaced(self) -> str:
        """The object as `json.dumps` writes it, which is what a DSSE envelope carries."""
        return "{" + ", ".join(f'"{path}": {{"sha256": "{value}"}}' for path, value in self.digests.items()) + "}"

    @cached_property
    def indented(self) -> str:
        """The object as it stands in the file of a Metablock."""
        if not self.digests:
            return "{}"
        entries = (f'   "{path}": {{\n    "sha256": "{value}"\n   }}' for path, value in self.digests.items())
        return "{\n" + ",\n".join(entries) + "\n  }"


@dataclass(frozen=True, slots=True)
class LinkText:
    """One link, not yet signed."""

    name: str
    materials: Artifacts
    products: Artifacts

    def seal(self, signer: Signer, form: Form) -> bytes:
        """The link signed by `signer`, as the bytes of a file."""
        if form == "dsse":
            payload = self._write(", ", ": ", "spaced").encode()
            entry = {"keyid": signer.keyid, "sig": encode_base64(signer.sign(pae(PAYLOAD_TYPE, payload)))}
            envelope = {"payload": encode_base64(payload), "payloadType": PAYLOAD_TYPE, "signatures": [entry]}
            return json.dumps(envelope, sort_keys=True).encode()
        message = self._write(",", ":", "compact").encode()
        entry = {"keyid": signer.keyid, "sig": signer.sign(message).hex()}
        signed = (
            '{\n  "_type": "link",\n'
            '  "byproducts": {\n   "return-value": 0\n  },\n'
            '  "command": [\n   "make"\n  ],\n'
            '  "environment": {},\n'
            f'  "materials": {self.materials.indented},\n'
            f'  "name": "{self.name}",\n'
            f'  "products": {self.products.indented}\n }}'
        )
        signatures = json.dumps([entry], indent=1, separators=(",", ": "), sort_keys=True).replace("\n", "\n ")
        return f'{{\n "signatures": {signatures},\n "signed": {signed}\n}}'.encode()

    def _write(self, comma: str, colon: str, style: Literal["compact", "spaced"]) -> str:
        fields = {
            "_type": '"link"',
            "byproducts": f'{{"return-value"{colon}0}}',
            "command": '["make"]',
            "environment": "{}",
            "materials": getattr(self.materials, style),
            "name": f'"{self.name}"',
            "products": getattr(self.products, style),
        }
        return "{" + comma.join(f'"{name}"{colon}{value}' for name, value in fields.items()) + "}"
