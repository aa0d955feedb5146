"""ConfigMaps with layouts: followed by their name, and read where they may not be followed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from tests.unit.admission.test_mirror import Server, event

from navicert.admission.cluster import Cluster, Forbidden
from navicert.admission.layout_map import LayoutMaps
from navicert.errors import Unavailable

LIST = "/api/v1/namespaces/shop/configmaps"
IDLE = event("BOOKMARK", {"metadata": {"resourceVersion": "11"}})


def config_map(text: str, version: str = "1", name: str = "layouts") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop", "resourceVersion": version}, "data": {"root": text}}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        made.default = IDLE
        threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture
def maps(server: Server) -> Iterator[LayoutMaps]:
    with httpx2.Client(base_url=f"http://127.0.0.1:{server.server_port}", trust_env=False) as client:
        made = LayoutMaps(Cluster(client, "navicert"), most=2)
        yield made
        made.stop()


def text(maps: LayoutMaps, name: str = "layouts") -> Any:
    found = maps.get("shop", name)
    return None if found is None else found["data"]["root"]  # type: ignore[index]


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def reads(server: Server) -> int:
    return len([path for path in server.paths if path == f"{LIST}/layouts"])


def test_before_anything_is_followed_it_is_read_each_time(server: Server, maps: LayoutMaps) -> None:
    server.single[f"{LIST}/layouts"] = config_map("one")
    assert text(maps) == "one"
    server.single[f"{LIST}/layouts"] = config_map("two")
    assert text(maps) == "two"
    assert server.asked == []


def test_what_changes_is_told_at_once_and_nothing_is_read_again(server: Server, maps: LayoutMaps) -> None:
    server.single[f"{LIST}/layouts"] = config_map("one")
    server.lists[LIST] = [config_map("one")]
    server.watches = [event("MODIFIED", config_map("two", "12"))]
    told = threading.Event()
    maps.start(told.set)
    assert text(maps) == "one"
    assert told.wait(30)
    until(lambda: text(maps) == "two")
    before = reads(server)
    assert [text(maps) for _ in range(5)] == ["two"] * 5
    assert reads(server) == before


def test_the_right_to_one_name_is_enough(server: Server, maps: LayoutMaps) -> None:
    """RBAC with `resourceNames` lets follow a list only where the request names one object of it."""
    server.single[f"{LIST}/layouts"] = config_map("one")
    maps.start(lambda: None)
    text(maps)
    until(lambda: any("watch" in path for path in server.paths))
    followed = [path for path in server.paths if path.startswith(f"{LIST}?")]
    assert followed
    assert all("fieldSelector=metadata.name%3Dlayouts" in path for path in followed)


@pytest.mark.parametrize("status", [403, 500])
def test_what_may_not_be_followed_is_read(server: Server, maps: LayoutMaps, status: int) -> None:
    server.single[LIST] = status
    server.single[f"{LIST}/layouts"] = config_map("one")
    maps.start(lambda: None)
    assert text(maps) == "one"
    until(lambda: len([path for path in server.paths if path.startswith(f"{LIST}?")]) > 0)
    server.single[f"{LIST}/layouts"] = config_map("two")
    assert text(maps) == "two"


def test_one_that_is_followed_and_cannot_be_any_more_is_not_an_old_one(server: Server, maps: LayoutMaps) -> None:
    server.single[f"{LIST}/layouts"] = config_map("one")
    server.lists[LIST] = [config_map("one")]
    maps.start(lambda: None)
    text(maps)
    until(lambda: "watch 10" in server.asked)
    server.single[LIST] = 403
    server.single[f"{LIST}/layouts"] = config_map("two")
    until(lambda: text(maps) == "two")
    server.down = True
    with pytest.raises(Unavailable):
        until(lambda: text(maps) is None)


def test_one_that_was_deleted_is_gone(server: Server, maps: LayoutMaps) -> None:
    server.single[f"{LIST}/layouts"] = config_map("one")
    server.lists[LIST] = [config_map("one")]
    server.watches = [event("DELETED", config_map("one", "12"))]
    maps.start(lambda: None)
    until(lambda: text(maps) is None)


def test_one_that_may_not_be_read_at_all_is_forbidden(server: Server, maps: LayoutMaps) -> None:
    server.single |= {LIST: 403, f"{LIST}/layouts": 403}
    maps.start(lambda: None)
    with pytest.raises(Forbidden):
        text(maps)


def test_whoever_names_many_maps_takes_no_thread_for_each(server: Server, maps: LayoutMaps) -> None:
    names = [f"m{i}" for i in range(5)]
    server.single |= {f"{LIST}/{name}": config_map(name, name=name) for name in names}
    server.lists[LIST] = [config_map(name, name=name) for name in names]
    maps.start(lambda: None)
    assert [text(maps, name) for name in names] == names
    assert len(maps._followed) == 2


def test_whoever_names_another_map_every_second_does_not_have_ever_more_of_them_watched(
    server: Server, maps: LayoutMaps
) -> None:
    """The connections of a client are few, and policies are followed by the same ones."""
    names = [f"m{i}" for i in range(5)]
    server.single |= {f"{LIST}/{name}": config_map(name, name=name) for name in names}
    server.lists[LIST] = [config_map(name, name=name) for name in names]
    server.hold = threading.Event()
    maps.start(lambda: None)
    for name in names[:2]:
        text(maps, name)
    until(lambda: len([path for path in server.paths if "watch" in path]) == 2)
    maps.retain([])
    for name in names:
        assert text(maps, name) == name
        assert maps._followed == {}
    # Room is made once their watches have ended.
    server.hold.set()
    until(lambda: text(maps, "m4") == "m4" and list(maps._followed) == [("shop", "m4")])
