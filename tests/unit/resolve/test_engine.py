"""`image:NAME`: what docker and podman hold, by programs that are found in absolute folders and bounded."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.image_builder import LayoutBuilder, docker_entries, entries_of, tar_of

from navicert.errors import LimitExceeded, Malformed, NavicertError, Refused, Unavailable
from navicert.limits import LOCAL
from navicert.resolve.engine import open_engine_image

ID = "ab" * 32


class Engines:
    """A folder of programs that pretend to be engines, and do what a test says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        folder.mkdir()

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": f".{os.pathsep}{self.folder}"}

    def add(self, program: str, archive: Path | None, *, id: str = ID, save: str = "") -> None:
        """A program that knows every image as `id`, and saves `archive`."""
        script = f"""#!/bin/sh
echo "{program} $*" >> {self.log}
case "$1" in
image) {f"echo {id}" if id else "echo no such image >&2; exit 1"} ;;
save) {save or f"exec cat {archive}"} ;;
esac
"""
        (self.folder / program).write_text(script)
        (self.folder / program).chmod(0o755)

    @property
    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def engines(tmp_path: Path) -> Engines:
    return Engines(tmp_path / "bin")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return tar_of(docker_entries(), tmp_path / "saved.tar")


def test_the_image_is_saved_by_the_id_that_its_name_had(engines: Engines, saved: Path) -> None:
    engines.add("docker", saved)
    image, program = open_engine_image("app:1", environment=engines.environment)
    assert program == "docker"
    assert len(image.platforms) == 1
    assert engines.calls == [
        "docker image inspect --format {{.Id}} app:1",
        f"docker save {ID}",
    ]


def test_podman_saves_in_the_form_that_keeps_the_config(engines: Engines, tmp_path: Path) -> None:
    builder = LayoutBuilder(tmp_path / "image")
    builder.contents(builder.image())
    engines.add("podman", tar_of(entries_of(tmp_path / "image"), tmp_path / "oci.tar"))
    _, program = open_engine_image("app:1", environment=engines.environment)
    assert program == "podman"
    assert engines.calls[-1] == f"podman save --format oci-archive {ID}"


def test_two_engines_that_agree_are_one(engines: Engines, saved: Path) -> None:
    engines.add("docker", saved, id=f"sha256:{ID}")
    engines.add("podman", saved)
    assert open_engine_image("app:1", environment=engines.environment)[1] == "docker"


def test_two_engines_that_disagree_are_not_chosen_from(engines: Engines, saved: Path) -> None:
    engines.add("docker", saved)
    engines.add("podman", saved, id="cd" * 32)
    with pytest.raises(Refused, match="different images"):
        open_engine_image("app:1", environment=engines.environment)


def test_an_image_that_only_one_of_them_has_is_that_one_s(engines: Engines, saved: Path) -> None:
    engines.add("docker", saved)
    engines.add("podman", saved, id="")
    assert open_engine_image("app:1", environment=engines.environment)[1] == "docker"


@pytest.mark.parametrize("answer", ["", "latest", ID[:-1], ID + "\\n" + ID, f"md5:{ID}", ID.upper()])
def test_an_answer_that_is_no_id_is_not_guessed_at(engines: Engines, saved: Path, answer: str) -> None:
    engines.add("docker", saved, id=answer or "''")
    with pytest.raises(Unavailable):
        open_engine_image("app:1", environment=engines.environment)


def test_where_no_engine_is_the_remedy_is_named(engines: Engines) -> None:
    with pytest.raises(Unavailable, match="neither docker nor podman is there"):
        open_engine_image("app:1", environment=engines.environment)
    with pytest.raises(Unavailable):
        open_engine_image("app:1", environment={})


def test_a_program_of_the_working_directory_is_never_run(
    engines: Engines, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines.add("docker", saved)
    monkeypatch.chdir(engines.folder)
    with pytest.raises(Unavailable):
        open_engine_image("app:1", environment={"PATH": f".{os.pathsep}bin{os.pathsep}"})
    assert engines.calls == []


@pytest.mark.parametrize("name", ["--output=/x", "-q", "", "a b", "a\nb", "a;b", "$(id)", "a" * 2000])
def test_a_name_that_would_be_something_else_is_refused_before_anything_runs(
    engines: Engines, saved: Path, name: str
) -> None:
    engines.add("docker", saved)
    with pytest.raises(Malformed, match="not the name of an image"):
        open_engine_image(name, environment=engines.environment)
    assert engines.calls == []


def test_an_engine_that_fails_half_way_gives_no_image(engines: Engines, saved: Path) -> None:
    engines.add("docker", saved, save=f"head -c 2000 {saved}; echo disk full >&2; exit 3")
    with pytest.raises(Unavailable, match="exit code 3") as caught:
        open_engine_image("app:1", environment=engines.environment)
    assert "disk full" in str(caught.value)


def test_half_an_archive_is_no_image_although_the_engine_says_that_all_is_well(engines: Engines, saved: Path) -> None:
    engines.add("docker", saved, save=f"head -c 3000 {saved}")
    with pytest.raises(NavicertError):
        open_engine_image("app:1", environment=engines.environment)


def test_an_endless_image_and_an_endless_wait_are_ended(engines: Engines, saved: Path) -> None:
    engines.add("docker", saved, save="while true; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done")
    with pytest.raises(LimitExceeded, match="limit archive_bytes"):
        open_engine_image("app:1", replace(LOCAL, archive_bytes=100_000), engines.environment)
    engines.add("docker", saved, save="sleep 600")
    began = time.monotonic()
    with pytest.raises(Unavailable, match="limit engine_seconds"):
        open_engine_image("app:1", replace(LOCAL, engine_seconds=1), engines.environment)
    assert time.monotonic() - began < 120


def test_nothing_is_left_of_the_archive(
    engines: Engines, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    engines.add("docker", saved)
    open_engine_image("app:1", environment=engines.environment)
    engines.add("docker", saved, save="exit 1")
    with pytest.raises(Unavailable):
        open_engine_image("app:1", environment=engines.environment)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_what_was_saved_is_checked_like_any_archive(engines: Engines, tmp_path: Path) -> None:
    entries = [(name, data if name != "0/layer.tar" else b"x" * len(data)) for name, data in docker_entries()]
    engines.add("docker", tar_of(entries, tmp_path / "saved.tar"))
    with pytest.raises(Malformed):
        open_engine_image("app:1", environment=engines.environment)
    assert hashlib.sha256(b"").hexdigest() not in " ".join(engines.calls)
