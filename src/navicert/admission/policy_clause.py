"""Clauses of a policy that stand alone: revocations, grace, credentials, break-glass, parameters, custom kinds."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from navicert.admission.images import CustomKind
from navicert.admission.jsonpath import Path
from navicert.admission.limits import ADMISSION
from navicert.admission.policy import LONGEST_GRACE, Facet
from navicert.admission.policy_field import choice_of, flag_of, items_of, known_fields, line_of, parsed, some_of
from navicert.authoring.node import Spot
from navicert.errors import Malformed
from navicert.oci.reference import Reference, normal_registry
from navicert.verify.case import Revocations

_SPAN: Final = re.compile(r"([0-9]{1,4})([hd])")


def parameter_of(spot: Spot) -> str | Facet:
    """The value of a parameter, or the facet of the image that it is filled with."""
    found = known_fields(spot, ("value", "from"), "a parameter")
    if len(found) != 1:
        raise spot.wrong("exactly one of value and from")
    if "value" in found:
        value = found["value"].text("a value (in quotes, if it is a number)")
        if len(value) > ADMISSION.parameter_characters:
            most = f"at most {ADMISSION.parameter_characters} characters"
            raise found["value"].wrong("too long (limit parameter_characters)", expected=most)
        return value
    return Facet(choice_of(found["from"], tuple(facet.value for facet in Facet), ""))


def repository_of(text: str) -> str:
    """The canonical form of `HOST/REPOSITORY`. Raises `Malformed`."""
    reference = Reference.parse(text)
    if reference.digest is not None or ":" in text.rpartition("/")[2]:
        raise Malformed("not a repository", expected="HOST/REPOSITORY without tag and digest", got=ascii(text[:80]))
    normal_registry(reference.registry)
    return reference.name


def revocations_of(spot: Spot | None) -> Revocations:
    """What is denied at once."""
    if spot is None:
        return Revocations()
    found = known_fields(spot, ("digests", "keys", "identities"), "revocations")

    def texts(name: str) -> frozenset[str]:
        return frozenset(line_of(one) for one in items_of(found.get(name)))

    try:
        return Revocations(texts("digests"), texts("keys"), texts("identities"))
    except Malformed as error:
        raise spot.wrong(error.what, expected=error.expected, got=error.got) from error


def grace_of(spot: Spot | None) -> timedelta:
    """How long an expired layout is put up with."""
    if spot is None:
        return timedelta(0)
    match = _SPAN.fullmatch(spot.text("a span such as 36h or 7d"))
    if match is None:
        raise spot.wrong("not a span", expected="hours or days, such as 36h or 7d", got=ascii(spot.text()[:40]))
    span = timedelta(hours=int(match[1])) if match[2] == "h" else timedelta(days=int(match[1]))
    if span > LONGEST_GRACE:
        raise spot.wrong("too long", expected=f"at most {LONGEST_GRACE.days}d", got=spot.text())
    return span


def pull_secrets_of(spot: Spot | None) -> bool:
    """Whether registries are shown the pull secrets of the workload."""
    if spot is None:
        return False
    return flag_of(known_fields(spot, ("imagePullSecrets",), "credentials").get("imagePullSecrets"))


def groups_of(spot: Spot | None) -> frozenset[str]:
    """The groups that may break the glass."""
    if spot is None:
        return frozenset()
    found = known_fields(spot, ("groups",), "breakGlass")
    groups = frozenset(line_of(one) for one in some_of(spot, found, "groups"))
    everybody = groups & {"system:authenticated", "system:unauthenticated", "system:serviceaccounts", "*"}
    if everybody:
        raise spot.wrong("a group that everybody is in", got=min(everybody), remedy="name the groups of operators")
    return groups


def custom_kind_of(spot: Spot) -> CustomKind:
    """Where objects of another kind name images."""
    found = known_fields(spot, ("group", "kind", "podSpecs", "images"), "a custom kind")
    for name in ("group", "kind"):
        if name not in found:
            raise spot.wrong(f'required field "{name}" is missing')
    specs = tuple(parsed(one, Path.parse) for one in items_of(found.get("podSpecs")))
    images = tuple(parsed(one, Path.parse) for one in items_of(found.get("images")))
    if not specs and not images:
        raise spot.wrong("names no place of an image", expected="podSpecs or images")
    return CustomKind(line_of(found["group"]), line_of(found["kind"]), specs, images)
