"""`evidence copy` into a layout or an archive, broken off and done again: what arrived is kept, and nothing else."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from navicert.cli.main import main
from navicert.oci.access import Access
from navicert.oci.attachment import BUNDLE, attach
from navicert.oci.manifest import Platform
from navicert.oci.reference import Reference
from navicert.oci.registry import Registry
from navicert.oci.remote import resolve_reference
from navicert.testing import fault
from navicert.testing.registry import LoopbackRegistry

PLATFORMS = [Platform("linux", name) for name in ("amd64", "arm64", "ppc64le", "riscv64", "s390x")]
BLOBS = 2 * len(PLATFORMS) + 2
"""Layer and config of each platform; the document attached, and its empty config."""


@pytest.fixture
def server() -> Iterator[LoopbackRegistry]:
    """An image for five platforms, and something attached to it."""
    with LoopbackRegistry() as registry:
        children = {
            one: registry.add_image("app", files={"app": str(one).encode() * 20_000}, platform=one) for one in PLATFORMS
        }
        registry.add_index("app", children, tag="v1")
        with Registry(registry.name, Access(insecure=True)) as client:
            found = resolve_reference(client, Reference.parse(f"{registry.name}/app:v1"))
            attach(found.repository, found.root, b"some evidence", BUNDLE)
        registry.forget()
        yield registry


@pytest.fixture(autouse=True)
def _nobodys_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "auth.json").write_text("{}")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))


def words(server: LoopbackRegistry, destination: str) -> list[str]:
    return ["evidence", "copy", "--insecure", f"{server.name}/app:v1", destination]


def largest(server: LoopbackRegistry) -> str:
    """The digest of the largest layer, which is the last one on its way."""
    held = server.contents["app"].blobs
    return max(held, key=lambda digest: len(held[digest]))


def blobs_in(folder: Path) -> set[str]:
    """The digests of the blobs, without those of manifests."""
    return {f"sha256:{file.name}" for file in folder.glob("blobs/sha256/*") if not file.name.startswith(".")}


def asked_for(server: LoopbackRegistry) -> set[str]:
    found = (re.search(r"/blobs/(sha256:[0-9a-f]{64})", seen.path) for seen in server.seen if seen.method == "GET")
    return {match[1] for match in found if match}


def assert_whole(server: LoopbackRegistry, destination: str, tmp_path: Path) -> None:
    """What was copied can be copied on, every layer compared, and nothing else lies beside it."""
    assert main(["evidence", "copy", destination, f"oci:{tmp_path}/again:v1"]) == 0
    held = server.contents["app"]
    assert blobs_in(tmp_path / "again") == {*held.blobs, *held.manifests}
    assert not list(tmp_path.glob(".*"))


DESTINATIONS = pytest.mark.parametrize("destination", ["oci:{}/image:v1", "oci-archive:{}/image:v1"])


@DESTINATIONS
def test_a_registry_that_broke_off_is_asked_only_for_what_is_missing(
    server: LoopbackRegistry, tmp_path: Path, destination: str, capsys: pytest.CaptureFixture[str]
) -> None:
    destination = destination.format(tmp_path)
    missing = largest(server)
    server.fault("GET", f"/blobs/{missing}", fault.status(401))
    assert main(words(server, destination)) == 2
    assert not (tmp_path / "image").exists()
    staging = tmp_path / ".image.partial"
    assert f"what arrived whole is kept in {staging}: the same command goes on" in capsys.readouterr().err
    arrived = blobs_in(staging)
    assert missing not in arrived
    assert len(arrived) > 4
    server.heal()
    server.forget()
    assert main(words(server, destination)) == 0
    assert asked_for(server) == set(server.contents["app"].blobs) - arrived
    assert "there already" in capsys.readouterr().out
    assert_whole(server, destination, tmp_path)


@DESTINATIONS
def test_a_connection_cut_in_a_blob_leaves_nothing_that_looks_like_it(
    server: LoopbackRegistry, tmp_path: Path, destination: str, capsys: pytest.CaptureFixture[str]
) -> None:
    destination = destination.format(tmp_path)
    missing = largest(server)
    server.fault("GET", f"/blobs/{missing}", fault.cut_off(1000))
    server.behaviour = server.behaviour.__class__(ranges=False)
    assert main(words(server, destination)) == 3
    assert not (tmp_path / "image").exists()
    held = server.contents["app"].blobs | {name: raw for name, (_, raw) in server.contents["app"].manifests.items()}
    for file in (tmp_path / ".image.partial").glob("blobs/sha256/*"):
        assert file.read_bytes() == held[f"sha256:{file.name}"]
    server.heal()
    assert main(words(server, destination)) == 0
    assert_whole(server, destination, tmp_path)


@DESTINATIONS
def test_a_registry_that_lies_the_second_time_gets_nothing_in(
    server: LoopbackRegistry, tmp_path: Path, destination: str
) -> None:
    destination = destination.format(tmp_path)
    missing = largest(server)
    server.fault("GET", f"/blobs/{missing}", fault.status(401))
    assert main(words(server, destination)) == 2
    server.heal()
    server.fault("GET", f"/blobs/{missing}", fault.other_bytes(bytes(len(server.contents["app"].blobs[missing]))))
    assert main(words(server, destination)) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["auth.json"]


@pytest.fixture
def killed(server: LoopbackRegistry) -> Callable[[str, Path], set[str]]:
    """Copies in a process of its own that is killed when all has arrived but the largest layer, half of which has."""

    def copy(destination: str, folder: Path) -> set[str]:
        missing = largest(server)
        server.fault("GET", f"/blobs/{missing}", fault.trickle(0.1, 8192))
        process = subprocess.Popen(
            [sys.executable, "-m", "navicert", *words(server, destination)], stderr=subprocess.DEVNULL
        )
        try:
            for _ in range(1200):
                if len(blobs_in(folder) & set(server.contents["app"].blobs)) == BLOBS - 1:
                    break
                assert process.poll() is None
                time.sleep(0.05)
            else:
                raise AssertionError(f"only {blobs_in(folder)} arrived")
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        server.heal()
        server.forget()
        return blobs_in(folder)

    return copy


@DESTINATIONS
def test_a_copy_that_was_killed_goes_on_with_what_is_missing(
    server: LoopbackRegistry, tmp_path: Path, destination: str, killed: Callable[[str, Path], set[str]]
) -> None:
    destination = destination.format(tmp_path)
    killed(destination, tmp_path / ".image.partial")
    assert not (tmp_path / "image").exists()
    assert main(words(server, destination)) == 0
    assert asked_for(server) == {largest(server)}
    assert server.count("GET", "/blobs/") == 1
    assert_whole(server, destination, tmp_path)


def test_a_copy_into_a_layout_that_was_killed_leaves_the_layout_as_it_was(
    server: LoopbackRegistry, tmp_path: Path, killed: Callable[[str, Path], set[str]]
) -> None:
    server.add_image("app", "v0", files={"app": b"the one before"})
    destination = f"oci:{tmp_path}/image:v1"
    assert (
        main([*words(server, f"oci:{tmp_path}/image:v0")[:3], f"{server.name}/app:v0", f"oci:{tmp_path}/image:v0"]) == 0
    )
    held = server.contents["app"]
    for digest in blobs_in(tmp_path / "image"):  # only what belongs to the second image is counted
        held.blobs.pop(digest, None)
    killed(destination, tmp_path / "image")
    # What was attached arrived whole and is listed; the image is not.
    contents = (tmp_path / "image" / "index.json").read_text()
    assert '"v1"' not in contents
    assert '"v0"' in contents
    assert main(words(server, destination)) == 0
    assert asked_for(server) == {largest(server)}
    assert not list((tmp_path / "image").rglob(".navicert-blob-*"))
    assert main(["evidence", "copy", f"oci:{tmp_path}/image:v0", f"oci:{tmp_path}/other:v0"]) == 0


def test_an_archive_is_not_replaced_before_the_new_one_is_whole(server: LoopbackRegistry, tmp_path: Path) -> None:
    archive = tmp_path / "image"
    archive.write_text("the archive of before")
    destination = f"oci-archive:{archive}:v1"
    assert main(words(server, destination)) == 2
    server.fault("GET", f"/blobs/{largest(server)}", fault.status(401))
    assert main([*words(server, destination), "--force"]) == 2
    assert archive.read_text() == "the archive of before"
    server.heal()
    assert main([*words(server, destination), "--force"]) == 0
    assert_whole(server, destination, tmp_path)
