"""Policies that are objects of a cluster: what cannot be understood lets nothing in, and locks nobody else out."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.policy_documents import ALL_BAD, CLUSTER, EXCEPTION, GOOD, OWN, changed
from tests.unit.admission.memory_cluster import MemoryCluster

from navicert.admission.cluster import Forbidden
from navicert.admission.images import ImageUse
from navicert.admission.policy import Mode, PolicySet
from navicert.admission.policy_cluster import ClusterPolicies
from navicert.dataclass import replace
from navicert.digest import Digest
from navicert.errors import Unavailable
from navicert.oci.reference import Reference

API = "/apis/navicert.dev/v1alpha1"
LISTS = {
    "ClusterSupplyChainPolicy": f"{API}/clustersupplychainpolicies",
    "SupplyChainPolicy": f"{API}/supplychainpolicies",
    "SupplyChainException": f"{API}/namespaces/navicert/supplychainexceptions",
}
DIGEST = Digest.parse(EXCEPTION["spec"]["digest"])


class Pages(MemoryCluster):
    """Lists in pages of one object each, as a server with many of them would."""

    def get(self, path: str) -> Any:
        place, _, query = path.partition("?")
        found: Any = super().get(place)
        if found is None or "items" not in found:
            return found
        start = int(query.partition("&continue=")[2] or 0)
        items = found["items"]
        more = str(start + 1) if start + 1 < len(items) else ""
        return {"items": items[start : start + 1], "metadata": {"continue": more}}


def cluster(*documents: dict[str, Any]) -> Pages:
    found: dict[str, Any] = {path: {"items": []} for path in LISTS.values()}
    for one in documents:
        bare = {name: value for name, value in one.items() if name not in ("kind", "apiVersion")}
        found[LISTS[one["kind"]]]["items"].append(bare)
    found["/api/v1/namespaces/shop/configmaps/layouts"] = {"data": {"root": "{}"}}
    return Pages(found)


def load(*documents: dict[str, Any]) -> tuple[PolicySet, tuple[str, ...]]:
    policies = ClusterPolicies(cluster(*documents), "navicert")
    return policies(), policies.notes


def named(document: dict[str, Any], name: str, namespace: str | None = None) -> dict[str, Any]:
    found = copy.deepcopy(document)
    found["metadata"]["name"] = name
    if namespace is not None:
        found["metadata"]["namespace"] = namespace
    return found


USE = ImageUse("container", "app", "", "registry.example/app", Reference.parse("registry.example/app"))


@pytest.mark.parametrize("name", GOOD)
def test_what_is_right_is_taken(name: str) -> None:
    document = copy.deepcopy(GOOD[name])
    document["spec"].pop("credentials", None)  # see below
    found, notes = load(document)
    assert notes == ()
    assert len(found.policies) + len(found.exceptions) == 1


def test_all_pages_are_read() -> None:
    found, _ = load(*(named(CLUSTER, f"p{i}") for i in range(5)), named(OWN, "own"), EXCEPTION)
    assert [one.name for one in found.policies] == ["p0", "p1", "p2", "p3", "p4", "own"]
    assert len(found.exceptions) == 1


@pytest.mark.parametrize("name", [name for name, one in ALL_BAD.items() if one["kind"] == "ClusterSupplyChainPolicy"])
def test_a_policy_of_the_cluster_that_cannot_be_understood_refuses_what_it_would_match(name: str) -> None:
    """A replica that did not start for it would leave the cluster with no webhook, one by one."""
    found, notes = load(named(CLUSTER, "good"), named(ALL_BAD[name], "bad"))
    (note,) = notes
    assert note.endswith(": what it would match is refused")
    (bad,) = found.odd
    assert (bad.name, bool(bad.problem), bad.mode) == ("bad", True, Mode.ENFORCE)
    assert [one.name for one in found.policies if not one.problem] == ["good"]
    assert bad in found.about(USE, "shop")


class TestOnePolicyOfTheClusterThatCannotBeUnderstood:
    def bad(self, **spec: Any) -> dict[str, Any]:
        found = changed(named(CLUSTER, "bad"), "revokations", {"digests": ["x"]})
        found["metadata"]["uid"] = "1"
        found["spec"] |= spec
        return found

    def test_its_scope_is_what_can_be_read_of_it(self) -> None:
        found, _ = load(CLUSTER, self.bad(images=["registry.example/app"], namespaces=["shop"], roles=["container"]))
        (bad,) = found.odd
        assert bad in found.about(USE, "shop")
        assert bad not in found.about(USE, "other")
        assert bad not in found.about(replace(USE, role="init"), "shop")
        other = Reference.parse("registry.example/other")
        assert bad not in found.about(replace(USE, reference=other), "shop")

    @pytest.mark.parametrize(
        "spec",
        [{"images": ["a@b"]}, {"images": []}, {"images": None}, {"namespaces": ["Prod"]}, {"roles": ["sidecar"]}],
        ids=str,
    )
    def test_a_scope_that_cannot_be_read_is_everything(self, spec: dict[str, Any]) -> None:
        found, _ = load(CLUSTER, self.bad(**spec))
        (bad,) = found.odd
        assert bad in found.about(USE, "anywhere")

    @pytest.mark.parametrize("spec", [None, [], "all", {}], ids=repr)
    def test_one_without_a_spec_is_about_everything(self, spec: Any) -> None:
        found, _ = load(CLUSTER, self.bad() | {"spec": spec})
        (bad,) = found.odd
        assert bad.speaks_about(replace(USE, reference=Reference.parse("elsewhere.example/x")), "anywhere")
        assert bad.mode is Mode.ENFORCE

    def test_one_that_was_written_to_refuse_nothing_refuses_nothing(self) -> None:
        bad = changed(named(CLUSTER, "bad"), "owners", {"keys": []})
        found, _ = load(CLUSTER, changed(changed(bad, "mode", "audit"), "breakGlass", {"groups": ["sre"]}))
        assert [(one.mode, one.break_glass, one.closed) for one in found.odd] == [(Mode.AUDIT, {"sre"}, False)]
        found, _ = load(CLUSTER, changed(bad, "mode", "Audit"))
        assert [one.mode for one in found.odd] == [Mode.ENFORCE]

    @pytest.mark.parametrize(
        "spec",
        [
            {"images": ["a@b"]},
            {"namespaces": ["Prod"]},
            {"roles": ["sidecar"]},
            {"revocations": {"digest": ["x"]}},
            {"breakGlass": {"groups": ["*"]}},
            {"namespacess": ["dev"]},
        ],
        ids=str,
    )
    def test_a_scope_that_was_read_too_wide_does_not_let_in_what_no_policy_speaks_about(
        self, spec: dict[str, Any]
    ) -> None:
        """An image that no policy of the cluster speaks about is refused. A policy that only watches, taken for one
        about everything because its scope cannot be read or a field that narrows it is misspelt, would let it in."""
        mild = {"mode": "audit", "breakGlass": {"groups": ["sre"]}}
        bad = changed(named(CLUSTER, "bad"), "owners", {"keys": []})
        bad["spec"] |= mild | spec
        found, _ = load(CLUSTER, bad)
        assert [(one.mode, one.break_glass, one.closed) for one in found.odd] == [(Mode.ENFORCE, frozenset(), True)]

    def test_what_it_leaves_to_the_namespace_is_refused(self) -> None:
        found, _ = load(self.bad(delegate=True), named(OWN, "own", "shop"))
        assert [one.name for one in found.about(USE, "shop")] == ["bad", "own"]

    def test_the_version_before_stays_in_force_and_the_others_change(self) -> None:
        """A revocation in another policy counts at once, whatever is wrong with this one."""
        good = self.bad()
        del good["spec"]["revokations"]
        source = cluster(CLUSTER, good)
        policies = ClusterPolicies(source, "navicert")
        (before,) = [one for one in policies().policies if one.name == "bad"]
        digest = "sha256:" + "b" * 64
        revoking = changed(CLUSTER, "revocations", {"digests": [digest]})
        source.objects[LISTS["ClusterSupplyChainPolicy"]] = {"items": [revoking, self.bad(mode="audit")]}
        for _ in range(2):
            found = {one.name: one for one in policies().policies}
            assert found["bad"] == replace(before, behind=found["bad"].behind)
            assert "revokations" in found["bad"].behind
            assert found["all"].revoked.digests == {digest}
            assert policies.notes[0].endswith("the version before stays in force")

    def test_one_that_was_made_anew_under_its_name_has_no_version_before(self) -> None:
        good = self.bad()
        del good["spec"]["revokations"]
        source = cluster(good)
        policies = ClusterPolicies(source, "navicert")
        assert policies().odd == ()
        anew = self.bad()
        anew["metadata"]["uid"] = "2"
        source.objects[LISTS["ClusterSupplyChainPolicy"]] = {"items": [anew]}
        assert [bool(one.problem) for one in policies().odd] == [True]

    def test_one_that_was_taken_away_in_between_has_no_version_before(self) -> None:
        good = self.bad()
        del good["spec"]["revokations"]
        source = cluster(good)
        policies = ClusterPolicies(source, "navicert")
        policies()
        source.objects[LISTS["ClusterSupplyChainPolicy"]] = {"items": []}
        assert policies().policies == ()
        source.objects[LISTS["ClusterSupplyChainPolicy"]] = {"items": [self.bad()]}
        assert [bool(one.problem) for one in policies().odd] == [True]

    def test_a_map_that_may_not_be_read_is_the_trouble_of_one_policy(self) -> None:
        """Else whoever may write a policy in a namespace could keep every policy of the cluster from being read."""
        own = changed(OWN, "layout", {"configMap": {"name": "layouts", "key": "root"}})
        source = cluster(CLUSTER, own)
        get = source.get

        def forbidding(path: str) -> Any:
            if "configmaps" in path:
                raise Forbidden("the API server says no")
            return get(path)

        source.get = forbidding  # type: ignore[method-assign]
        policies = ClusterPolicies(source, "navicert")
        found = policies()
        assert [(one.name, bool(one.problem)) for one in found.policies] == [("all", False), ("own", True)]
        assert "may not be read" in found.odd[0].problem


def test_one_of_a_namespace_refuses_everything_there_and_nothing_elsewhere() -> None:
    bad = named(changed(OWN, "revokations", {"digests": ["x"]}), "bad", "shop")
    found, notes = load(CLUSTER, bad)
    (note,) = notes
    assert "revokations" in note
    assert "every image of namespace shop is refused" in note
    refusing = [one for one in found.about(USE, "shop") if one.name == "bad"]
    assert [(one.mode, bool(one.problem), one.owners) for one in refusing] == [(Mode.ENFORCE, True, ())]
    assert [one.name for one in found.about(USE, "other")] == ["all"]


def test_a_mode_of_a_policy_that_cannot_be_understood_is_not_believed() -> None:
    bad = changed(changed(OWN, "mode", "audit"), "nonsense", True)
    found, _ = load(CLUSTER, bad)
    assert [one.mode for one in found.about(USE, "shop") if one.name == "own"] == [Mode.ENFORCE]


def test_an_exception_that_cannot_be_understood_grants_nothing() -> None:
    found, notes = load(CLUSTER, named(changed(EXCEPTION, "notAfter", "soon"), "bad"), EXCEPTION)
    assert [one.name for one in found.exceptions] == ["one"]
    assert len(notes) == 1


def test_an_exception_of_another_namespace_is_not_even_asked_for() -> None:
    """CVE-2024-48921: exceptions that anybody could make in a namespace of their own."""
    source = cluster(CLUSTER)
    source.objects[f"{API}/supplychainexceptions"] = {"items": [named(EXCEPTION, "mine", "shop")], "metadata": {}}
    assert ClusterPolicies(source, "navicert")().exceptions == ()
    # And if a server gave it all the same, it would grant nothing.
    found, notes = load(CLUSTER, named(EXCEPTION, "mine", "shop"))
    assert found.exception(DIGEST, "shop", datetime(2026, 11, 29, tzinfo=UTC)) is None
    assert len(notes) == 1


def test_a_namespace_cannot_read_the_map_of_another() -> None:
    place = {"configMap": {"name": "layouts", "key": "root", "namespace": "shop"}}
    found, notes = load(CLUSTER, named(changed(OWN, "layout", place), "spy", "other"))
    assert len(notes) == 1
    assert [one.name for one in found.odd] == ["spy"]


def test_the_map_of_another_namespace_is_not_even_asked_for() -> None:
    asked = []
    place = {"configMap": {"name": "layouts", "key": "root", "namespace": "shop"}}
    source = cluster(CLUSTER, named(changed(OWN, "layout", place), "spy", "other"))
    get = source.get
    source.get = lambda path: (asked.append(path), get(path))[1]  # type: ignore[method-assign,func-returns-value]
    ClusterPolicies(source, "navicert")()
    assert [path for path in asked if "configmaps" in path] == []


@pytest.mark.parametrize("name", ["../../secrets/x", "a/b", "", "a?b", 7])
def test_a_name_leads_nowhere_else(name: Any) -> None:
    asked = []
    source = cluster(changed(OWN, "layout", {"configMap": {"name": name, "key": "root"}}), CLUSTER)
    get = source.get
    source.get = lambda path: (asked.append(path), get(path))[1]  # type: ignore[method-assign,func-returns-value]
    ClusterPolicies(source, "navicert")()
    assert [path for path in asked if "configmaps" in path] == []


@pytest.mark.parametrize("kind", LISTS)
def test_a_kind_that_the_server_does_not_know_is_not_an_empty_list(kind: str) -> None:
    source = cluster(CLUSTER)
    del source.objects[LISTS[kind]]
    with pytest.raises(Unavailable, match="does not know this kind"):
        ClusterPolicies(source, "navicert")()


def test_a_policy_in_a_file_and_one_of_the_same_name_in_the_cluster_do_not_hide_each_other() -> None:
    first, _ = load(CLUSTER)
    second, _ = load(named(CLUSTER, "other"), EXCEPTION)
    assert [one.name for one in first.with_others(second).policies] == ["all", "other"]
    assert first.with_others(second).exceptions == second.exceptions
    twice = first.with_others(first)
    assert [one.problem for one in twice.policies] == ["", "a policy of this name is in a file and in the cluster"]
    assert len(twice.about(USE, "shop")) == 2


def test_pull_secrets_are_not_passed_over() -> None:
    found, _ = load(changed(CLUSTER, "credentials", {"imagePullSecrets": True}))
    assert "not read here" in found.policies[0].problem


def test_nothing_at_all_is_a_set_in_which_no_image_is_spoken_about() -> None:
    found, _ = load()
    assert found.about(USE, "shop") == ()
