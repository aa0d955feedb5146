"""The definitions of our kinds: every schema and every rule in CEL holds in the loader too, which decides."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import celpy
import jsonschema
import pytest
from celpy.adapter import json_to_cel
from tests.policy_documents import ALL_BAD, CLUSTER, EXCEPTION, GOOD, MAPS, changed

from navicert.admission import policy_reader
from navicert.admission.deployment.definition import EVERYBODY, definitions
from navicert.admission.policy import LONGEST_GRACE
from navicert.admission.policy_reader import Reading, read_document
from navicert.authoring.yaml import read_yaml
from navicert.errors import Malformed


def _schemas() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for one in definitions():
        spec: Any = one["spec"]
        yield spec["names"]["kind"], spec["versions"][0]["schema"]["openAPIV3Schema"]


SCHEMAS = dict(_schemas())


def load(document: Mapping[str, Any]) -> object:
    reading = Reading(config_maps=MAPS)
    return read_document(read_yaml(json.dumps(document).encode()), reading)


def schema_of(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return SCHEMAS[document["kind"]]


def rules(schema: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, str]]:
    """Every rule of a schema, with the place that it stands at."""
    for one in schema.get("x-kubernetes-validations", ()):
        yield where, one["rule"]
    for name, child in schema.get("properties", {}).items():
        yield from rules(child, f"{where}/{name}")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from rules(schema[name], f"{where}/*")


def broken(node: Any, schema: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, str]]:
    """The rules that `node` breaks."""
    for one in schema.get("x-kubernetes-validations", ()):
        environment = celpy.Environment()
        program = environment.program(environment.compile(one["rule"]))
        if not program.evaluate({"self": json_to_cel(node)}):
            yield where, one["rule"]
    if isinstance(node, dict):
        for name, child in node.items():
            inner = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            if isinstance(inner, dict):
                yield from broken(child, inner, f"{where}/{name if name in schema.get('properties', {}) else '*'}")
    elif isinstance(node, list):
        for child in node:
            yield from broken(child, schema["items"], f"{where}/*")


def breaks_schema(document: Mapping[str, Any]) -> bool:
    return not jsonschema.Draft7Validator(schema_of(document)).is_valid(document)


@pytest.mark.parametrize("name", GOOD)
def test_what_is_right_is_taken_by_both(name: str) -> None:
    jsonschema.validate(GOOD[name], schema_of(GOOD[name]), jsonschema.Draft7Validator)
    assert list(broken(GOOD[name], schema_of(GOOD[name]))) == []
    load(GOOD[name])


@pytest.mark.parametrize("name", ALL_BAD)
def test_what_is_wrong_is_refused_by_both(name: str) -> None:
    document = ALL_BAD[name]
    assert breaks_schema(document) or list(broken(document, schema_of(document)))
    with pytest.raises(Malformed):
        load(document)


def test_every_rule_has_a_document_that_breaks_nothing_else() -> None:
    """So the documents above show that the loader has each rule, and not just one that they break as well."""
    shown = set()
    for document in ALL_BAD.values():
        if not breaks_schema(document):
            found = set(broken(document, schema_of(document)))
            if len(found) == 1:
                shown |= found
    here = set(rules(SCHEMAS["ClusterSupplyChainPolicy"]))
    assert here - shown == set()
    # A namespace's policies have no rules of their own.
    assert set(rules(SCHEMAS["SupplyChainPolicy"])) <= here


class TestFields:
    """The schema and the loader know the same fields. Those of files are not for objects of a cluster."""

    def test_of_policies(self) -> None:
        cluster, own = (SCHEMAS[kind]["properties"]["spec"]["properties"] for kind in list(SCHEMAS)[:2])
        assert set(cluster) == set(policy_reader.CLUSTER_SPEC)
        assert set(own) == set(policy_reader._SPEC)

    @pytest.mark.parametrize("kind", SCHEMAS)
    @pytest.mark.parametrize("place", ["", "layout", "owners", "revocations", "credentials"])
    def test_one_that_nobody_knows_is_kept_by_the_server_and_refused_by_the_loader(self, kind: str, place: str) -> None:
        source = {"ClusterSupplyChainPolicy": GOOD["whole"], "SupplyChainPolicy": GOOD["of a namespace"]}
        document = copy.deepcopy(dict(source.get(kind, EXCEPTION)))
        spec, schema = document["spec"], SCHEMAS[kind]["properties"]["spec"]
        if place and kind == "SupplyChainException":
            return
        if place:
            spec, schema = spec[place], schema["properties"][place]
        assert schema["x-kubernetes-preserve-unknown-fields"] is True
        spec["revokations"] = {}
        with pytest.raises(Malformed, match="revokations"):
            load(document)

    def test_the_groups_that_everybody_is_in_are_the_same(self) -> None:
        for group in EVERYBODY:
            document = changed(CLUSTER, "breakGlass", {"groups": [group]})
            assert list(broken(document, schema_of(document)))
            with pytest.raises(Malformed, match="everybody"):
                load(document)

    def test_the_longest_grace_is_the_same(self) -> None:
        days = LONGEST_GRACE.days
        assert not breaks_schema(changed(CLUSTER, "expiresGrace", f"{days}d"))
        assert not breaks_schema(changed(CLUSTER, "expiresGrace", f"{24 * days}h"))
        assert breaks_schema(changed(CLUSTER, "expiresGrace", f"{days + 1}d"))
