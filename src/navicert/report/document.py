"""A document for people: who signed it, what it says, and what it does not say.

Nothing here is verified: the body is shown as it stands, and each signature only with what was found out about it.
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.envelope.body import Body, describe
from navicert.model.layout import Layout
from navicert.model.link import Link
from navicert.model.statement import Statement
from navicert.report.layout import layout_silences, show_layout
from navicert.report.line import escape
from navicert.report.page import Page, command_of, names_of, value_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Final

_FORMS: Final = {
    "dsse": "DSSE envelope",
    "metablock": "Metablock",
    "bundle": "Sigstore bundle",
    "unsigned": "not signed",
}


@dataclass(frozen=True, slots=True)
class SeenSignature:
    """One signature: the key id it names, whether it is valid (None: not checked) and with which key file; and what
    the certificate that came with it says of its holder, which nobody has checked."""

    keyid: str | None
    valid: bool | None = None
    key: str = ""
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class SeenDocument:
    """A document as it was read, signed or not. `form` is "dsse", "metablock", "bundle" or "unsigned".

    `body` is None for the signature of a file, `about` then says of which. `proofs` are what a bundle carries to prove
    who signed it and when, in words.
    """

    name: str
    form: str
    digest: str
    body: Body | None
    signatures: tuple[SeenSignature, ...] = ()
    about: str = ""
    proofs: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """What it is, in one word."""
        return "signature" if self.body is None else describe(self.body)


def document_json(seen: SeenDocument) -> dict[str, object]:
    """`seen` as a JSON object: `body` is the whole document, `does_not_say` what a reader might miss."""
    return {
        "type": "navicert-document/v1",
        "file": seen.name,
        "kind": seen.kind,
        "form": seen.form,
        "digest": seen.digest,
        "verified": False,
        "signatures": [
            {
                "keyid": signature.keyid,
                "valid": signature.valid,
                "key": signature.key or None,
                "certificate": signature.certificate or None,
            }
            for signature in seen.signatures
        ],
        "body": None if seen.body is None else seen.body.to_json(),
        "does_not_say": list(silences(seen)),
        "about": seen.about or None,
        "proofs": list(seen.proofs),
    }


def render_document(seen: SeenDocument, at: datetime, *, width: int = 80, everything: bool = False) -> str:
    """`seen` for people; `at` is the moment that its expiry is compared with. Lists are cut unless `everything`."""
    form = _FORMS[seen.form]
    lines = [f"{escape(seen.name)}: {seen.kind}, {form}, {seen.digest if everything else seen.digest[:19]}"]
    page = Page(width, everything, lines)
    page.section("signed by", [f"{who}  {said}" for who, said in _signatures(page, seen)])
    page.section("proofs", [escape(text) for text in seen.proofs])
    if seen.body is None:
        page.field("over", escape(seen.about) or "(it does not say)")
    elif isinstance(seen.body, Layout):
        show_layout(page, seen.body, at)
    elif isinstance(seen.body, Link):
        _link(page, seen.body)
    else:
        _statement(page, seen.body)
    page.section("does not say", [escape(text) for text in silences(seen)])
    return "\n".join(lines) + "\n"


def silences(seen: SeenDocument) -> Iterator[str]:
    """What a reader might take for granted and this document does not say. Not escaped."""
    if not seen.signatures:
        yield "who made it: nobody signed it"
    body = seen.body
    if body is None:
        yield "anything about the file but that somebody signed it"
    elif isinstance(body, Layout):
        yield from layout_silences(body)
    elif isinstance(body, Link):
        yield from _link_silences(body)
    else:
        from navicert.report.predicate import said_by

        yield from said_by(body).silences


def _signatures(page: Page, seen: SeenDocument) -> Iterator[tuple[str, str]]:
    if not seen.signatures:
        yield "nobody", ""
    for signature in seen.signatures:
        keyid = page.id(signature.keyid or "(no key id)")
        holder = f"certificate of {escape(signature.certificate)}; " if signature.certificate else ""
        if signature.valid is None and seen.form == "bundle" and holder:
            yield keyid, f"{holder}not checked (verify-attestation does)"
        elif signature.valid is None:
            yield keyid, f"{holder}not checked (--key PUB checks it)"
        elif signature.valid:
            yield keyid, f"{holder}valid: {escape(signature.key)}"
        else:
            yield keyid, f"{holder}NOT valid with any key given"


# --- link ----------------------------------------------------------------------------------------------------------


def _link(page: Page, link: Link) -> None:
    page.field("step", escape(link.name))
    page.field("command", command_of(link.command) if link.command else "(none)")
    for side, artifacts in (("materials", link.materials), ("products", link.products)):
        page.artifacts(side, artifacts)
    page.section("byproducts", [_byproduct(name, value) for name, value in link.byproducts.items()])
    page.section("environment", [f"{escape(name)}: {value_of(value)}" for name, value in link.environment.items()])
    page.unknown(link.extra)


def _byproduct(name: str, value: object) -> str:
    if not isinstance(value, str):
        return f"{escape(name)}: {value_of(value)}"
    lines = value.splitlines()
    more = f" (first of {len(lines)} lines)" if len(lines) > 1 else ""
    return f"{escape(name)}: {escape(lines[0]) if lines else '(empty)'}{more}"


def _link_silences(link: Link) -> Iterator[str]:
    yield "when it was made: a link carries no time"
    if not link.materials:
        yield "what the step used: it has no materials"
    if not link.products:
        yield "what the step made: it has no products"
    for side, artifacts in (("materials", link.materials), ("products", link.products)):
        weak = [path for path, digests in artifacts.items() if not digests.strong]
        if weak:
            yield f"the content of some {side} (no strong digest): {names_of(weak)}"
    if not link.command:
        yield "which command was run"
    elif "return-value" not in link.byproducts:
        yield "whether the command succeeded: it has no return value"
    if not link.environment:
        yield "where it was run: its environment is empty"


# --- statement -----------------------------------------------------------------------------------------------------


def _statement(page: Page, statement: Statement) -> None:
    from navicert.report.predicate import said_by

    said = said_by(statement)
    page.field("predicate", escape(statement.predicate_type))
    if said.title:
        page.field("is", escape(said.title))
    page.section(
        "subjects",
        [
            f"{escape(subject.name or subject.uri or '(no name)')}  {page.digests(subject.digests)}"
            for subject in statement.subjects
        ],
    )
    if said.problem:
        page.field("malformed", escape(said.problem))
    if said.lines:
        for label, items in said.lines:
            page.section(label, [value_of(item) for item in items])
    else:
        page.section("says", [f"{escape(name)}: {value_of(value)}" for name, value in statement.predicate.items()])
    page.unknown(statement.extra)
