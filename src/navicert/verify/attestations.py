"""Attestations as evidence: statements become the record that rules judge, and are asked what else a policy wants.

A transforming predicate's subjects are its products; an informing one's subjects are what it looked at, so they count
as materials, and it has no products. What a statement says of itself is judged here: its attributes, and its age. What
it is about is judged in `navicert.verify.subjects`, because that depends on what the other steps made.

Spec: in-toto attestation framework, spec/v1; in-toto ITE-10 and ITE-11 (drafts).
"""

from __future__ import annotations

from datetime import datetime

from navicert.digest import DigestSet
from navicert.errors import Malformed, Unavailable
from navicert.model.field import as_list
from navicert.model.layout import Layout
from navicert.model.predicate import read_predicate
from navicert.model.predicate.provenance import is_provenance
from navicert.model.requirement import Attribute, Requirement, Role, times_of
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.timestamp import format_timestamp, parse_rfc3339
from navicert.verdict import Check, broke, failed, passed, warned
from navicert.verify.case import Case
from navicert.verify.cel import Expression, read_expression
from navicert.verify.cel_machine import Answer, evaluate_expression
from navicert.verify.rules import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Final

    from navicert.limits import Limits
    from navicert.model.moment import TrustedTime
    from navicert.verify.evidence import Claim

LINK_TYPE: Final = "https://in-toto.io/attestation/link/v0.3"
"""What expressions take a link for."""

Readings = dict[str, Expression]


# --- the record ----------------------------------------------------------------------------------------------------


def record_of(statement: Statement, role: Role) -> Record:
    """What `statement` reports, seen in `role`. Raises `Malformed` where its subjects cannot be told apart, or it is
    provenance that cannot be read."""
    subjects = _subjects(statement.subjects)
    if role is Role.INFORM:
        return Record(subjects, {})
    return Record(_materials(statement), subjects)


def _subjects(descriptors: Sequence[ResourceDescriptor]) -> dict[str, DigestSet]:
    named: dict[str, DigestSet] = {}
    for descriptor in descriptors:
        name = _name(descriptor)
        known = named.setdefault(name, descriptor.digests)
        if known != descriptor.digests:
            raise Malformed("two subjects of one name", got=repr(name)[:80])
    return named


def _name(descriptor: ResourceDescriptor) -> str:
    """What a descriptor calls its artifact. One without a name (`_` is none either) is called by its digest: nothing
    depends on names but the rules that use them."""
    name = descriptor.name if descriptor.name != "_" else None
    return name or descriptor.uri or str(descriptor.digests).partition(" ")[0]


def _materials(statement: Statement) -> dict[str, DigestSet]:
    """What a provenance predicate says went in: `resolvedDependencies` of version 1, `materials` of the older ones. No
    other field of it matters here, so provenance that lacks some is read all the same."""
    if not is_provenance(statement.predicate_type):
        return {}
    definition = statement.predicate.get("buildDefinition")
    where, items = "/predicate/materials", statement.predicate.get("materials")
    if isinstance(definition, dict):
        where, items = "/predicate/buildDefinition/resolvedDependencies", definition.get("resolvedDependencies")
    named: dict[str, DigestSet] = {}
    for i, item in enumerate(as_list([] if items is None else items, where)):
        descriptor = ResourceDescriptor.from_json(item, f"{where}/{i}")
        name = _name(descriptor)
        if named.get(name, descriptor.digests) != descriptor.digests:
            # One source in two versions: both stay, and no rule that knows the one accepts the other by its name.
            name = f"{name}@{descriptor.digests}"
        named[name] = descriptor.digests
    return named


# --- what a statement says -----------------------------------------------------------------------------------------


def examine(
    statement: Statement,
    requirement: Requirement,
    case: Case,
    readings: Readings,
    times: Sequence[TrustedTime] = (),
) -> tuple[Check, ...]:
    """A check for each attribute rule of `requirement`, and for the age that it allows. They share the work that they
    may take, `cel_steps`. `readings` holds the expressions that were read before; `times` are moments at which the
    statement is proved to have existed."""
    variables = {
        "subject": statement.to_json()["subject"],
        "predicateType": statement.predicate_type,
        "predicate": statement.predicate,
    }
    content = _Content(variables, case, readings)
    checks = _form(statement, strict=case.strict)
    checks += [content.attribute(attribute) for attribute in requirement.attributes]
    if requirement.max_age is not None:
        checks.append(_age(statement, requirement, content, case, times))
    return tuple(checks)


def examine_link(link: Claim, attributes: Sequence[Attribute], case: Case, readings: Readings) -> tuple[Check, ...]:
    """A check for each attribute rule on a link, which expressions see as the statement that it could be: a link
    predicate about its products, whatever form it came in."""
    predicate: dict[str, object] = {
        "name": link.name,
        "materials": _descriptors(link.record.materials),
        "byproducts": dict(link.byproducts),
        "environment": dict(link.environment),
    }
    if link.command:  # without one the link makes no claim about what was run
        predicate["command"] = list(link.command)
    variables = {"subject": _descriptors(link.record.products), "predicateType": LINK_TYPE, "predicate": predicate}
    content = _Content(variables, case, readings)
    return tuple(content.attribute(attribute) for attribute in attributes)


def _descriptors(artifacts: Mapping[str, DigestSet]) -> list[object]:
    return [{"name": name, "digest": digests.to_json()} for name, digests in artifacts.items()]


def _form(statement: Statement, *, strict: bool) -> list[Check]:
    """Whether the predicate is what its type says: a warning, since the policy says itself what it has to say."""
    kind, spec = statement.predicate_type, "in-toto attestation framework, spec/predicates"
    try:
        known = read_predicate(kind, statement.predicate)
    except Malformed as error:
        say = failed if strict else warned
        return [say("attestation.predicate", kind, f"is not what its type says: {error}", spec=spec)]
    return [] if known is None else [passed("attestation.predicate", kind, "is what its type says", spec=spec)]


class _Content:
    """A statement as expressions see it."""

    def __init__(self, variables: Mapping[str, object], case: Case, readings: Readings) -> None:
        self._variables = {**variables, "parameters": dict(case.parameters or {}), "now": case.at}
        self._limits = case.limits
        self._left = case.limits.cel_steps
        self._readings = readings

    def ask(self, text: str) -> Answer:
        """What the expression `text` comes to. Raises `Malformed` and `Unavailable` as `read_expression` does."""
        expression = self._readings.get(text)
        if expression is None:
            expression = self._readings[text] = read_expression(text, self._limits)
        answer = evaluate_expression(expression, self._variables, steps=self._left)
        self._left -= answer.steps
        return answer

    def attribute(self, attribute: Attribute) -> Check:
        """Whether an attribute rule holds: only what comes to true does."""
        id, subject = "attestation.attribute", attribute.rule
        spec = "ITE-11; CEL"
        try:
            answer = self.ask(attribute.rule)
        except Unavailable as error:
            return broke(id, subject, str(error), spec=spec)
        if answer.problem:
            if attribute.optional and answer.absent:
                return passed(id, subject, f"{answer.problem}, and the policy lets that pass", spec=spec)
            return failed(id, subject, f"has no value: {answer.problem}", spec=spec)
        if answer.value is True:
            return passed(id, subject, "is true", spec=spec)
        reason = "is false" if answer.value is False else "is neither true nor false"
        return failed(id, subject, reason, spec=spec)


def _age(
    statement: Statement, requirement: Requirement, content: _Content, case: Case, times: Sequence[TrustedTime]
) -> Check:
    """Whether the statement is young enough at the moment that is judged for. The time is the one that its signer
    vouches for in the statement itself: no file's, store's or envelope's counts. Where a log or an authority proves
    that it existed earlier, it is not believed."""
    at, limits = case.at, case.limits
    id, subject, spec = "attestation.age", requirement.name, "Navicert: freshness at a trusted time"
    try:
        moment, source = _moment(statement, requirement, content)
    except Unavailable as error:
        return broke(id, subject, str(error), spec=spec)
    if moment is None:
        return failed(id, subject, f"says no time that could be judged: {source}", spec=spec)
    most = requirement.max_age or 0
    age = (at - moment).total_seconds()
    facts = {"time": format_timestamp(moment), "at": format_timestamp(at), "age": int(age), "max_age": most}
    if age < -limits.clock_skew_seconds:
        reason = f"is dated {format_timestamp(moment)}, after the moment that is judged for, {format_timestamp(at)}"
        return failed(id, subject, reason, facts=facts, spec=spec)
    proved = next((one for one in times if (moment - one.at).total_seconds() > limits.clock_skew_seconds), None)
    if proved is not None:
        reason = f"says that it is from {format_timestamp(moment)}, and existed already at {proved}"
        return failed(id, subject, reason, facts=facts, spec=spec)
    reason = f"{span(max(age, 0))} old ({format_timestamp(moment)}), at most {span(most)} allowed"
    say = passed if age <= most else failed
    return say(id, subject, reason, facts=facts, spec=spec)


def _moment(statement: Statement, requirement: Requirement, content: _Content) -> tuple[datetime | None, str]:
    """The moment that a statement counts from; or None, and why."""
    if requirement.time:
        answer = content.ask(requirement.time)
        value, source = answer.value, answer.problem or f"{requirement.time} is no timestamp"
    else:
        paths = times_of(statement.predicate_type)
        source = f"predicate.{' or predicate.'.join('.'.join(path) for path in paths)} is missing or no timestamp"
        value = next((found for path in paths if (found := _at(statement.predicate, path)) is not None), None)
    if isinstance(value, datetime):
        return value, source
    try:
        return (parse_rfc3339(value) if isinstance(value, str) else None), source
    except Malformed:
        return None, source


def _at(value: object, path: tuple[str, ...]) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def span(seconds: float) -> str:
    """A length of time for people, in the largest unit that it holds twice or exactly."""
    whole = int(seconds)
    units = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
    size, unit = next((one for one in units if whole >= 2 * one[0] or whole == one[0]), units[-1])
    number = whole // size
    return f"{number} {unit}{'s' * (number != 1)}"


def check_expressions(layout: Layout, limits: Limits) -> None:
    """Raise `Malformed` for an expression of `layout` that is none. Where none can be read nothing is said here: the
    checks that need one cannot be judged then, and say so."""
    for _, text, step in expressions(layout):
        try:
            read_expression(text, limits)
        except Unavailable:
            return
        except Malformed as error:
            error.pointer = f"/steps ({step})"
            raise


def expressions(layout: Layout) -> Iterator[tuple[str, str, str]]:
    """Every expression of `layout`, with what it is for and the step that it belongs to."""
    for step in layout.steps:
        for attribute in step.attributes if step.predicate is None else step.predicate.attributes:
            yield "attribute", attribute.rule, step.name
        if step.predicate is not None and step.predicate.time:
            yield "time", step.predicate.time, step.name
