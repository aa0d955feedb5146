"""The webhook as a process, called over TLS as an API server calls it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.admission_world import DEPLOYMENT, POD, World, pod, review, world
from tests.api_server import ApiServer, Authority, CallFailed
from tests.webhook_process import Process, webhook

from navicert.admission.review import Kind
from navicert.testing import fault


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Process]]:
    """A world and a webhook for the tests that leave both as they are."""
    with (
        world(tmp_path_factory.mktemp("shared")) as made,
        webhook(made.folder, made.folder / "policy.yaml") as process,
    ):
        yield made, process


@pytest.fixture
def place(shared: tuple[World, Process]) -> World:
    return shared[0]


@pytest.fixture
def caller(shared: tuple[World, Process]) -> Iterator[ApiServer]:
    with shared[1].api_server() as server:
        yield server


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


@pytest.fixture
def running(here: World) -> Iterator[Process]:
    with webhook(here.folder, here.folder / "policy.yaml", "--drain", "1") as process:
        yield process


def test_good_and_tampered_deployments_as_the_source_documents_configure_it(place: World, caller: ApiServer):
    good, bad = place.good(), place.bad()
    allowed = caller.validate(review(pod(good), DEPLOYMENT))
    assert allowed.allowed
    assert allowed.annotations["decision"] == "allowed"
    denied = caller.validate(review(pod(bad), DEPLOYMENT))
    assert not denied.allowed
    assert denied.code == 403
    for part in ("c0", bad.rpartition("@")[2], "policy all", "step build", "target.bound", "navicert verify"):
        assert part in denied.message
    tagged = caller.validate(review(pod(good.partition("@")[0]), DEPLOYMENT))
    assert tagged.allowed
    assert any("tag" in text for text in tagged.warnings)


def test_a_pod_is_pinned_then_judged(place: World, caller: ApiServer):
    reference = place.good()
    asked = review(pod(reference.partition("@")[0]))
    assert not caller.validate(asked).allowed, "not pinned"
    mutated = caller.mutate(asked)
    assert mutated.patched["spec"]["containers"][0]["image"] == reference
    asked["request"]["object"] = mutated.patched
    assert caller.validate(asked).allowed
    assert caller.mutate(asked).patched is None, "doing it again changes nothing"


CHANGES = ["create", "update-same", "update-image", "update-scale", "being-deleted"]
KINDS = [
    Kind("", "v1", "Pod"),
    Kind("", "v1", "ReplicationController"),
    Kind("", "v1", "PodTemplate"),
    Kind("apps", "v1", "Deployment"),
    Kind("apps", "v1", "ReplicaSet"),
    Kind("apps", "v1", "StatefulSet"),
    Kind("apps", "v1", "DaemonSet"),
    Kind("batch", "v1", "Job"),
    Kind("batch", "v1", "CronJob"),
]


def wrapped(kind: Kind, image: str, **meta: Any) -> dict[str, Any]:
    spec = pod(image)
    version = f"{kind.group}/{kind.version}" if kind.group else kind.version
    whole: dict[str, Any] = {"apiVersion": version, "kind": kind.name, "metadata": {"name": "x", **meta}}
    if kind.name == "Pod":
        return whole | {"spec": spec}
    if kind.name == "PodTemplate":
        return whole | {"template": {"spec": spec}}
    if kind.name == "CronJob":
        return whole | {"spec": {"jobTemplate": {"spec": {"template": {"spec": spec}}}}}
    return whole | {"spec": {"replicas": 3, "template": {"spec": spec}}}


def test_every_kind_in_every_change(place: World, caller: ApiServer):
    good, bad = place.good(), place.bad()
    for kind in KINDS:
        for change in CHANGES:
            for image, fine in ((good, True), (bad, False)):
                asked = review(pod("x"), POD)
                request = asked["request"]
                request["kind"] = {"group": kind.group, "version": kind.version, "kind": kind.name}
                request["object"] = wrapped(kind, image)
                if change != "create":
                    request["operation"] = "UPDATE"
                    request["oldObject"] = wrapped(kind, image if change in ("update-same", "update-scale") else good)
                if change == "being-deleted":
                    request["object"]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
                if change == "update-scale" and "replicas" in request["object"].get("spec", {}):
                    request["object"]["spec"]["replicas"] = 0
                unchanged = change in ("update-same", "update-scale")
                assert caller.validate(asked).allowed == (fine or unchanged), (kind, change, image)


def test_ephemeral_containers_in_both_shapes_and_image_volumes(place: World, caller: ApiServer):
    good, bad = place.good(), place.bad()
    for image, fine in ((good, True), (bad, False)):
        debug = pod(good, ephemeralContainers=[{"name": "debug", "image": image}])
        asked = review(debug, old=pod(good), subResource="ephemeralcontainers")
        assert caller.validate(asked).allowed == fine
        old = review({}, subResource="ephemeralcontainers", operation="UPDATE")
        old["request"]["kind"] = {"group": "", "version": "v1", "kind": "EphemeralContainers"}
        body = {"apiVersion": "v1", "kind": "EphemeralContainers", "metadata": {"name": "web"}}
        old["request"]["oldObject"] = {**body, "ephemeralContainers": []}
        old["request"]["object"] = {**body, "ephemeralContainers": [{"name": "debug", "image": image}]}
        assert caller.validate(old).allowed == fine
        volume = pod(good, volumes=[{"name": "v", "image": {"reference": image}}])
        assert caller.validate(review(volume)).allowed == fine


def test_references_in_every_spelling(place: World, caller: ApiServer):
    good = place.good()
    name, _, digest = good.partition("@")
    host, _, path = name.partition("/")
    short = path.partition(":")[0]
    for image, fine in (
        (f"{host}/{short}@{digest}", True),
        (f"{host}/{short}:other-tag@{digest}", True),
        (f"{host.upper()}/{short}@{digest}", True),
        (f"{host}/{short.upper()}@{digest}", False),
        (f"https://{host}/{short}@{digest}", False),
        (f"{host}.evil.example/{short}@{digest}", False),
        (f"{short}@{digest}", False),
        (f"{host}/{short}@sha256:12", False),
        (f"{host}/{short}@{digest}@{digest}", False),
        ("", False),
    ):
        assert caller.validate(review(pod(image))).allowed == fine, image


@pytest.mark.parametrize(
    "raw",
    [b"", b"null", b"[]", b"{", b'{"a": 1, "a": 2}', b"\xff\xff", b"[" * 100_000, b'{"kind": NaN}'],
    ids=["empty", "null", "list", "cut", "twice", "bytes", "deep", "nan"],
)
@pytest.mark.parametrize("path", ["/verify", "/mutate"])
def test_what_is_no_review_gets_a_denial_and_nothing_else(caller: ApiServer, raw: bytes, path: str):
    status, headers, body = caller.send(raw, path)
    answer = json.loads(body)
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert answer["response"]["allowed"] is False
    assert answer["response"]["status"]["code"] == 403
    assert "Traceback" not in body.decode()


@pytest.mark.parametrize(
    "change",
    [{"apiVersion": "admission.k8s.io/v1beta1"}, {"kind": "Pod"}, {"request": None}],
    ids=lambda change: str(next(iter(change))),
)
def test_a_review_of_another_kind_or_version_is_denied(place: World, caller: ApiServer, change: dict[str, Any]):
    status, _, body = caller.send(json.dumps(review(pod(place.good())) | change).encode())
    assert (status, json.loads(body)["response"]["allowed"]) == (200, False)


def test_the_uid_is_echoed_on_every_answer(place: World, caller: ApiServer):
    for asked in (review(pod(place.good())), review(pod("")), review(None), review(pod("x"), operation="PATCH")):
        asked["request"]["uid"] = "0df28fbd-5f5f-11e8-bc74-36e6bb280816"
        caller.validate(asked)


def test_seven_mebibytes_are_judged_and_more_is_denied_with_the_uid(place: World, caller: ApiServer):
    asked = review(pod(place.good()), old=pod(place.good()))
    for name in ("object", "oldObject"):
        notes = {f"n{i}": "x" * 900_000 for i in range(4)}
        asked["request"][name]["metadata"]["annotations"] = notes
    size = len(json.dumps(asked))
    assert 6.8 * 1024 * 1024 < size < 7.5 * 1024 * 1024
    assert caller.validate(asked).allowed
    asked["request"]["object"]["metadata"]["annotations"] |= {f"m{i}": "x" * 900_000 for i in range(2)}
    denied = caller.validate(asked)
    assert not denied.allowed
    assert "review_bytes" in denied.message


def test_thousands_of_containers_are_decided(place: World, caller: ApiServer):
    good = place.good()
    assert caller.validate(review(pod(*[good] * 4000))).allowed
    many = pod(*[f"{place.registry.name}/shop/app@sha256:{i:064x}" for i in range(4000)])
    started = time.monotonic()
    denied = caller.validate(review(many))
    assert not denied.allowed
    assert time.monotonic() - started < 10


def test_a_slow_registry_ends_in_a_denial_within_the_time_that_was_granted(place: World, caller: ApiServer):
    reference = place.good("slow/app")
    place.registry.fault("GET", "/slow/", fault.delay(6))
    started = time.monotonic()
    denied = caller.validate(review(pod(reference)), seconds=3)
    place.registry.heal()
    assert time.monotonic() - started < 3
    assert not denied.allowed
    assert "time.exceeded" in denied.message


def test_a_dry_run_is_decided_alike(shared: tuple[World, Process], caller: ApiServer):
    here, running = shared
    assert caller.validate(review(pod(here.good()), dryRun=True)).allowed
    assert not caller.validate(review(pod(here.bad()), dryRun=True)).allowed
    end = time.monotonic() + 5
    while not (running.log and running.log[-1]["dry-run"]) and time.monotonic() < end:
        time.sleep(0.02)
    assert running.log[-1]["dry-run"] is True


def test_each_decision_is_one_line_and_counted(here: World, running: Process):
    good, bad = here.good(), here.bad()
    with running.api_server() as caller:
        denied = caller.validate(review(pod(bad)))
        caller.validate(review(pod(good)))
        caller.validate(review(pod(good)))
    end = time.monotonic() + 5
    while len(running.log) < 3 and time.monotonic() < end:
        time.sleep(0.02)
    line = running.log[0]
    assert (line["outcome"], line["reason"], line["user"]) == ("denied", "target.bound", "jane")
    assert line["id"] == denied.annotations["decision-id"]
    assert line["rulings"][0]["image"].endswith(bad.rpartition("@")[2])
    status, text = running.get("/metrics")
    assert status == 200
    for sample in (
        'navicert_admission_decisions_total{hook="verify",outcome="denied",reason="target.bound"} 1.0',
        'navicert_admission_decisions_total{hook="verify",outcome="allowed",reason="verified"} 2.0',
        'navicert_verdict_lookups_total{result="hit"} 1.0',
        'navicert_verdict_lookups_total{result="miss"} 2.0',
        'navicert_expiry_seconds{kind="certificate",name="webhook"}',
        'navicert_expiry_seconds{kind="layout",name="all"}',
        f'navicert_judgement_seconds_count{{outcome="passed",registry="{here.registry.name}"}} 1.0',
        'navicert_admission_seconds_bucket{hook="verify",le="0.001",phase="waiting"}',
    ):
        assert sample in text
    assert running.get("/verify")[0] == 404, "nothing is judged where there is no TLS"


def test_the_certificate_is_exchanged_without_a_failed_call(here: World, running: Process):
    reference = here.good()
    asked = review(pod(reference))
    old = running.authority
    new = Authority.new("the next")
    caller = ApiServer(running.port, old.bundle + new.bundle)
    before = caller.certificate().serial_number
    failures: list[str] = []
    stop = threading.Event()

    def call(fresh: bool) -> None:
        mine = ApiServer(running.port, old.bundle + new.bundle)
        while not stop.is_set():
            try:
                assert mine.validate(asked).allowed
            except (CallFailed, AssertionError) as error:
                failures.append(str(error))
            if fresh:
                mine.close()
        mine.close()

    threads = [threading.Thread(target=call, args=(fresh,)) for fresh in (False, True, True)]
    for thread in threads:
        thread.start()
    new.issue(here.folder / "tls")
    running.wait_for("certificate renewed")
    time.sleep(0.5)
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert caller.certificate().serial_number != before
    with ApiServer(running.port, new.bundle) as later:
        assert later.validate(asked).allowed
    with pytest.raises(CallFailed, match="CERTIFICATE_VERIFY_FAILED"):
        ApiServer(running.port, old.bundle).validate(asked)


def test_a_pair_that_does_not_belong_together_is_not_served(here: World, running: Process):
    asked = review(pod(here.good()))
    caller = running.api_server()
    before = caller.certificate().serial_number
    other = Authority.new().issue(here.folder / "other")
    (here.folder / "tls" / "tls.key").write_bytes(other[1].read_bytes())
    running.wait_for("certificate not renewed")
    assert caller.certificate().serial_number == before
    with caller:
        assert caller.validate(asked).allowed
    assert 'navicert_renewal_problems_total{of="certificate"}' in running.get("/metrics")[1]


def test_the_service_is_known_by_its_name_only(shared: tuple[World, Process]):
    running = shared[1]
    with pytest.raises(CallFailed, match="Hostname mismatch"):
        ApiServer(running.port, running.authority.bundle, "other.security.svc").validate(review(pod("x")))


def test_policies_are_renewed_and_what_cannot_be_read_changes_nothing(here: World, running: Process):
    bad = here.bad()
    path = here.folder / "policy.yaml"
    with running.api_server() as caller:
        assert not caller.validate(review(pod(bad))).allowed
        path.write_text("kind: [nonsense")
        running.wait_for("policies not renewed")
        assert not caller.validate(review(pod(bad))).allowed
        path.write_text(yaml.safe_dump(here.policy(mode="warn")))
        running.wait_for("policies renewed: 1 policy")
        warned = caller.validate(review(pod(bad)))
    assert warned.allowed
    assert "policy all would refuse" in warned.warnings[0]


def test_sigterm_loses_no_call_where_another_replica_goes_on(here: World, running: Process, tmp_path: Path):
    asked = review(pod(here.good()))
    with webhook(tmp_path / "second", here.folder / "policy.yaml") as second:
        ports = [(running.port, running.authority), (second.port, second.authority)]
        failures: list[str] = []
        served: list[int] = []
        stop = threading.Event()
        ready = [True]

        def call() -> None:
            callers = [ApiServer(port, authority.bundle) for port, authority in ports]
            turn = 0
            while not stop.is_set():
                turn += 1
                # As kube-proxy: the first is left out once it has said that it is not ready.
                caller = callers[turn % 2 if ready[0] else 1]
                try:
                    assert caller.validate(asked).allowed
                    served.append(turn % 2 if ready[0] else 1)
                except (CallFailed, AssertionError) as error:
                    failures.append(str(error))
            for caller in callers:
                caller.close()

        threads = [threading.Thread(target=call) for _ in range(3)]
        for thread in threads:
            thread.start()
        end = time.monotonic() + 20
        while len(set(served)) < 2 and time.monotonic() < end:
            time.sleep(0.02)
        ending = threading.Thread(target=lambda: codes.append(running.terminate()))
        codes: list[int] = []
        ending.start()
        running.wait_for("ending")
        time.sleep(0.3)
        ready[0] = False
        ending.join()
        stop.set()
        for thread in threads:
            thread.join()
        assert failures == []
        assert codes == [0]
        assert {0, 1} <= set(served)


def test_it_says_that_it_is_ready_and_that_it_is_not(running: Process):
    caller = running.api_server()
    assert caller.get("/readyz") == (200, "ok\n")
    ending = threading.Thread(target=running.terminate)
    ending.start()
    running.wait_for("ending")
    assert caller.get("/readyz") == (503, "ending\n")
    ending.join()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--listen", "nowhere"], "not an address"),
        (["--tls-cert", "none.pem"], "cannot be read"),
        (["--tls-key", "tls/tls.crt"], "not a private key"),
        (["--policy", "none.yaml"], "no such file"),
        (["--drain", "-1"], "not 0 to 300 seconds"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_served(here: World, words: list[str], said: str):
    import subprocess
    import sys

    Authority.new().issue(here.folder / "tls")
    base = [
        "--policy",
        "policy.yaml",
        "--tls-cert",
        "tls/tls.crt",
        "--tls-key",
        "tls/tls.key",
        "--listen",
        "127.0.0.1:0",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "navicert", "admission", "serve", *base, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=here.folder,
        timeout=30,
    )
    assert done.returncode == 2
    assert said in done.stderr


def test_what_passed_is_known_after_a_restart_while_the_registry_is_down(here: World):
    from navicert.crypto.signer import generate, private_pem

    (here.folder / "memory.key").write_bytes(private_pem(generate(), None))
    (here.folder / "memory.key").chmod(0o600)
    here.use(here.policy(onRegistryError="allowVerifiedBefore"))
    asked = review(pod(here.good()))
    words = ["--drain", "0", "--memory", "memory.json", "--memory-key", "memory.key"]
    with webhook(here.folder, here.folder / "policy.yaml", *words) as first, first.api_server() as caller:
        assert caller.validate(asked).allowed
        assert first.terminate() == 0
    here.registry.fault("GET", "", fault.status(503))
    with webhook(here.folder, here.folder / "policy.yaml", *words) as second, second.api_server() as caller:
        second.wait_for("remembers 1 pass from before")
        after = caller.validate(asked)
        assert after.allowed
        assert "passed before" in after.warnings[0]
    with webhook(here.folder, here.folder / "policy.yaml") as other, other.api_server() as caller:
        assert not caller.validate(asked).allowed
