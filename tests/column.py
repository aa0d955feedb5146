"""What the tests of the two columns are made of: documents signed as they are, and what a verdict says.

A layout that no program of ours would write is signed here byte for byte, so that what is wrong with it is all that is.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping

from navicert.crypto.signer import Signer
from navicert.envelope.dsse import PAYLOAD_TYPE, pae
from navicert.strictjson import canonical
from navicert.testing import Chain, chain, signer
from navicert.verdict import Verdict

Change = Callable[[bytes], bytes]
"""What is done to the JSON text of a document before it is signed."""

GOOD = chain().step("build", by="bob").link("build", products={"app": b"elf"})
"""A chain that nothing is wrong with."""


def text_of(document: Mapping[str, object]) -> bytes:
    """JSON that is easy to take apart: no spaces, keys sorted."""
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def signed(payload: bytes, *who: Signer) -> bytes:
    """A DSSE envelope around just these bytes."""
    message = pae(PAYLOAD_TYPE, payload)
    signatures = [{"keyid": one.keyid, "sig": base64.b64encode(one.sign(message)).decode()} for one in who]
    encoded = base64.b64encode(payload).decode()
    return text_of({"payload": encoded, "payloadType": PAYLOAD_TYPE, "signatures": signatures})


def signed_layout(made: Chain, change: Change, by: str = "owner") -> bytes:
    """The layout of `made`, changed and then signed."""
    before = text_of(made.layout().to_json())
    return signed(change(before), signer(by))


def metablock_with(signed_part: str, by: str) -> bytes:
    """A Metablock around the text `signed_part`, with the signature that its parsed form asks for: the last of two
    keys of one name counts, as it does for a parser that does not look."""
    one = signer(by)
    value = one.sign(canonical(json.loads(signed_part))).hex()
    return f'{{"signed":{signed_part},"signatures":[{{"keyid":"{one.keyid}","sig":"{value}"}}]}}'.encode()


def replaced(old: str, new: str) -> Change:
    """The change of the first `old` to `new`. There must be one."""

    def change(text: bytes) -> bytes:
        before, found, after = text.partition(old.encode())
        assert found
        return before + new.encode() + after

    return change


_STEP = '"name":"build"'
BAD_LAYOUTS: dict[str, Change] = {
    "no expiry": replaced('"expires":"2027-01-01T00:00:00Z",', ""),
    "a threshold of 0": replaced('"threshold":1', '"threshold":0'),
    "a threshold below 0": replaced('"threshold":1', '"threshold":-1'),
    "a threshold that is a fraction": replaced('"threshold":1', '"threshold":1.0'),
    "a threshold that is true": replaced('"threshold":1', '"threshold":true'),
    "a threshold that is text": replaced('"threshold":1', '"threshold":"1"'),
    "a step without a name": replaced(_STEP, '"name":""'),
    "a step whose name leads out": replaced(_STEP, '"name":"../build"'),
    "two steps of one name": replaced('"steps":[', '"steps":[{"name":"build"},'),
    "a key that stands twice": replaced('"threshold":1', '"threshold":1,"threshold":1'),
}
"""What is wrong with a layout → the change that makes it so in the layout of `GOOD`."""

ODD_PATHS = ("./app", "bin//app", "bin/../app", "file:./app", "bin/")
"""Paths that name what another spelling names."""

LEGAL_PATHS = ("../app", "/opt/app", "file:bin/app", "https://example.org/a//b", "pkg:npm/a@1", "a..b/c", "app")
"""Paths in normal form, and names that are no paths of files."""


def reasons(verdict: Verdict, id: str) -> list[str]:
    """What the checks `id` say."""
    return [check.reason for _, check in verdict.root.walk() if check.id == id]
