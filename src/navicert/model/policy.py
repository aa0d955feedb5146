"""Our own policy document: what a classic layout says, and what it cannot say, under a type of its own.

It has name, version and persons as fields, and its steps may require predicates. Everything is explicit: a field that
this version does not know is refused, because a demand that is ignored is a demand that is met by nothing. Other
implementations do not take it for a layout: its `_type` and the payload type of its envelope are its own.

The format is described in docs/reference/policy-document.md.
"""

from __future__ import annotations

from navicert.dataclass import replace
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_integer, as_keyid, as_list, as_name, as_object, as_text, required
from navicert.model.identity import IdentityPolicy
from navicert.model.layout import Inspection, Layout, Step, read_keys
from navicert.model.release import Release
from navicert.model.requirement import Requirement, attributes_json, read_attributes
from navicert.model.soundness import check_policy
from navicert.model.terms import RunRule, Terms
from navicert.strictjson import pointer
from navicert.timestamp import format_timestamp, parse_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from typing import Final

    from navicert.model.validity import Validity

POLICY_TYPE: Final = "navicert-policy/v1"
"""What `_type` says in every policy document of this version."""

_POLICY: Final = frozenset(
    {
        "_type",
        "name",
        "version",
        "expires",
        "readme",
        "keys",
        "persons",
        "validity",
        "rootcas",
        "intermediatecas",
        "target",
        "run",
        "steps",
        "inspect",
    }
)
_RULES: Final = frozenset({"expected_materials", "expected_products"})
_SIGNERS: Final = frozenset({"threshold", "pubkeys", "cert_constraints"})
_STEP: Final = _RULES | _SIGNERS | {"name", "identities", "expected_command", "attributes", "record", "predicates"}
_PREDICATE: Final = _RULES | {
    "name",
    "types",
    "role",
    "threshold",
    "pubkeys",
    "cert_constraints",
    "identities",
    "subjects",
    "attributes",
    "max_age",
    "time",
    "claimed",
}
_INSPECTION: Final = _RULES | {"_type", "name", "run"}


def read_policy_document(value: object, where: str = "", limits: Limits = LOCAL) -> Layout:
    """The policy of a JSON object, its predicates as steps. Raises `Malformed` with the JSON pointer of what is
    wrong."""
    document = _known(value, where, _POLICY, "a policy")
    if document.get("_type") != POLICY_TYPE:
        raise Malformed("not a policy", pointer=f"{where}/_type", expected=POLICY_TYPE)
    keys = as_object(document.get("keys", {}), f"{where}/keys")
    if len(keys) > limits.layout_keys:
        raise LimitExceeded("too many keys (limit layout_keys)", pointer=f"{where}/keys", got=str(len(keys)))
    version = as_integer(required(document, "version", where), f"{where}/version")
    if version < 1:
        raise Malformed("version below 1", pointer=f"{where}/version", got=str(version))
    persons, identities = _persons(document.get("persons", {}), f"{where}/persons", limits)
    release = Release(as_text(required(document, "name", where), f"{where}/name"), version, persons)
    if not release.name:
        raise Malformed("a policy without a name", pointer=f"{where}/name")
    items = as_list(required(document, "steps", where), f"{where}/steps", most=limits.layout_keys)
    steps = [step for i, item in enumerate(items) for step in _step(item, f"{where}/steps/{i}", limits)]
    if len(steps) > limits.layout_keys:
        raise LimitExceeded("too many steps (limit layout_keys)", pointer=f"{where}/steps", got=str(len(steps)))
    inspections = as_list(document.get("inspect", []), f"{where}/inspect", most=limits.layout_keys)
    for i, item in enumerate(inspections):
        _known(item, f"{where}/inspect/{i}", _INSPECTION, "an inspection")
    layout = Layout(
        expires=_moment(as_text(required(document, "expires", where), f"{where}/expires"), f"{where}/expires"),
        readme=as_text(document.get("readme", ""), f"{where}/readme"),
        keys={
            as_keyid(keyid, f"{where}/keys"): as_object(key, pointer(f"{where}/keys", keyid))
            for keyid, key in keys.items()
        },
        rootcas=read_keys(document, "rootcas", where, limits),
        intermediatecas=read_keys(document, "intermediatecas", where, limits),
        steps=tuple(steps),
        inspections=tuple(
            Inspection.from_json(item, f"{where}/inspect/{i}", limits) for i, item in enumerate(inspections)
        ),
        terms=Terms(
            release,
            as_text(document.get("target", ""), f"{where}/target"),
            _run(document.get("run", RunRule.SAME.value), f"{where}/run"),
            _validity(document, keys, where),
            identities,
        ),
    )
    check_policy(layout, where)
    return layout


def policy_json(layout: Layout) -> dict[str, object]:
    """The JSON object of a policy, every field present."""
    terms = layout.terms
    if terms is None:
        raise ValueError("a classic layout is no policy document")
    return {
        "_type": POLICY_TYPE,
        "name": terms.release.name,
        "version": terms.release.version,
        "expires": format_timestamp(layout.expires),
        "readme": layout.readme,
        "keys": {keyid: dict(key) for keyid, key in layout.keys.items()},
        "persons": _persons_json(terms),
        **({"validity": {id: one.to_json() for id, one in terms.validity.items()}} if terms.validity else {}),
        **{
            name: {id: dict(key) for id, key in objects.items()}
            for name, objects in (("rootcas", layout.rootcas), ("intermediatecas", layout.intermediatecas))
            if objects
        },
        "target": terms.target,
        "run": terms.run.value,
        "steps": [_step_json(step, layout.steps) for step in layout.steps if "/" not in step.name],
        "inspect": [inspection.to_json() for inspection in layout.inspections],
    }


# --- reading -------------------------------------------------------------------------------------------------------


def _known(value: object, where: str, known: frozenset[str], what: str) -> dict[str, object]:
    document = as_object(value, where)
    odd = sorted(document.keys() - known)
    if odd:
        raise Malformed(
            f"unknown field in {what}",
            pointer=pointer(where, odd[0]),
            expected=", ".join(sorted(known)),
            got=repr(odd[0])[:60],
            remedy="a demand that is not understood is not ignored: use a newer Navicert, or leave it out",
        )
    return document


def _persons(
    value: object, where: str, limits: Limits
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[IdentityPolicy, ...]]]:
    """By person the key ids that are hers, and the identities: strings and objects of one list."""
    keys: dict[str, tuple[str, ...]] = {}
    identities: dict[str, tuple[IdentityPolicy, ...]] = {}
    owners: dict[str, str] = {}
    for person, entries in as_object(value, where).items():
        place = pointer(where, person)
        items = as_list(entries, place, most=limits.layout_keys)
        if not items or not person:
            raise Malformed("person without a key" if person else "person without a name", pointer=place)
        keyids = tuple(as_keyid(item, f"{place}/{i}") for i, item in enumerate(items) if not isinstance(item, dict))
        for keyid in keyids:
            if owners.setdefault(keyid, person) != person:
                raise Malformed(f"key {keyid[:8]} belongs to two persons", pointer=place)
        own = tuple(
            IdentityPolicy.from_json(item, f"{place}/{i}") for i, item in enumerate(items) if isinstance(item, dict)
        )
        if keyids:
            keys[person] = keyids
        if own:
            identities[person] = own
    return keys, identities


def _persons_json(terms: Terms) -> dict[str, list[object]]:
    persons: dict[str, list[object]] = {person: list(keyids) for person, keyids in terms.release.persons.items()}
    for person, identities in terms.identities.items():
        persons.setdefault(person, []).extend(one.to_json() for one in identities)
    return persons


def _validity(document: Mapping[str, object], keys: Mapping[str, object], where: str) -> dict[str, Validity]:
    if "validity" not in document:
        return {}
    from navicert.model.validity import read_validities

    where = f"{where}/validity"
    found = read_validities(document["validity"], where)
    for keyid in found:
        if keyid not in keys:
            raise Malformed("validity of a key that is not in the document", pointer=pointer(where, keyid))
    return found


def _run(value: object, where: str) -> RunRule:
    text = as_text(value, where)
    if text not in {one.value for one in RunRule}:
        raise Malformed("not a rule about runs", pointer=where, expected="same, required or any", got=repr(text)[:60])
    return RunRule(text)


def _moment(text: str, where: str) -> datetime:
    try:
        return parse_timestamp(text)
    except Malformed as error:
        error.pointer = where
        raise


def _step(value: object, where: str, limits: Limits) -> Iterator[Step]:
    """The step of a JSON object: its record, then each further predicate as a step of its own."""
    document = _known(value, where, _STEP, "a step")
    name = as_name(required(document, "name", where), f"{where}/name")
    record = document.get("record")
    items = as_list(document.get("predicates", []), f"{where}/predicates", most=limits.layout_keys)
    predicates = [_predicate(item, f"{where}/predicates/{i}", limits) for i, item in enumerate(items)]
    own = {field: document[field] for field in document.keys() & {"name", *_SIGNERS, *_RULES}}
    step = Step.from_json({**own, "expected_command": document.get("expected_command", [])}, where, limits)
    labels = [one.predicate.name for one in predicates if one.predicate is not None]
    for i, label in enumerate(labels):
        if label in labels[:i]:
            raise Malformed("two predicates of one name", pointer=f"{where}/predicates/{i}/name", got=repr(label))
    if record is None:
        identities = _identities(document, where, limits)
        if not step.pubkeys and not step.certificates and not identities:
            raise Malformed(
                f'step "{name}" rests on nothing',
                pointer=where,
                expected="pubkeys, whoever performs it, or record, the name of the predicate that is its record",
            )
        attributes = read_attributes(document.get("attributes", []), f"{where}/attributes", limits)
        yield replace(step, attributes=attributes, identities=identities)
    else:
        index = _index(as_text(record, f"{where}/record"), labels, f"{where}/record")
        yield _as_record(step, predicates.pop(index), document, where)
    for predicate in predicates:
        yield _named(predicate, f"{name}/{predicate.name}")


def _named(step: Step, name: str) -> Step:
    return Step(
        name,
        step.threshold,
        step.pubkeys,
        step.expected_command,
        step.expected_materials,
        step.expected_products,
        certificates=step.certificates,
        predicate=step.predicate,
        identities=step.identities,
    )


def _index(record: str, labels: list[str], where: str) -> int:
    if record not in labels:
        raise Malformed("no such predicate", pointer=where, expected=", ".join(labels) or "predicates", got=record[:60])
    return labels.index(record)


def _as_record(step: Step, predicate: Step, document: Mapping[str, object], where: str) -> Step:
    """The step that rests on `predicate`: its rules are written at the step, its signers at the predicate."""
    for field in (*sorted(_SIGNERS), "identities", "expected_command", "attributes"):
        if document.get(field):
            raise Malformed(
                f"{field} of a step that rests on a predicate",
                pointer=f"{where}/{field}",
                remedy="say at the predicate who signs it, or leave record out",
            )
    if predicate.predicate is not None and predicate.predicate.claimed:
        raise Malformed(
            "a claim as the record of a step: what the step made would be nobody's word",
            pointer=f"{where}/record",
            remedy="let somebody perform the step, or rest it on a predicate that somebody signs",
        )
    if predicate.expected_materials or predicate.expected_products:
        raise Malformed("rules at the record of a step", pointer=where, remedy="write them at the step itself")
    return Step(
        step.name,
        predicate.threshold,
        predicate.pubkeys,
        (),
        step.expected_materials,
        step.expected_products,
        certificates=predicate.certificates,
        predicate=predicate.predicate,
        identities=predicate.identities,
    )


def _identities(document: Mapping[str, object], where: str, limits: Limits) -> tuple[IdentityPolicy, ...]:
    items = as_list(document.get("identities", []), f"{where}/identities", most=limits.layout_keys)
    return tuple(IdentityPolicy.from_json(item, f"{where}/identities/{i}") for i, item in enumerate(items))


def _predicate(value: object, where: str, limits: Limits) -> Step:
    document = _known(value, where, _PREDICATE, "a predicate")
    own = {field: document[field] for field in document.keys() & {"name", *_SIGNERS, *_RULES}}
    step = Step.from_json(own, where, limits)
    identities = _identities(document, where, limits)
    requirement = Requirement.from_json(document, where, limits)
    if requirement.claimed and (step.pubkeys or step.certificates or identities or step.threshold != 1):
        raise Malformed(
            "signers of a claim, which nobody signs",
            pointer=f"{where}/claimed",
            remedy="leave out who signs it, or claimed: it would be met without them",
        )
    if not requirement.claimed and not (step.pubkeys or step.certificates or identities):
        raise Malformed(
            "nobody may sign this predicate",
            pointer=f"{where}/pubkeys",
            expected="at least one key id of keys, one of cert_constraints, or one of identities",
        )
    return Step(
        step.name,
        step.threshold,
        step.pubkeys,
        (),
        step.expected_materials,
        step.expected_products,
        certificates=step.certificates,
        predicate=requirement,
        identities=identities,
    )


# --- writing -------------------------------------------------------------------------------------------------------


def _step_json(step: Step, steps: tuple[Step, ...]) -> dict[str, object]:
    mine = [one for one in steps if one.name.startswith(f"{step.name}/")]
    document: dict[str, object] = {"name": step.name} | _rules_json(step)
    if step.predicate is None:
        document |= {
            "threshold": step.threshold,
            "pubkeys": list(step.pubkeys),
            "identities": [one.to_json() for one in step.identities],
            "expected_command": list(step.expected_command),
            "attributes": attributes_json(step.attributes),
        }
        if step.certificates:
            document["cert_constraints"] = [one.to_json() for one in step.certificates]
    else:
        document["record"] = step.predicate.name
        mine.insert(0, replace(step, expected_materials=(), expected_products=()))
    document["predicates"] = [_predicate_json(one) for one in mine]
    return document


def _predicate_json(step: Step) -> dict[str, object]:
    if step.predicate is None:
        raise ValueError("not a predicate")
    return {
        **step.predicate.to_json(),
        "threshold": step.threshold,
        "pubkeys": list(step.pubkeys),
        "identities": [one.to_json() for one in step.identities],
        **({"cert_constraints": [one.to_json() for one in step.certificates]} if step.certificates else {}),
        **_rules_json(step),
    }


def _rules_json(step: Step) -> dict[str, object]:
    return {
        "expected_materials": [rule.pack() for rule in step.expected_materials],
        "expected_products": [rule.pack() for rule in step.expected_products],
    }
