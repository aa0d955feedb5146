"""Glass broken in a template: it counts for the Pods that controllers make of it, and nobody else gets in by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.admission_world import DEPLOYMENT, POD, World, pod, review, world
from tests.unit.admission.memory_cluster import MemoryCluster

from navicert.admission.decision import Decision, Outcome, answer, denial
from navicert.admission.examiner import Examiner
from navicert.admission.live_template import ClusterTemplates, LiveTemplates
from navicert.admission.review import Kind
from navicert.admission.vocabulary import BREAK_GLASS, BREAK_GLASS_UNTIL
from navicert.errors import Unavailable

DENIED, ALLOWED = Outcome.DENIED, Outcome.ALLOWED
REPLICA_SET = Kind("apps", "v1", "ReplicaSet")
SETS = {"StatefulSet": ("statefulset", "statefulsets"), "DaemonSet": ("daemon-set", "daemonsets")}
MARK = {BREAK_GLASS: "incident 4711", BREAK_GLASS_UNTIL: "2026-06-02T00:00:00Z"}
SRE, DEV = ("system:authenticated", "sre"), ("system:authenticated", "dev")


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        made.use(made.policy(breakGlass={"groups": ["sre"]}))
        yield made


def controller(name: str) -> dict[str, Any]:
    account = f"system:serviceaccount:kube-system:{name}-controller"
    return {"username": account, "groups": ["system:serviceaccounts", "system:authenticated"]}


def owned_by(kind: str, version: str = "apps/v1") -> list[dict[str, Any]]:
    return [{"apiVersion": version, "kind": kind, "name": "web", "controller": True}]


def decide(
    here: World,
    image: str,
    kind: Kind = DEPLOYMENT,
    *,
    mark: dict[str, str] | None = None,
    old: tuple[str, dict[str, str] | None] | None = None,
    owners: list[dict[str, Any]] | None = None,
    carry: bool = True,
    templates: LiveTemplates | None = None,
    **more: Any,
) -> Decision:
    """The decision on an object with one image whose Pods carry `mark`; `old` is the image and mark before."""
    asked = review(pod(image), kind, old=None if old is None else pod(old[0]), **more)
    for field, found in (("object", mark), ("oldObject", None if old is None else old[1])):
        body = asked["request"][field]
        if body is None:
            continue
        holder = body if kind == POD else body["spec"]["template"]
        holder["metadata"] = {**holder.get("metadata", {}), "annotations": found or {}}
        body["metadata"]["ownerReferences"] = owners or []
    examiner = Examiner(lambda: here.policies, here.judge, here.workers, carry_glass=carry, templates=templates)
    return examiner.run(json.dumps(asked).encode(), examiner.validating)


def made_pod(here: World, image: str, mark: dict[str, str] | None = None, **more: Any) -> Decision:
    """The decision on a Pod that the controller of ReplicaSets makes."""
    made = {"userInfo": controller("replicaset"), "owners": owned_by("ReplicaSet")} | more
    return decide(here, image, POD, mark=MARK if mark is None else mark, **made)


def test_what_a_member_lets_in_reaches_its_pods_and_is_told_at_each_step(here: World) -> None:
    bad = here.bad()
    first = decide(here, bad, mark=MARK, groups=SRE)
    assert (first.outcome, first.reason) == (ALLOWED, "break-glass")
    made = decide(here, bad, REPLICA_SET, mark=MARK, userInfo=controller("deployment"), owners=owned_by("Deployment"))
    assert (made.outcome, made.reason) == (ALLOWED, "break-glass")
    last = made_pod(here, bad)
    assert (last.outcome, last.reason) == (ALLOWED, "break-glass")
    reply = answer(last, "1")
    assert "incident 4711 (until 2026-06-02T00:00:00Z)" in reply.annotations["break-glass"]
    assert any(
        "glass broken by system:serviceaccount:kube-system:replicaset-controller" in one for one in reply.warnings
    )


def test_somebody_else_cannot_set_it_in_a_template(here: World) -> None:
    sets = (Kind("apps", "v1", kind) for kind in SETS)
    others = (Kind("batch", "v1", "Job"), Kind("", "v1", "ReplicationController"))
    for kind in (DEPLOYMENT, REPLICA_SET, *others, *sets):
        decision = decide(here, here.good(), kind, mark=MARK, groups=DEV)
        assert (decision.outcome, decision.reason) == (DENIED, "break-glass.forbidden")
    assert "only members of sre may set" in denial(decision)


def test_somebody_else_cannot_add_it_to_a_workload_that_is_there(here: World) -> None:
    bad = here.bad()
    decision = decide(here, bad, mark=MARK, old=(bad, None), groups=DEV)
    assert decision.reason == "break-glass.forbidden"
    later = {**MARK, BREAK_GLASS_UNTIL: "2026-06-03T00:00:00Z"}
    assert decide(here, bad, mark=later, old=(bad, MARK), groups=DEV).reason == "break-glass.forbidden"


def test_somebody_else_cannot_change_the_image_beside_it(here: World) -> None:
    good, bad = here.good(), here.bad()
    assert decide(here, good, mark=MARK, old=(bad, MARK), groups=DEV).reason == "break-glass.forbidden"
    # Nor to a tag, which could be moved afterwards.
    tagged = f"{here.registry.name}/shop/app:1.4"
    assert decide(here, tagged, mark=MARK, old=(bad, MARK), groups=DEV).reason == "break-glass.forbidden"


def test_what_changes_nothing_of_it_is_anybodys(here: World) -> None:
    bad = here.bad()
    assert decide(here, bad, mark=MARK, old=(bad, MARK), groups=DEV).outcome is ALLOWED
    assert decide(here, bad, old=(bad, MARK), groups=DEV).outcome is ALLOWED


def test_a_tag_is_not_let_in_for_whoever_moves_it(here: World) -> None:
    here.bad(tag="evil")
    decision = decide(here, f"{here.registry.name}/shop/app:evil", mark=MARK, groups=SRE)
    assert decision.reason == "break-glass.forbidden"
    assert "by digest only" in denial(decision)


@pytest.mark.parametrize(
    "until",
    ["", "soon", "2026-05-31T00:00:00Z", "2026-06-01T00:00:00Z", "2026-06-08T00:00:01Z", "9999-01-01T00:00:00Z"],
)
def test_it_has_an_end_that_is_near(here: World, until: str) -> None:
    bad = here.bad()
    mark = {BREAK_GLASS: "incident", BREAK_GLASS_UNTIL: until}
    decision = decide(here, bad, mark=mark, groups=SRE)
    assert decision.reason == "break-glass.forbidden"
    assert "at most 2026-06-08T00:00:00Z" in denial(decision)
    # And if it had got there all the same.
    assert made_pod(here, bad, mark).outcome is DENIED


def test_pods_are_not_let_in_once_it_has_ended(here: World) -> None:
    bad = here.bad()
    here.now = here.now.replace(day=2)
    assert made_pod(here, bad).outcome is DENIED


def test_whoever_makes_a_pod_herself_is_no_controller(here: World) -> None:
    bad = here.bad()
    for user in (
        {"username": "jane", "groups": ["dev"]},
        {"username": "system:serviceaccount:shop:replicaset-controller", "groups": ["system:serviceaccounts"]},
        {"username": "system:serviceaccount:kube-system:default", "groups": ["system:serviceaccounts"]},
        {"username": "system:serviceaccount:kube-system:generic-garbage-collector", "groups": []},
    ):
        assert made_pod(here, bad, userInfo=user).outcome is DENIED


@pytest.mark.parametrize(
    "owners",
    [
        [],
        owned_by("StatefulSet"),
        owned_by("DaemonSet"),
        owned_by("Rollout", "argoproj.io/v1alpha1"),
        owned_by("ReplicaSet", "evil.example/v1"),
        [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web"}],
        owned_by("ReplicaSet") + owned_by("Job", "batch/v1"),
    ],
)
def test_a_pod_of_a_template_that_nobody_reviewed(here: World, owners: list[dict[str, Any]]) -> None:
    assert made_pod(here, here.bad(), owners=owners).outcome is DENIED


def test_a_controller_does_not_carry_it_into_a_change(here: World) -> None:
    bad = here.bad()
    more: dict[str, Any] = {"userInfo": controller("deployment"), "owners": owned_by("Deployment")}
    decision = decide(here, bad, REPLICA_SET, mark=MARK, old=(here.good(), None), **more)
    assert decision.outcome is DENIED


def test_members_of_one_policys_group_do_not_break_the_glass_of_another(here: World) -> None:
    """A Pod that a controller makes has no group of its own: both policies would be waived."""
    here.use(here.policy(breakGlass={"groups": ["sre"]}), here.policy(name="b", breakGlass={"groups": ["dba"]}))
    assert decide(here, here.bad(), mark=MARK, groups=SRE).reason == "break-glass.forbidden"
    assert decide(here, here.bad(), mark=MARK, groups=(*SRE, "dba")).outcome is ALLOWED


def test_a_policy_without_groups_is_not_waived(here: World) -> None:
    here.use(here.policy())
    assert decide(here, here.good(), mark=MARK, groups=SRE).reason == "break-glass.forbidden"
    assert made_pod(here, here.bad()).outcome is DENIED


def test_where_templates_are_not_reviewed_it_does_not_count_in_pods(here: World) -> None:
    assert made_pod(here, here.bad(), carry=False).outcome is DENIED


def test_a_policy_that_only_watches_is_no_way_to_set_it(here: World) -> None:
    here.use(here.policy(mode="audit", breakGlass={"groups": ["sre"]}))
    assert decide(here, here.good(), mark=MARK, groups=DEV).reason == "break-glass.forbidden"


class TestSets:
    """StatefulSets and DaemonSets make Pods of ControllerRevisions, which no webhook is asked about and whoever may
    write those chooses: what their Pods say counts as far as the set itself says it now."""

    @pytest.fixture(params=sorted(SETS))
    def kind(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def live(
        self, kind: str, image: str, mark: dict[str, str] | None = None, uid: str = "7", container: str = "c0"
    ) -> LiveTemplates:
        """An API server with a set that has this image and mark."""
        pods = {"containers": [{"name": container, "image": image}]}
        template = {"metadata": {"annotations": MARK if mark is None else mark}, "spec": pods}
        metadata = {"name": "web", "namespace": "prod", "uid": uid}
        spec = {"template": template}
        one: dict[str, object] = {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}
        return ClusterTemplates(MemoryCluster({f"/apis/apps/v1/namespaces/prod/{SETS[kind][1]}/web": one}))

    def made(self, here: World, kind: str, image: str, templates: LiveTemplates | None, **more: Any) -> Decision:
        """The decision on a Pod that the controller of such sets makes."""
        owners = [{**owned_by(kind)[0], "uid": "7"}]
        asked = {"userInfo": controller(SETS[kind][0]), "owners": owners, "templates": templates} | more
        return made_pod(here, image, **asked)

    def test_what_a_member_lets_in_reaches_its_pods(self, here: World, kind: str) -> None:
        bad = here.bad()
        first = decide(here, bad, Kind("apps", "v1", kind), mark=MARK, groups=SRE)
        assert (first.outcome, first.reason) == (ALLOWED, "break-glass")
        last = self.made(here, kind, bad, self.live(kind, bad))
        assert (last.outcome, last.reason) == (ALLOWED, "break-glass")

    def test_a_revision_that_somebody_wrote_with_an_image_of_his_own(self, here: World, kind: str) -> None:
        bad = here.bad()
        assert self.made(here, kind, bad, self.live(kind, here.good())).outcome is DENIED

    def test_a_revision_that_somebody_wrote_with_a_mark_of_his_own(self, here: World, kind: str) -> None:
        bad = here.bad()
        assert self.made(here, kind, bad, self.live(kind, bad, {})).outcome is DENIED
        earlier = {**MARK, BREAK_GLASS_UNTIL: "2026-06-01T12:00:00Z"}
        assert self.made(here, kind, bad, self.live(kind, bad, earlier)).outcome is DENIED

    def test_an_image_that_moved_to_another_place_of_the_pod(self, here: World, kind: str) -> None:
        bad = here.bad()
        assert self.made(here, kind, bad, self.live(kind, bad, container="other")).outcome is DENIED

    def test_another_set_by_the_same_name(self, here: World, kind: str) -> None:
        bad = here.bad()
        assert self.made(here, kind, bad, self.live(kind, bad, uid="8")).outcome is DENIED
        owners = owned_by(kind)
        assert self.made(here, kind, bad, self.live(kind, bad, uid=""), owners=owners).outcome is DENIED

    def test_a_set_that_cannot_be_looked_up_lets_nothing_in(self, here: World, kind: str) -> None:
        class Down:
            def find(self, namespace: str, maker: object) -> None:
                raise Unavailable("no answer")

        bad = here.bad()
        assert self.made(here, kind, bad, Down()).outcome is DENIED
        assert self.made(here, kind, bad, ClusterTemplates(MemoryCluster({}))).outcome is DENIED
        assert self.made(here, kind, bad, None).outcome is DENIED

    def test_whoever_names_a_set_as_the_owner_of_a_pod_of_his_own(self, here: World, kind: str) -> None:
        bad = here.bad()
        user = {"username": "dan", "groups": list(DEV)}
        assert self.made(here, kind, bad, self.live(kind, bad), userInfo=user).outcome is DENIED

    def test_its_pods_are_not_let_in_once_it_has_ended(self, here: World, kind: str) -> None:
        bad = here.bad()
        here.now = here.now.replace(day=2)
        assert self.made(here, kind, bad, self.live(kind, bad)).outcome is DENIED
