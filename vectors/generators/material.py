"""What cases are made of: chains that pass, documents signed in ways that no recorder would, and single changes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from navicert.strictjson import canonical
from navicert.testing import Chain, Files, chain, key, signer

Document = dict[str, Any]
Edit = Callable[[Document], object]

TYPE: Final = "application/vnd.in-toto+json"
SOURCE: Final = b"int main(void) { return 0; }\n"
OTHER: Final = b"int main(void) { return backdoor(); }\n"
APP: Final = b"the application\n"

ONE: Final = (
    chain()
    .having(form="metablock")
    .step(
        "build",
        by="bob",
        command="make app",
        materials=["ALLOW src/*", "DISALLOW *"],
        products=["CREATE app", "DISALLOW *"],
    )
)
"""One step, without its evidence."""

PLAIN: Final = ONE.link("build", command="make app", materials={"src/main.c": SOURCE}, products={"app": APP})
"""The smallest chain that passes: one step, one link."""

FETCHED: Final = (
    chain()
    .having(form="metablock")
    .step("fetch", by="alice", materials=["DISALLOW *"], products=["CREATE src/*", "DISALLOW *"])
    .step(
        "build",
        by="bob",
        materials=["MATCH src/* WITH PRODUCTS FROM fetch", "DISALLOW *"],
        products=["CREATE app", "DISALLOW *"],
    )
    .link("fetch", products={"src/main.c": SOURCE})
)
"""Two steps tied by MATCH, and the link of the first."""

TWO: Final = FETCHED.link("build", materials={"src/main.c": SOURCE}, products={"app": APP})
"""Two steps that fit together."""


def name_of(step: str, who: str) -> str:
    """The file name of the link of `step` by `who`."""
    return f"{step}.{key(who).short}.link"


def folder_of(step: str, who: str) -> str:
    """The folder of the evidence of the sublayout for `step` by `who`."""
    return f"{step}.{key(who).short}"


# --- documents -----------------------------------------------------------------------------------------------------


def layout_of(chain: Chain, edit: Edit | None = None) -> Document:
    """The JSON object of the layout of `chain`, edited."""
    return edited(chain.layout().to_json(), edit)


def link_of(
    name: str = "build",
    edit: Edit | None = None,
    *,
    materials: Files | None = None,
    products: Files | None = None,
) -> Document:
    """The JSON object of the link of PLAIN, or of another one, edited."""
    from navicert.model.link import Link
    from navicert.testing import artifacts

    body = Link(
        name,
        ("make", "app"),
        artifacts({"src/main.c": SOURCE} if materials is None else materials),
        artifacts({"app": APP} if products is None else products),
    )
    return edited(body.to_json(), edit)


def edited(document: Mapping[str, object], edit: Edit | None) -> Document:
    """A deep copy of `document`, edited."""
    copy: Document = json.loads(json.dumps(document))
    if edit is not None:
        edit(copy)
    return copy


def without(*names: str) -> Edit:
    """The edit that takes fields away."""

    def edit(document: Document) -> None:
        for name in names:
            del document[name]

    return edit


# --- signing -------------------------------------------------------------------------------------------------------


def signature(message: bytes, who: str, keyid: str | None = None) -> Document:
    """The entry of a Metablock for the signature of `who` over `message`."""
    return {"keyid": signer(who).keyid if keyid is None else keyid, "sig": signer(who).sign(message).hex()}


def block(signed: object, signatures: Sequence[object]) -> bytes:
    """A Metablock as in-toto 3.1.0 writes it."""
    document = {"signatures": list(signatures), "signed": signed}
    return json.dumps(document, indent=1, separators=(",", ": "), sort_keys=True).encode()


def metablock(signed: object, *who: str, over: object = None) -> bytes:
    """`signed` signed by `who`; or with signatures `over` another object or other bytes."""
    message = over if isinstance(over, bytes) else canonical(signed if over is None else over)
    return block(signed, [signature(message, one) for one in who])


def pae(payload: bytes, kind: str = TYPE) -> bytes:
    """What a DSSE signature is over."""
    return b" ".join([b"DSSEv1", b"%d" % len(kind.encode()), kind.encode(), b"%d" % len(payload), payload])


def entry(message: bytes, who: str, keyid: str | None = None) -> Document:
    """The entry of an envelope for the signature of `who` over `message`."""
    sig = base64.b64encode(signer(who).sign(message)).decode()
    return {"keyid": signer(who).keyid if keyid is None else keyid, "sig": sig}


def envelope(payload: bytes, signatures: Sequence[object], kind: str = TYPE) -> bytes:
    """A DSSE envelope as in-toto 3.1.0 writes it."""
    document = {"payload": base64.b64encode(payload).decode(), "payloadType": kind, "signatures": list(signatures)}
    return json.dumps(document, sort_keys=True).encode()


def dsse(payload: object, *who: str, kind: str = TYPE, over: bytes | None = None) -> bytes:
    """`payload` (bytes, or an object) signed by `who`; or with signatures `over` another message."""
    raw = payload if isinstance(payload, bytes) else json.dumps(payload, sort_keys=True).encode()
    message = pae(raw, kind) if over is None else over
    return envelope(raw, [entry(message, one) for one in who], kind)


# --- single changes ------------------------------------------------------------------------------------------------


def swap(raw: bytes, old: str | bytes, new: str | bytes) -> bytes:
    """`raw` with `new` in place of `old`, which must be there exactly once."""
    before = old.encode() if isinstance(old, str) else old
    after = new.encode() if isinstance(new, str) else new
    if raw.count(before) != 1:
        raise ValueError(f"{before!r} is there {raw.count(before)} times")
    return raw.replace(before, after)


def reopened(raw: bytes, edit: Edit) -> bytes:
    """The Metablock `raw` edited as a whole, signatures as they were."""
    document: Document = json.loads(raw)
    edit(document)
    return block(document["signed"], document["signatures"])
