"""A webhook that answers its API server and nobody else: by certificates, while probes show none."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.admission_world import World, pod, review, world
from tests.api_server import Authority, CallFailed
from tests.webhook_process import Process, webhook

from navicert.admission.certificate import Serving
from navicert.cli.main import main
from navicert.errors import Malformed

CALLERS = Authority.new("callers")


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


@pytest.fixture
def running(here: World) -> Iterator[Process]:
    (here.folder / "callers.pem").write_text(CALLERS.bundle)
    with webhook(here.folder, here.folder / "policy.yaml", "--client-ca", str(here.folder / "callers.pem")) as made:
        yield made


def test_whoever_shows_no_certificate_is_denied_whatever_is_asked(here: World, running: Process) -> None:
    good = here.good()
    with running.api_server() as caller:
        outcome = caller.validate(review(pod(good)))
        assert not outcome.allowed
        assert "caller.unknown" in outcome.message
        assert not caller.mutate(review(pod(good))).allowed
        # Nor is anything read from registries for a stranger.
        assert [one for one in running.log if one.get("rulings")] == []
        # Probes of a kubelet have none.
        assert caller.get("/readyz") == (200, "ok\n")
        assert caller.get("/healthz")[0] == 200


def test_the_api_server_is_known_by_its_certificate_on_every_connection(here: World, running: Process) -> None:
    good, bad = here.good(), here.bad()
    own = CALLERS.issue(here.folder / "own", "kube-apiserver")
    with running.api_server() as caller, running.api_server() as stranger:
        caller.show(*own)
        for _ in range(3):
            assert caller.validate(review(pod(good))).allowed
            assert not caller.validate(review(pod(bad))).allowed
            assert "caller.unknown" in stranger.validate(review(pod(good))).message
            caller.close()


def test_a_certificate_of_somebody_else_ends_the_connection(here: World, running: Process) -> None:
    with running.api_server() as caller:
        caller.show(*Authority.new("callers").issue(here.folder / "other", "kube-apiserver"))
        with pytest.raises((CallFailed, ssl.SSLError, OSError)):
            caller.validate(review(pod(here.good())))


def test_what_holds_no_authority_is_refused_at_the_start(here: World, capsys: pytest.CaptureFixture[str]) -> None:
    certificate, key = Authority.new().issue(here.folder / "tls")
    for raw in (b"", b"nonsense", key.read_bytes(), "ü".encode()):
        (here.folder / "callers.pem").write_bytes(raw)
        with pytest.raises(Malformed):
            Serving(str(certificate), str(key), callers=str(here.folder / "callers.pem"))
    words = ["--tls-cert", str(certificate), "--tls-key", str(key), "--client-ca", str(here.folder / "none.pem")]
    assert main(["admission", "serve", "--policy", str(here.folder / "policy.yaml"), *words]) == 2
    assert "none.pem" in capsys.readouterr().err


def test_the_same_without_the_option_answers_everybody(here: World) -> None:
    good = here.good()
    with webhook(here.folder, here.folder / "policy.yaml") as process, process.api_server() as caller:
        assert caller.validate(review(pod(good))).allowed
        end = time.monotonic() + 30
        while not process.log and time.monotonic() < end:
            time.sleep(0.05)  # the answer does not wait for the log
        assert process.log[-1]["outcome"] == "allowed"
