"""What no policy document may say: what looks like a demand and demands nothing.

Names that lead nowhere, informing predicates that are tied to nothing, and steps whose evidence could not be told
apart are refused when a policy is read, so that nobody finds out by an attack.
"""

from __future__ import annotations

from navicert.errors import Malformed
from navicert.model.requirement import Requirement, Role
from navicert.model.rule import Rule, RuleKind, Side
from navicert.model.standing import informs, is_claimed, parent_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Final

    from navicert.model.layout import Layout, Step


def check_policy(layout: Layout, where: str = "") -> None:
    """Raise `Malformed` for a policy that seems to demand what it does not: names that lead nowhere, informing
    predicates that are tied to nothing, steps whose evidence could not be told apart."""
    _refuse_doubled(layout, where)
    names = {step.name: step for step in layout.steps}
    for step in layout.steps:
        place = f"{where}/steps ({step.name})"
        _check_keys(layout, step, place)
        _check_certificates(layout, step, place)
        _check_sources(step, names, place)
        if step.predicate is not None:
            _check_predicate(step, step.predicate, place)
    visible = names.keys() | {inspection.name for inspection in layout.inspections}
    for inspection in layout.inspections:
        for rule in (*inspection.expected_materials, *inspection.expected_products):
            _check_source(rule, visible, f"{where}/inspect ({inspection.name})")
    for person, keyids in layout.release.persons.items():
        for keyid in keyids:
            if keyid not in layout.keys:
                raise Malformed(
                    f'person "{person}" has a key that is not in the policy', pointer=f"{where}/persons", got=keyid[:16]
                )
    _check_identities(layout, f"{where}/persons")
    if layout.terms is not None and layout.terms.target:
        _check_target(layout.terms.target, names, f"{where}/target")
    check_claims(layout, where)
    refuse_alike(layout, lambda keyid: _owner(layout, keyid), where)


def _check_identities(layout: Layout, where: str) -> None:
    """Of whom two identities are in words cannot be told where one may be described by an expression: that is found out
    when somebody has signed. See `navicert.verify.authority`."""
    owners: dict[tuple[str, str], str] = {}
    for person, identities in () if layout.terms is None else layout.terms.identities.items():
        for one in identities:
            exact = one.san.expression is None and one.issuer.expression is None
            if exact and owners.setdefault((one.san.text, one.issuer.text), person) != person:
                raise Malformed("one identity belongs to two persons", pointer=where, got=one.san.text[:80])


def _refuse_doubled(layout: Layout, where: str) -> None:
    seen: set[str] = set()
    for name in (*(step.name for step in layout.steps), *(one.name for one in layout.inspections)):
        if name in seen:
            raise Malformed("name used twice", pointer=f"{where}/steps", got=repr(name)[:80])
        seen.add(name)


def _check_keys(layout: Layout, step: Step, where: str) -> None:
    for keyid in step.pubkeys:
        # The id of a GPG subkey stands in its master's key, which only whoever reads keys can tell.
        if keyid not in layout.keys and not any("subkeys" in key for key in layout.keys.values()):
            raise Malformed("no such key", pointer=f"{where}/pubkeys", got=keyid[:16], remedy="add it to keys")


def _check_certificates(layout: Layout, step: Step, where: str) -> None:
    for index, constraint in enumerate(step.certificates):
        place = f"{where}/cert_constraints/{index}"
        if constraint.extra:
            raise Malformed("unknown field in a constraint", pointer=place, got=repr(min(constraint.extra))[:60])
        roots = layout.rootcas if constraint.roots == ("*",) else constraint.roots
        if not roots or not layout.rootcas.keys() >= set(roots):
            raise Malformed(
                "a constraint that no certificate meets",
                pointer=f"{place}/roots",
                expected='["*"], or ids of roots in rootcas',
                got=", ".join(constraint.roots)[:80] or "nothing",
            )


def _check_sources(step: Step, names: Mapping[str, Step], where: str) -> None:
    for rule in (*step.expected_materials, *step.expected_products):
        _check_source(rule, names.keys(), where)
    for rule in () if step.predicate is None else step.predicate.subjects:
        _check_source(rule, names.keys() - {step.name}, where)
        other = names.get(rule.step or "")
        if other is not None and rule.dest_type is Side.PRODUCTS and informs(other):
            raise Malformed("nothing is tied to what an informing predicate made", pointer=where, got=str(rule)[:120])


def _check_source(rule: Rule, names: Collection[str], where: str) -> None:
    if rule.step is None or "{" in rule.step or "}" in rule.step:
        return  # a parameter decides which step is meant
    if rule.step not in names:
        raise Malformed("a MATCH from a step that does not exist", pointer=where, got=str(rule)[:120])


def check_claims(layout: Layout, where: str = "") -> None:
    """Raise `Malformed` where something rests on a claim, which is only judged itself. To be asked again where a
    parameter has named a step."""
    claims = {step.name for step in layout.steps if is_claimed(step)}
    if not claims:
        return
    for step in layout.steps:
        subjects = () if step.predicate is None else step.predicate.subjects
        for rule in (*step.expected_materials, *step.expected_products, *subjects):
            _refuse_claim(rule, claims, f"{where}/steps ({step.name})")
    for inspection in layout.inspections:
        for rule in (*inspection.expected_materials, *inspection.expected_products):
            _refuse_claim(rule, claims, f"{where}/inspect ({inspection.name})")


def _refuse_claim(rule: Rule, claims: Collection[str], where: str) -> None:
    if rule.step in claims:
        raise Malformed(
            "a MATCH from a claim: what it names is nobody's word",
            pointer=where,
            got=str(rule)[:120],
            remedy="match what a step recorded, or a predicate that somebody signs",
        )


def _check_predicate(step: Step, requirement: Requirement, where: str) -> None:
    if requirement.role is Role.INFORM:
        if step.expected_products:
            raise Malformed(
                "rules about the products of an informing predicate, which has none",
                pointer=where,
                remedy="its subjects count as materials: write them there, or as subjects",
            )
        if not is_tied(step) and "/" not in step.name:
            raise Malformed(
                "an informing predicate that is tied to nothing: any statement of this kind would do",
                pointer=where,
                remedy='say what it has to be about, such as subjects: ["MATCH", "*", "WITH", "PRODUCTS", "FROM", …]',
            )


def is_tied(step: Step) -> bool:
    """Whether the policy itself says what the evidence for `step` has to be about: by subjects, or by rules that let
    nothing through but what another step reported."""
    if step.predicate is not None and step.predicate.subjects:
        return True
    rules = step.expected_materials if informs(step) else step.expected_products
    closed = bool(rules) and rules[-1].kind is RuleKind.DISALLOW and set(rules[-1].pattern) == {"*"}
    return closed and any(rule.kind is RuleKind.MATCH for rule in rules)


def _check_target(target: str, names: Mapping[str, Step], where: str) -> None:
    step = names.get(target)
    if step is None or informs(step) or is_claimed(step):
        kind = "a claim" if step is not None and is_claimed(step) else "an informing predicate"
        raise Malformed("no such step" if step is None else f"{kind} makes no target", pointer=where, got=target[:60])


def _owner(layout: Layout, keyid: str) -> str:
    return layout.release.person(keyid) or keyid


def refuse_alike(layout: Layout, principal: Callable[[str], object], where: str = "") -> None:
    """Raise `Malformed` where one statement could be evidence for two of the predicates that are demanded, and nothing
    in the policy tells which is which. `principal` gives whom a key id counts for."""
    alike: dict[tuple[object, ...], list[tuple[Step, Requirement]]] = {}
    for step in layout.steps:
        if step.predicate is None:
            continue
        lists = _lists(step)
        signers = [principal(keyid) for keyid in step.pubkeys]
        signers += [_IDENTITIES] * bool(step.identities) + [_CERTIFICATES] * bool(step.certificates)
        signers += [_NOBODY] * step.predicate.claimed
        for place in {(type, signer, lists) for type in step.predicate.types for signer in signers}:
            others = alike.setdefault(place, [])
            for other, against in others:
                if _may_be_one(place[1], step, other):
                    _refuse_pair(step, step.predicate, other, against, place[0], where)
            others.append((step, step.predicate))


_IDENTITIES: Final = object()
_NOBODY: Final = object()
"""Who signs claims."""
_CERTIFICATES: Final = object()


def _may_be_one(signer: object, step: Step, other: Step) -> bool:
    """Whether one signer of this kind may sign for both: one person, or an identity or certificate that both may mean,
    as expressions and `*` mean many."""
    if signer is _IDENTITIES:
        return any(one.may_meet(another) for one in step.identities for another in other.identities)
    if signer is _CERTIFICATES:
        return any(one.may_meet(another) for one in step.certificates for another in other.certificates)
    return True


def _refuse_pair(
    step: Step, requirement: Requirement, other: Step, against: Requirement, type: object, where: str
) -> None:
    mine, theirs = set(requirement.attributes), set(against.attributes)
    if mine - theirs and theirs - mine:
        return
    if step.expected_products != other.expected_products and step.expected_products and other.expected_products:
        return
    raise Malformed(
        f'the evidence for "{other.name}" and "{step.name}" could not be told apart',
        pointer=f"{where}/steps",
        got=f"both are {type}, about the same, and may be signed by the same",
        remedy="give them other signers, tie them to other artifacts, or give each an attribute rule of its own",
    )


def _lists(step: Step) -> frozenset[tuple[str, Side | None]]:
    """The lists that the evidence for `step` has to be about."""
    requirement = step.predicate
    rules = (*(() if requirement is None else requirement.subjects), *step.expected_materials, *step.expected_products)
    named = frozenset((rule.step, rule.dest_type) for rule in rules if rule.step is not None)
    return named or frozenset({(parent_of(step) or "", None)})
