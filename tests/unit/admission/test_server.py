"""Where the webhook listens."""

from __future__ import annotations

import socket

import pytest

from navicert.admission.server import Address
from navicert.errors import Malformed, Unavailable


@pytest.mark.parametrize(
    ("text", "host", "port"), [("0.0.0.0:8443", "0.0.0.0", 8443), (":1", "0.0.0.0", 1), ("[::1]:65535", "::1", 65535)]
)
def test_an_address_is_a_host_and_a_port(text: str, host: str, port: int) -> None:
    assert Address.parse(text) == Address(host, port)


@pytest.mark.parametrize("text", ["", "8443", "host:", "host:-1", "host:65536", "host:١"])
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(Malformed):
        Address.parse(text)


def test_no_answer_waits_for_the_acknowledgement_of_its_headers() -> None:
    with Address("127.0.0.1", 0).bind() as listen, socket.create_connection(listen.getsockname()):
        connection, _ = listen.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_that_is_taken_is_said() -> None:
    with Address("127.0.0.1", 0).bind() as listen, pytest.raises(Unavailable, match="cannot listen"):
        Address("127.0.0.1", listen.getsockname()[1]).bind()
