"""Image configs: what decides what runs is read strictly, and all else has no say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL
from navicert.oci import media
from navicert.oci.config import Config
from navicert.oci.manifest import Document, Platform

DIFF_ID = "sha256:" + "ab" * 32


def body(run: object = None, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"os": "linux", "architecture": "amd64", "config": run}
    return made | {"rootfs": {"type": "layers", "diff_ids": [DIFF_ID]}} | fields


def read(value: Mapping[str, Any] | bytes, limits: object = LOCAL) -> Config:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Config.parse(Document.of(raw, media.OCI_CONFIG), limits, path="the config")  # type: ignore[arg-type]


def test_what_runs_is_read_and_what_does_not_decide_it_is_not() -> None:
    run = {
        "User": "app",
        "Env": ["B=2", "A=1"],
        "Entrypoint": ["/app"],
        "Cmd": ["-v"],
        "Volumes": {"/b": {}, "/a": {}},
        "ExposedPorts": {"80/tcp": {}},
        "Labels": {"a": "b"},
        "WorkingDir": "/w",
        "StopSignal": "TERM",
        "Healthcheck": {"Test": ["NONE"]},
    }
    config = read(body(run, created="2020-01-01T00:00:00Z", history=[{}], author="x"))
    assert config.platform == Platform("linux", "amd64")
    assert dict(config.run) == {
        "User": "app",
        "Env": ["B=2", "A=1"],
        "Entrypoint": ["/app"],
        "Cmd": ["-v"],
        "Volumes": ["/a", "/b"],
        "ExposedPorts": ["80/tcp"],
        "Labels": {"a": "b"},
        "WorkingDir": "/w",
        "StopSignal": "TERM",
    }
    assert [str(one) for one in config.diff_ids] == [DIFF_ID]


@pytest.mark.parametrize("empty", [None, {}, {"Env": None}, {"Env": [], "User": "", "Labels": {}, "Cmd": None}])
def test_absent_null_and_empty_are_one(empty: object) -> None:
    """Converters turn one into the other, so a digest over what runs must not tell them apart."""
    assert read(body(empty)).run == {}
    without = body()
    del without["config"]
    assert read(without).run == {}


@pytest.mark.parametrize(
    ("run", "pointer"),
    [
        ({"Env": "PATH=/bin"}, "/config/Env"),
        ({"Env": {}}, "/config/Env"),
        ({"Env": False}, "/config/Env"),
        ({"Env": ["A=1", 2]}, "/config/Env/1"),
        ({"Entrypoint": "/app"}, "/config/Entrypoint"),
        ({"Cmd": ["x", None]}, "/config/Cmd/1"),
        ({"User": 0}, "/config/User"),
        ({"WorkingDir": ["/"]}, "/config/WorkingDir"),
        ({"Volumes": ["/data"]}, "/config/Volumes"),
        ({"ExposedPorts": 0}, "/config/ExposedPorts"),
        ({"Labels": {"a/b": 1}}, "/config/Labels/a~1b"),
        ({"Labels": []}, "/config/Labels"),
        ([], "/config"),
        ("", "/config"),
    ],
)
def test_what_runs_in_another_type_is_refused_not_ignored(run: object, pointer: str) -> None:
    """One runtime converts it, another one drops it: two images behind one digest."""
    with pytest.raises(Malformed) as caught:
        read(body(run))
    assert (caught.value.path, caught.value.pointer) == ("the config", pointer)


@pytest.mark.parametrize("name", ["entrypoint", "ENTRYPOINT", "env", "user", "labels", "workingdir"])
def test_a_field_in_another_case_is_refused_because_some_runtimes_would_read_it(name: str) -> None:
    with pytest.raises(Malformed, match="another case"):
        read(body({name: ["/evil"]}))


@pytest.mark.parametrize("name", ["Config", "RootFS", "OS", "Architecture"])
def test_the_same_holds_for_the_document_itself(name: str) -> None:
    with pytest.raises(Malformed, match="another case"):
        read(body() | {name: {}})


@pytest.mark.parametrize(
    "rootfs",
    [
        None,
        {},
        [],
        {"type": "layers+base", "diff_ids": [DIFF_ID]},
        {"diff_ids": [DIFF_ID]},
        {"type": "layers", "diff_ids": DIFF_ID},
        {"type": "layers", "diff_ids": [DIFF_ID.upper()]},
        {"type": "layers", "diff_ids": ["ab" * 32]},
        {"type": "layers", "diff_ids": ["md5:" + "ab" * 16]},
        {"type": "layers", "diff_ids": [None]},
        {"type": "layers", "diff_ids": False},
        {"type": "layers", "Diff_IDs": [DIFF_ID], "diff_ids": []},
    ],
)
def test_layers_that_are_not_named_by_their_digests_are_refused(rootfs: object) -> None:
    with pytest.raises(Malformed):
        read(body() | {"rootfs": rootfs})


def test_an_image_without_a_rootfs_is_none() -> None:
    without = body()
    del without["rootfs"]
    with pytest.raises(Malformed, match="rootfs"):
        read(without)


@pytest.mark.parametrize(
    "fields",
    [
        {"os": None},
        {"os": ""},
        {"architecture": None},
        {"architecture": "../../etc"},
        {"os": "linux/amd64"},
        {"variant": "*"},
        {"variant": 7},
        {"os.version": "a b"},
    ],
)
def test_a_platform_that_could_not_stand_in_a_name_is_refused(fields: dict[str, object]) -> None:
    """It becomes part of artifact names, where rules read `*` and `..` as something else."""
    with pytest.raises(Malformed):
        read(body(**fields))


def test_a_platform_has_one_spelling_and_what_was_written_is_kept() -> None:
    config = read(body(architecture="aarch64", variant="v8"))
    assert config.platform == Platform("linux", "arm64")
    assert (config.architecture, config.variant) == ("aarch64", "v8")


def test_more_layers_than_the_limit_are_refused() -> None:
    value = body() | {"rootfs": {"type": "layers", "diff_ids": [DIFF_ID] * 4}}
    read(value, replace(LOCAL, layers=4))
    with pytest.raises(LimitExceeded):
        read(value, replace(LOCAL, layers=3))


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b'{"os": "linux", "os": "windows"}', b"\xff", b"{} {}"])
def test_what_is_no_object_or_means_two_things_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        read(raw)
    assert caught.value.path == "the config"
