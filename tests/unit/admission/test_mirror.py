"""A list that is followed, over real connections: to an API server of the test's own that drops, forgets and lies."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from navicert.admission.cluster import Cluster
from navicert.admission.mirror import FIRST_PAUSE, LONGEST_PAUSE, SHORTEST_STEP, Following, Mirror
from navicert.errors import LimitExceeded, Malformed, Unavailable

PATH = "/apis/navicert.dev/v1alpha1/clustersupplychainpolicies"


def thing(name: str, version: str = "1", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": version}, "spec": spec}


def event(kind: str, one: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": one}).encode() + b"\n"


GONE = event("ERROR", {"kind": "Status", "code": 410, "message": "too old resource version"})


class Server(ThreadingHTTPServer):
    """Answers paths of `single` with an object or a status, lists with `items` (`lists` by path) and `version`, and
    each watch with the next of `watches`, or `default`: bytes that are sent before the connection ends properly, a
    status, or (bytes, None) for a connection that breaks off behind them.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.items: list[Any] = []
        self.lists: dict[str, list[Any]] = {}
        self.single: dict[str, Any] = {}
        self.hold: threading.Event | None = None
        """Until it is set, watches say nothing and do not end."""
        self.paths: list[str] = []
        self.version = "10"
        self.down = False
        self.watches: list[Any] = []
        self.default: Any = b""
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        server = self.server
        if server.down:
            self.close_connection = True
            return
        place = urlsplit(self.path).path
        server.paths.append(self.path)
        if place in server.single:
            found = server.single[place]
            self._whole(
                found if isinstance(found, int) else 200, {"message": "no"} if isinstance(found, int) else found
            )
            return
        if "watch" not in query:
            server.asked.append("list")
            items = server.lists.get(place, server.items)
            self._whole(200, {"items": items, "metadata": {"resourceVersion": server.version}})
            return
        server.asked.append(f"watch {query['resourceVersion'][0]}")
        planned = server.watches.pop(0) if server.watches else server.default
        if isinstance(planned, int):
            self._whole(planned, {"message": "no"})
            return
        sent, proper = planned if isinstance(planned, tuple) else (planned, True)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if server.hold is not None:
            server.hold.wait(30)
        # In two pieces, the first of which ends in the middle of an event.
        for piece in (sent[: len(sent) // 2], sent[len(sent) // 2 :]):
            if piece:
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        if proper:
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.close_connection = True

    def _whole(self, status: int, body: Any) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture
def cluster(server: Server) -> Iterator[Cluster]:
    with httpx2.Client(base_url=f"http://127.0.0.1:{server.server_port}", trust_env=False) as client:
        yield Cluster(client, "navicert")


@pytest.fixture
def mirror(cluster: Cluster) -> Mirror:
    return Mirror(cluster, PATH, most=5, jitter=lambda: 0.0)


def names(mirror: Mirror) -> list[Any]:
    return [one["metadata"]["name"] for one in mirror()]  # type: ignore[index]


def test_what_changes_is_seen_without_the_list_being_read_again(server: Server, mirror: Mirror) -> None:
    server.items = [thing("a"), thing("b")]
    server.watches = [
        event("ADDED", thing("c", "11")) + event("MODIFIED", thing("a", "12", mode="warn")),
        event("DELETED", thing("b", "13")) + event("BOOKMARK", {"metadata": {"resourceVersion": "20"}}),
        event("BOOKMARK", {"metadata": {"resourceVersion": "21"}}),
    ]
    changes: list[int] = []
    mirror.changed = lambda: changes.append(1)
    assert names(mirror) == ["a", "b"]
    assert all(mirror.step() <= SHORTEST_STEP for _ in range(3))
    assert names(mirror) == ["a", "c"]
    assert mirror()[0]["spec"] == {"mode": "warn"}
    assert server.asked == ["list", "watch 10", "watch 12", "watch 20"]
    assert len(changes) == 4
    assert mirror.problem == ""


@pytest.mark.parametrize("gone", [GONE, 410])
def test_a_version_that_is_gone_is_read_again_as_a_whole(gone: Any, server: Server, mirror: Mirror) -> None:
    server.items = [thing("a"), thing("b")]
    server.watches = [gone, event("ADDED", thing("c", "31"))]
    assert names(mirror) == ["a", "b"]
    # What was deleted meanwhile is in no event any more.
    server.items, server.version = [thing("a")], "30"
    assert mirror.step() == FIRST_PAUSE
    mirror.step()
    assert names(mirror) == ["a", "c"]
    assert server.asked == ["list", "watch 10", "list", "watch 30"]


def test_policies_do_not_disappear_when_the_api_server_does(server: Server, mirror: Mirror) -> None:
    server.items = [thing("a")]
    assert names(mirror) == ["a"]
    server.down = True
    pauses = [mirror.step() for _ in range(8)]
    assert names(mirror) == ["a"]
    assert mirror.problem
    # Each twice as long as the one before, up to a limit.
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]
    server.down, server.items = False, [thing("b")]
    server.watches = [event("BOOKMARK", {"metadata": {"resourceVersion": "11"}})]
    assert mirror.step() <= SHORTEST_STEP
    assert (names(mirror), mirror.problem) == (["b"], "")


def test_a_connection_that_breaks_in_the_middle_of_an_event_loses_nothing(server: Server, mirror: Mirror) -> None:
    server.items = [thing("a")]
    whole = event("ADDED", thing("b", "11"))
    server.watches = [(whole + event("DELETED", thing("a", "12"))[:20], None)]
    assert names(mirror) == ["a"]
    server.items = [thing("b")]
    assert mirror.step() > 0
    assert "broke off" in mirror.problem
    server.watches = [event("BOOKMARK", {"metadata": {"resourceVersion": "12"}})]
    mirror.step()
    assert names(mirror) == ["b"]
    assert server.asked == ["list", "watch 10", "list", "watch 10"]


@pytest.mark.parametrize(
    "odd",
    [
        b"no json\n",
        b'{"type": "ADDED"}\n',
        event("ADDED", {"metadata": {"resourceVersion": "11"}}),
        event("ADDED", {"metadata": {"name": "", "resourceVersion": "11"}}),
        event("ADDED", {"metadata": {"name": 7, "resourceVersion": "11"}}),
        event("DELETED", {"metadata": {"name": "a"}}),
        event("FORGOTTEN", thing("a", "11")),
        event("ERROR", {"code": 500, "message": "etcd"}),
        b'{"type": "DELETED", "type": "ADDED", "object": {}}\n',
    ],
)
def test_an_event_that_cannot_be_understood_takes_no_policy_away(odd: bytes, server: Server, mirror: Mirror) -> None:
    server.items = [thing("a")]
    server.watches = [odd]
    assert names(mirror) == ["a"]
    assert mirror.step() > 0
    assert names(mirror) == ["a"]
    assert mirror.problem
    # And what came behind it is not lost: the list is read again.
    mirror.step()
    assert server.asked[:3] == ["list", "watch 10", "list"]


def test_a_server_that_ends_every_watch_at_once_is_not_asked_without_end(server: Server, mirror: Mirror) -> None:
    assert names(mirror) == []
    assert [mirror.step() for _ in range(3)] == [1.0, 2.0, 4.0]


def test_one_that_ends_every_watch_behind_an_event_is_given_a_pause(server: Server, cluster: Cluster) -> None:
    server.watches = [event("BOOKMARK", {"metadata": {"resourceVersion": str(i)}}) for i in range(11, 14)]
    still = Mirror(cluster, PATH, clock=lambda: 7.0)
    assert [still.step() for _ in range(3)] == [SHORTEST_STEP] * 3


def test_more_objects_than_there_may_be_change_nothing(server: Server, mirror: Mirror) -> None:
    server.items = [thing(str(i)) for i in range(5)]
    server.watches = [event("ADDED", thing("one-too-many", "11"))]
    assert len(names(mirror)) == 5
    mirror.step()
    assert len(names(mirror)) == 5
    assert "limit policies" in mirror.problem
    server.items.append(thing("one-too-many"))
    with pytest.raises(LimitExceeded):
        mirror.refresh()
    assert len(names(mirror)) == 5


def test_what_may_be_listed_and_not_watched_is_listed_ever_more_slowly(server: Server, mirror: Mirror) -> None:
    server.items = [thing("a")]
    server.watches = [403, 403]
    assert names(mirror) == ["a"]
    mirror.step()
    server.items = [thing("b")]
    mirror.step()
    assert names(mirror) == ["b"]
    assert "see the RBAC of the chart" in mirror.problem


def test_an_error_of_our_own_does_not_end_following_without_a_word(server: Server, mirror: Mirror) -> None:
    server.items = [thing("a")]
    assert names(mirror) == ["a"]

    def broken() -> None:
        raise ZeroDivisionError

    mirror.changed = broken
    server.watches = [event("ADDED", thing("b", "11"))]
    assert mirror.step() > 0
    assert mirror.problem == "internal error: ZeroDivisionError"


def test_before_the_first_list_nothing_is_an_empty_list(server: Server, mirror: Mirror) -> None:
    server.down = True
    with pytest.raises(Unavailable):
        mirror()
    server.down, server.items = False, [{"metadata": {}}]
    with pytest.raises(Malformed):
        mirror()


def test_replicas_do_not_all_ask_at_the_same_time(server: Server, cluster: Cluster) -> None:
    server.down = True
    early = Mirror(cluster, PATH, jitter=lambda: 1.0)
    assert early.step() == FIRST_PAUSE / 2


def test_a_pause_leaves_the_random_numbers_of_the_process_alone(server: Server, cluster: Cluster) -> None:
    server.down = True
    before = random.getstate()
    assert FIRST_PAUSE / 2 <= Mirror(cluster, PATH).step() <= FIRST_PAUSE
    assert random.getstate() == before


def test_since_when_policies_are_stale_is_remembered_until_they_are_not(server: Server, mirror: Mirror) -> None:
    moments = iter([datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC)])
    following = Following([mirror], clock=lambda: next(moments))
    assert following.stale_since is None
    server.down = True
    mirror.step()
    assert following.stale_since == datetime(2026, 6, 1, tzinfo=UTC)
    assert following.stale_since == datetime(2026, 6, 1, tzinfo=UTC)
    server.down = False
    mirror.refresh()
    assert (following.problem, following.stale_since) == ("", None)


def test_threads_follow_until_they_are_stopped(server: Server, mirror: Mirror) -> None:
    server.items = [thing("a")]
    server.watches = [event("ADDED", thing("b", "11"))]
    assert names(mirror) == ["a"]
    following, changed = Following([mirror]), threading.Event()
    following.start(changed.set)
    assert changed.wait(20)
    following.stop()
    assert names(mirror) == ["a", "b"]
