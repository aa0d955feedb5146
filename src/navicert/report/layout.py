"""A layout or policy for people: who may do what, by which rules, and what it leaves open."""

from __future__ import annotations

from navicert.errors import Malformed
from navicert.model.layout import Inspection, Layout, Step
from navicert.model.release import Release
from navicert.model.rule import Rule, RuleKind
from navicert.report.demand import demands, terms_of
from navicert.report.line import escape
from navicert.report.page import Page, command_of, names_of
from navicert.timestamp import format_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime


def show_layout(page: Page, layout: Layout, at: datetime) -> None:
    """Write `layout` to `page`; `at` is the moment that its expiry is compared with."""
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
    declared = {} if terms is None else terms.identities
    page.section("identities", [f"{escape(str(one))}  {escape(who)}" for who, own in declared.items() for one in own])
    for label, authorities in (("root CAs", layout.rootcas), ("other CAs", layout.intermediatecas)):
        if authorities:
            from navicert.crypto.certificate_key import described

            page.section(label, [f"{page.id(id)}  {escape(described(value))}" for id, value in authorities.items()])
    names = {keyid: _owner(keyid, release) for keyid in layout.keys}
    for step in layout.steps:
        _step(page, step, names)
    for inspection in layout.inspections:
        page.lines.append(f"inspection {escape(inspection.name)}")
        page.field("runs", command_of(inspection.run), 2)
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


def _step(page: Page, step: Step, names: Mapping[str, str]) -> None:
    page.lines.append(f"step {escape(step.name)}")
    who = [
        *(names.get(keyid) or f"{escape(keyid[:8])} (no such key)" for keyid in step.pubkeys),
        *(f"whoever has a {escape(str(constraint))}" for constraint in step.certificates),
        *(escape(str(identity)) for identity in step.identities),
    ]
    verb = "performed by" if step.predicate is None else "attested by"
    if step.predicate is not None and step.predicate.claimed:
        page.field(verb, "nobody: a claim", 2)
    else:
        page.listed(verb, f"{step.threshold} of:", who or ["nobody"], 2)
    for label, items in demands(step):
        page.section(label, items, 2)
    if step.expected_command:
        page.field("command", command_of(step.expected_command), 2)
    _rules(page, step)
    page.unknown(step.extra, 2)


def _rules(page: Page, item: Step | Inspection) -> None:
    for side, rules in (("materials", item.expected_materials), ("products", item.expected_products)):
        page.section(side, [escape(str(rule)) for rule in rules], 2)


def layout_silences(layout: Layout) -> Iterator[str]:
    """What a reader might take for granted and `layout` does not say. Not escaped."""
    if not layout.steps:
        yield "what has to happen: it has no steps"
    unnamed = [
        step.name
        for step in layout.steps
        if not (step.pubkeys or step.certificates or step.identities)
        and not (step.predicate is not None and step.predicate.claimed)
    ]
    if unnamed:
        yield f"who may perform {names_of(unnamed)}"
    for side in ("materials", "products"):
        recorded = [step for step in layout.steps if step.predicate is None]
        open_ended = [step.name for step in recorded if not _is_closed(getattr(step, f"expected_{side}"))]
        if open_ended:
            yield f"that other {side} are forbidden (no final DISALLOW *): {names_of(open_ended)}"
    free = [step.name for step in layout.steps if step.predicate is not None and not step.predicate.attributes]
    if free:
        yield f"what has to be in the statements for {names_of(free)}"
    if _release(layout)[0].version is None:
        yield "its version: an older layout cannot be told from a newer one"


def _is_closed(rules: Sequence[Rule]) -> bool:
    return any(rule.kind is RuleKind.DISALLOW and rule.pattern == "*" for rule in rules)
