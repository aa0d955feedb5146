"""What policies of the cluster are told of themselves, and that replicas do not fight over it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.policy_chain import PolicyChain
from tests.policy_documents import CLUSTER, OWN, changed
from tests.unit.admission.memory_cluster import MemoryCluster
from tests.unit.admission.test_policy_cluster import cluster as listed
from tests.unit.admission.test_policy_cluster import load, named

from navicert.admission.policy import PolicyDocument
from navicert.admission.policy_cluster import ClusterPolicies
from navicert.admission.policy_status import MOST, Observed, StatusWriter, standing_of, status_of
from navicert.crypto.signer import generate
from navicert.envelope.document import seal
from navicert.errors import Malformed, Unavailable
from navicert.model.policy import read_policy_document
from navicert.verify.case import Policy

AT = datetime(2026, 10, 1, tzinfo=UTC)
PATH = "/apis/navicert.dev/v1alpha1/clustersupplychainpolicies/all"


def document() -> PolicyDocument:
    found, _ = load(CLUSTER)
    return found.policies[0]


def layout(chain: PolicyChain, signer: Any = None, need: int | None = None) -> Policy:
    raw = seal(read_policy_document(chain.document), signer or chain.owner)
    return Policy.open(raw, [chain.owner.key], need=need, path="root.layout")


def standing(chain: PolicyChain, signer: Any = None) -> Any:
    return standing_of(document(), lambda policy: layout(chain, signer), AT)


class TestStanding:
    def test_in_force_with_the_dates_at_which_it_ends(self) -> None:
        found = standing(PolicyChain())
        assert (found.ready, found.reason) == (True, "InForce")
        assert [(one.kind, one.at.year) for one in found.expires] == [("layout", 2099)]

    def test_expired(self) -> None:
        chain = PolicyChain()
        chain.document["expires"] = "2026-09-30T00:00:00Z"
        found = standing(chain)
        assert (found.ready, found.reason) == (False, "LayoutExpired")
        assert "expired on 2026-09-30" in found.message

    def test_a_layout_that_its_owners_did_not_sign_is_not_in_force(self) -> None:
        found = standing(PolicyChain(), generate())
        assert (found.ready, found.reason) == (False, "LayoutNotSigned")
        assert "0 of the 1 owners" in found.message

    def test_unreadable(self) -> None:
        def unreadable(policy: PolicyDocument) -> Policy:
            raise Malformed("not a layout")

        found = standing_of(document(), unreadable, AT)
        assert (found.ready, found.reason, found.message) == (
            False,
            "LayoutUnreadable",
            "layout unreadable: not a layout",
        )

    def test_not_understood(self) -> None:
        found = standing_of(Malformed("unknown field", pointer="/spec/x"), lambda policy: None, AT)
        assert (found.ready, found.reason) == (False, "Malformed")

    def test_a_layout_from_elsewhere_is_not_said_to_be_anything(self) -> None:
        found = standing_of(document(), lambda policy: None, AT)
        assert (found.ready, found.reason) == (True, "InForce")
        assert "comes from elsewhere" in found.message


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class World:
    """One policy in a cluster, with its status a resource of its own, and any number of replicas."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.chain = PolicyChain()
        body = {**copy.deepcopy(CLUSTER), "metadata": {"name": "all", "generation": 3}}
        self.cluster = Subresource({PATH: body})
        self.found: PolicyDocument | Malformed = document()

    def replica(self) -> StatusWriter:
        def observed() -> list[Observed]:
            one = self.cluster.get(PATH)
            assert one is not None
            return [Observed(PATH, one, self.found)]

        return StatusWriter(self.cluster, observed, lambda policy: layout(self.chain), clock=self.clock)

    @property
    def status(self) -> Any:
        return self.cluster.objects[PATH].get("status")


class Subresource(MemoryCluster):
    def patch(self, path: str, change: Mapping[str, object]) -> Any:
        assert path.endswith("/status"), "only the status may be changed"
        return super().patch(path.removesuffix("/status"), change)


class TestWriting:
    def test_what_is_written_has_the_generation_that_was_looked_at(self) -> None:
        here = World()
        assert here.replica().round(AT) == 1
        assert here.status["observedGeneration"] == 3
        assert here.status["conditions"] == [
            {
                "type": "Ready",
                "status": "True",
                "reason": "InForce",
                "message": "in force, mode enforce",
                "observedGeneration": 3,
                "lastTransitionTime": "2026-10-01T00:00:00Z",
            }
        ]
        assert here.status["expires"] == [{"kind": "layout", "name": "root.layout", "at": "2099-01-01T00:00:00Z"}]

    def test_replicas_that_agree_write_once_between_them(self) -> None:
        here = World()
        replicas = [here.replica() for _ in range(3)]
        for minute in range(5):
            here.clock.seconds += 120
            for one in replicas:
                one.round(AT + timedelta(minutes=minute))
        assert len(here.cluster.patched) == 1

    def test_one_that_disagrees_with_the_others_cannot_make_them_fight(self) -> None:
        here = World()
        first = here.replica()
        for _ in range(60):
            here.clock.seconds += 1
            first.round(AT)
            here.cluster.objects[PATH]["status"] = {"conditions": []}
        assert len(here.cluster.patched) <= 2

    def test_who_is_second_does_not_overwrite_and_is_no_problem(self) -> None:
        here = World()
        replica = here.replica()

        def quicker() -> None:
            here.cluster.objects[PATH]["metadata"]["resourceVersion"] = "7"  # type: ignore[index]

        here.cluster.before = quicker
        assert replica.round(AT) == 0
        assert here.status is None

    def test_when_it_became_so_is_not_when_it_was_last_said(self) -> None:
        here = World()
        here.replica().round(AT)
        here.found = Malformed("odd")
        here.replica().round(AT + timedelta(days=1))
        assert here.status["conditions"][0]["lastTransitionTime"] == "2026-10-02T00:00:00Z"
        here.found = Malformed("odder")
        here.replica().round(AT + timedelta(days=2))
        assert here.status["conditions"][0]["message"] == "not understood: odder"
        assert here.status["conditions"][0]["lastTransitionTime"] == "2026-10-02T00:00:00Z"

    def test_conditions_of_others_stay(self) -> None:
        here = World()
        theirs = {"type": "Synced", "status": "True"}
        here.cluster.objects[PATH]["status"] = {"conditions": [theirs]}
        here.replica().round(AT)
        assert here.status["conditions"][1:] == [theirs]

    def test_rights_that_are_missing_are_said(self) -> None:
        here = World()

        def refuse() -> None:
            raise Unavailable("forbidden")

        here.cluster.before = refuse
        with pytest.raises(Unavailable, match="forbidden"):
            here.replica().round(AT)

    def test_what_may_be_old_is_not_said(self) -> None:
        here = World()
        observed = Observed(PATH, here.cluster.objects[PATH], here.found)
        writer = StatusWriter(here.cluster, lambda: [observed], lambda policy: None, stale=lambda: "away")
        assert writer.round(AT) == 0
        assert here.status is None

    def test_a_round_is_bounded(self) -> None:
        cluster = Subresource({f"{PATH}{i}": {"metadata": {"name": f"all{i}"}} for i in range(50)})
        found = document()
        writer = StatusWriter(
            cluster,
            lambda: [Observed(path, one, found) for path, one in cluster.objects.items()],
            lambda policy: None,
            clock=Clock(),
        )
        assert writer.round(AT) == MOST


class TestNotReadBack:
    @pytest.mark.parametrize("status", [{"conditions": [{"type": "Ready", "status": "True"}]}, {"spec": {}}, {}])
    def test_a_status_that_anybody_wrote_changes_nothing_of_what_is_judged(self, status: dict[str, Any]) -> None:
        forged = {**copy.deepcopy(CLUSTER), "status": status}
        assert load(forged)[0] == load(CLUSTER)[0]
        bad = {**changed(OWN, "revokations", {}), "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
        assert len(load(CLUSTER, bad)[1]) == 1

    def test_each_policy_is_observed_with_what_was_read_of_it(self) -> None:
        source = listed(named(CLUSTER, "good"), named(changed(CLUSTER, "x", 1), "bad"), named(OWN, "own", "shop"))
        found = list(ClusterPolicies(source, "navicert").observed())
        assert [(one.path.rpartition("v1alpha1/")[2], isinstance(one.found, Malformed)) for one in found] == [
            ("clustersupplychainpolicies/good", False),
            ("clustersupplychainpolicies/bad", True),
            ("namespaces/shop/supplychainpolicies/own", False),
        ]

    def test_a_status_that_is_there_already_is_left_alone(self) -> None:
        one: dict[str, Any] = {"metadata": {"name": "all", "generation": 1}}
        first = status_of(standing(PolicyChain()), one, AT)
        assert status_of(standing(PolicyChain()), {**one, "status": first}, AT + timedelta(days=1)) == first
