"""What passed before, kept across restarts."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.admission_world import NOW, World, pod, world

from navicert.admission.cache import VerdictCache
from navicert.admission.decision import Outcome
from navicert.admission.memory import AGE, ConfigMapPlace, FilePlace, Memory
from navicert.errors import Malformed, Unavailable
from navicert.testing import fault, signer

OWN = signer("webhook")


def restarted(here: World, path: Path, by: Any = OWN) -> int:
    """The same world with a webhook that knows only what is in the file; how many passes it took over."""
    here.cache = VerdictCache(clock=lambda: here.seconds)
    here.examiner = here.examining()
    return Memory(here.cache, FilePlace(str(path)), by).load(here.now)


def test_what_passed_goes_on_after_a_restart_while_its_registry_is_down(tmp_path: Path):
    path = tmp_path / "memory.json"
    with world(tmp_path) as here:
        reference, other = here.good(), here.good("shop/other")
        here.use(here.policy(onRegistryError="allowVerifiedBefore"))
        assert here.decide(pod(reference)).outcome is Outcome.ALLOWED
        memory = Memory(here.cache, FilePlace(str(path)), OWN)
        assert memory.save(here.now)
        assert not memory.save(here.now), "nothing new"
        here.registry.fault("GET", "", fault.status(503))
        assert restarted(here, tmp_path / "none.json") == 0
        assert here.decide(pod(reference)).outcome is Outcome.DENIED
        assert restarted(here, path) == 1
        assert here.decide(pod(reference)).outcome is Outcome.ALLOWED
        assert here.decide(pod(other)).outcome is Outcome.DENIED
        here.use(here.policy(onRegistryError="allowVerifiedBefore", minLayoutVersion=2))
        assert here.decide(pod(reference)).outcome is Outcome.DENIED, "another policy"
        here.use(here.policy())
        here.seconds += 2
        assert here.decide(pod(reference)).outcome is Outcome.DENIED, "a policy that does not go on with it"


def test_what_is_remembered_is_judged_anew_where_that_can_be_done(tmp_path: Path):
    path = tmp_path / "memory.json"
    with world(tmp_path) as here:
        reference = here.good()
        here.use(here.policy(onRegistryError="allowVerifiedBefore"))
        here.decide(pod(reference))
        Memory(here.cache, FilePlace(str(path)), OWN).save(here.now)
        held = here.registry.contents["shop/app"]
        for digest in [digest for digest, (_, raw) in held.manifests.items() if b'"subject"' in raw]:
            del held.manifests[digest]
        assert restarted(here, path) == 1
        assert here.decide(pod(reference)).reason == "layout.none"


def test_memory_that_somebody_else_wrote_is_not_believed(tmp_path: Path):
    path = tmp_path / "memory.json"
    with world(tmp_path) as here:
        here.decide(pod(here.good()))
        Memory(here.cache, FilePlace(str(path)), signer("eve")).save(here.now)
        with pytest.raises(Malformed, match="not signed by the key of this webhook"):
            restarted(here, path)
        Memory(here.cache, FilePlace(str(path)), OWN).save(here.now)
        mine = json.loads(path.read_bytes())
        mine["payload"] = mine["payload"][:-8] + "AAAA" + mine["payload"][-4:]
        path.write_text(json.dumps(mine))
        with pytest.raises(Malformed):
            restarted(here, path)


def test_an_entry_counts_for_a_week_and_never_beyond_the_layout(tmp_path: Path):
    path = tmp_path / "memory.json"
    with world(tmp_path) as here:
        here.decide(pod(here.good()))
        Memory(here.cache, FilePlace(str(path)), OWN).save(here.now)
        here.now = NOW + AGE - timedelta(seconds=1)
        assert restarted(here, path) == 1
        here.now = NOW + AGE
        assert restarted(here, path) == 0


def test_replicas_keep_what_others_have_kept(tmp_path: Path):
    path = tmp_path / "memory.json"
    with world(tmp_path) as here:
        for name in ("shop/a", "shop/b"):
            here.cache = VerdictCache(clock=lambda: here.seconds)
            here.examiner = here.examining()
            here.decide(pod(here.good(name)))
            Memory(here.cache, FilePlace(str(path)), OWN).save(here.now)
        assert restarted(here, path) == 2


def test_what_is_refused_later_is_not_remembered(tmp_path: Path):
    path = tmp_path / "memory.json"
    with world(tmp_path) as here:
        reference = here.good()
        here.decide(pod(reference))
        memory = Memory(here.cache, FilePlace(str(path)), OWN)
        memory.save(here.now)
        held = here.registry.contents["shop/app"]
        for digest in [digest for digest, (_, raw) in held.manifests.items() if b'"subject"' in raw]:
            del held.manifests[digest]
        here.seconds += 3601
        assert here.decide(pod(reference)).outcome is Outcome.DENIED
        assert memory.save(here.now)
        assert restarted(here, path) == 0


class Objects:
    """An API server with one ConfigMap."""

    def __init__(self, data: Any = None) -> None:
        self.found: Any = {"data": data}

    def get(self, path: str) -> Any:
        return self.found

    def patch(self, path: str, change: Any) -> Any:
        self.found = {"data": {**(self.found["data"] or {}), **change["data"]}}
        return self.found


def test_a_config_map_is_a_place_for_all_replicas():
    objects = Objects()
    place = ConfigMapPlace(objects, "navicert-system", "memory")  # type: ignore[arg-type]  # asked for these two
    assert place.read() is None
    place.write(b"{}")
    assert place.read() == b"{}"
    objects.found = None
    with pytest.raises(Unavailable, match="no such ConfigMap"):
        place.read()


def test_what_cannot_be_written_is_said(tmp_path: Path):
    with pytest.raises(Unavailable, match="cannot be written"):
        FilePlace(str(tmp_path / "none" / "memory.json")).write(b"")
    with pytest.raises(Unavailable, match="cannot be read"):
        FilePlace(str(tmp_path)).read()
