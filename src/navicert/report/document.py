"""A document for people: who signed it, what it says, and what it does not say.

Nothing here is verified: the body is shown as it stands, and each signature only with what was found out about it.
"""

from __future__ import annotations

from itertools import islice

from navicert.dataclass import dataclass
from navicert.digest import DigestSet
from navicert.envelope.body import Body, describe
from navicert.errors import Malformed
from navicert.model.layout import Inspection, Layout, Step
from navicert.model.link import Link
from navicert.model.release import Release
from navicert.model.rule import Rule, RuleKind
from navicert.model.statement import Statement
from navicert.report.demand import demands, terms_of
from navicert.report.line import cut, escape
from navicert.timestamp import format_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from typing import Final

_LISTED: Final = 10
"""Artifacts, rules or keys that are listed unless all are asked for."""
_COLUMN: Final = 12
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
    page = _Page(width, everything, lines)
    page.section("signed by", [f"{who}  {said}" for who, said in _signatures(page, seen)])
    page.section("proofs", [escape(text) for text in seen.proofs])
    if seen.body is None:
        page.field("over", escape(seen.about) or "(it does not say)")
    elif isinstance(seen.body, Layout):
        _layout(page, seen.body, at)
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
        yield from _layout_silences(body)
    elif isinstance(body, Link):
        yield from _link_silences(body)
    else:
        from navicert.report.predicate import said_by

        yield from said_by(body).silences


# --- layout --------------------------------------------------------------------------------------------------------


def _layout(page: _Page, layout: Layout, at: datetime) -> None:
    release, problem = _release(layout)
    if release.name or release.version is not None:
        version = "" if release.version is None else f" version {release.version}"
        page.field("name", f"{escape(release.name) or '(none)'}{version}")
    if problem:
        page.field("name", f"unreadable: {escape(problem)}")
    days = (layout.expires - at).days
    left = f"in {days} days" if days > 1 else "within two days" if layout.expires > at else "expired"
    page.field("expires", f"{format_timestamp(layout.expires)} ({left})")
    readme = layout.readme if problem else Release().append_to(layout.readme)
    if layout.terms is not None:
        for label, text in terms_of(layout.terms):
            page.field(label, text)
    page.section("readme", [escape(line) for line in readme.splitlines()])
    terms = layout.terms
    bounds = {} if terms is None else {keyid: f"  {escape(str(one))}" for keyid, one in terms.validity.items()}
    page.section(
        "keys", [f"{page.id(id)}  {_key(id, k, release)}{bounds.get(id, '')}" for id, k in layout.keys.items()]
    )
    for label, authorities in (("root CAs", layout.rootcas), ("other CAs", layout.intermediatecas)):
        if authorities:
            from navicert.crypto.certificate_key import described

            page.section(label, [f"{page.id(id)}  {escape(described(value))}" for id, value in authorities.items()])
    names = {keyid: _owner(keyid, release) for keyid in layout.keys}
    for step in layout.steps:
        _step(page, step, names)
    for inspection in layout.inspections:
        page.lines.append(f"inspection {escape(inspection.name)}")
        page.field("runs", _command(inspection.run), 2)
        _rules(page, inspection)
    page.unknown(layout.extra)


def _release(layout: Layout) -> tuple[Release, str]:
    try:
        return layout.release, ""
    except Malformed as error:
        return Release(), error.what


def _owner(keyid: str, release: Release) -> str:
    person = release.person(keyid)
    return f"{escape(person)} ({escape(keyid[:8])})" if person else escape(keyid[:8])


def _key(keyid: str, key: Mapping[str, object], release: Release) -> str:
    # GPG keys have other names for both.
    kind, scheme = str(key.get("keytype", key.get("type", "?"))), str(key.get("scheme", key.get("method", "?")))
    person = release.person(keyid)
    text = escape(kind if kind == scheme else f"{kind} {scheme}")
    return f"{text}  {escape(person)}" if person else text


def _step(page: _Page, step: Step, names: Mapping[str, str]) -> None:
    page.lines.append(f"step {escape(step.name)}")
    who = ", ".join(
        [
            *(names.get(keyid) or f"{escape(keyid[:8])} (no such key)" for keyid in step.pubkeys),
            *(f"whoever has a {escape(str(constraint))}" for constraint in step.certificates),
            *(escape(str(identity)) for identity in step.identities),
        ]
    )
    verb = "performed by" if step.predicate is None else "attested by"
    claimed = step.predicate is not None and step.predicate.claimed
    page.field(verb, "nobody: a claim" if claimed else f"{step.threshold} of: {who or 'nobody'}", 2)
    for label, items in demands(step):
        page.section(label, items, 2)
    if step.expected_command:
        page.field("command", _command(step.expected_command), 2)
    _rules(page, step)
    page.unknown(step.extra, 2)


def _rules(page: _Page, item: Step | Inspection) -> None:
    for side, rules in (("materials", item.expected_materials), ("products", item.expected_products)):
        page.section(side, [escape(str(rule)) for rule in rules], 2)


def _layout_silences(layout: Layout) -> Iterator[str]:
    if not layout.steps:
        yield "what has to happen: it has no steps"
    unnamed = [
        step.name
        for step in layout.steps
        if not (step.pubkeys or step.certificates or (step.predicate is not None and step.predicate.claimed))
    ]
    if unnamed:
        yield f"who may perform {_names(unnamed)}"
    for side in ("materials", "products"):
        recorded = [step for step in layout.steps if step.predicate is None]
        open_ended = [step.name for step in recorded if not _is_closed(getattr(step, f"expected_{side}"))]
        if open_ended:
            yield f"that other {side} are forbidden (no final DISALLOW *): {_names(open_ended)}"
    free = [step.name for step in layout.steps if step.predicate is not None and not step.predicate.attributes]
    if free:
        yield f"what has to be in the statements for {_names(free)}"
    if _release(layout)[0].version is None:
        yield "its version: an older layout cannot be told from a newer one"


def _is_closed(rules: Sequence[Rule]) -> bool:
    return any(rule.kind is RuleKind.DISALLOW and rule.pattern == "*" for rule in rules)


# --- link ----------------------------------------------------------------------------------------------------------


def _link(page: _Page, link: Link) -> None:
    page.field("step", escape(link.name))
    page.field("command", _command(link.command) if link.command else "(none)")
    for side, artifacts in (("materials", link.materials), ("products", link.products)):
        page.artifacts(side, artifacts)
    page.section("byproducts", [_byproduct(name, value) for name, value in link.byproducts.items()])
    page.section("environment", [f"{escape(name)}: {_value(value)}" for name, value in link.environment.items()])
    page.unknown(link.extra)


def _byproduct(name: str, value: object) -> str:
    if not isinstance(value, str):
        return f"{escape(name)}: {_value(value)}"
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
            yield f"the content of some {side} (no strong digest): {_names(weak)}"
    if not link.command:
        yield "which command was run"
    elif "return-value" not in link.byproducts:
        yield "whether the command succeeded: it has no return value"
    if not link.environment:
        yield "where it was run: its environment is empty"


# --- statement -----------------------------------------------------------------------------------------------------


def _statement(page: _Page, statement: Statement) -> None:
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
            page.section(label, [_value(item) for item in items])
    else:
        page.section("says", [f"{escape(name)}: {_value(value)}" for name, value in statement.predicate.items()])
    page.unknown(statement.extra)


# --- lines ---------------------------------------------------------------------------------------------------------


class _Page:
    """Lines being written: labelled fields and lists."""

    def __init__(self, width: int, everything: bool, lines: list[str]) -> None:
        self.lines = lines
        self._width = width
        self._everything = everything

    def field(self, label: str, text: str, indent: int = 0) -> None:
        """A label and a value on one line."""
        line = f"{' ' * indent}{label:<{_COLUMN}} {text}"
        self.lines.append(line if self._everything else cut(line, self._width))

    def section(self, label: str, items: Sequence[str], indent: int = 0, *, total: int | None = None) -> None:
        """A label and a list, on one line where it has one item; nothing for an empty list. `total` is how many
        there are, where `items` holds only those that may be shown."""
        total = len(items) if total is None else total
        if total == 1:
            self.field(label, items[0], indent)
            return
        if not items:
            return
        shown = total if self._everything or total <= _LISTED + 1 else _LISTED
        self.lines.append(f"{' ' * indent}{label}")
        for item in items[:shown]:
            line = f"{' ' * (indent + 2)}{item}"
            self.lines.append(line if self._everything else cut(line, self._width))
        if shown < total:
            self.lines.append(f"{' ' * (indent + 2)}… {total - shown} more (--all shows them)")

    def artifacts(self, label: str, artifacts: Mapping[str, DigestSet]) -> None:
        """Paths with their digests."""
        if not artifacts:
            self.field(label, "(none)")
            return
        # A link may hold millions; only those that are shown are written out.
        entries = list(islice(artifacts.items(), None if self._everything else _LISTED + 1))
        longest = min(max(len(escape(path)) for path, _ in entries), 40)
        lines = [f"{escape(path):<{longest}}  {self.digests(digests)}" for path, digests in entries]
        total = len(artifacts)
        self.section(f"{label} ({total})" if total > 1 else label, lines, total=total)

    def id(self, keyid: str) -> str:
        """A key id, shortened unless everything is asked for."""
        return escape(keyid if self._everything else keyid[:16])

    def digests(self, digests: DigestSet) -> str:
        """A digest set, shortened unless everything is asked for."""
        if self._everything:
            return escape(str(digests))
        return " ".join(f"{escape(name)}:{value[:12]}" for name, value in digests) or "(no digest)"

    def unknown(self, fields: Mapping[str, object], indent: int = 0) -> None:
        """Fields that this version does not know."""
        self.section("unknown", [f"{escape(name)}: {_value(value)}" for name, value in fields.items()], indent)


def _signatures(page: _Page, seen: SeenDocument) -> Iterator[tuple[str, str]]:
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


def _command(words: Sequence[str]) -> str:
    import shlex

    return escape(shlex.join(words))


def _value(value: object) -> str:
    import json

    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return cut(escape(text), 400)


def _names(names: Sequence[str]) -> str:
    text = ", ".join(names[:5])
    return text if len(names) <= 5 else f"{text} and {len(names) - 5} more"
