"""Credential helpers: programs called `docker-credential-NAME` that keep or make passwords.

A helper is looked for in absolute folders only, never in the working directory, is given the registry on its input,
and has a bounded time and a bounded room for its answer. Spec: docker-credential-helpers protocol, `get`.
"""

from __future__ import annotations

import subprocess
from contextlib import suppress

from navicert.errors import LimitExceeded, Unavailable
from navicert.limits import LOCAL, Limits
from navicert.oci.credential import Credential, parse_helper_answer
from navicert.oci.program import bounded, find_program, start


def ask_helper(
    name: str, server: str, search_path: str, limits: Limits = LOCAL, *, path: str = ""
) -> Credential | None:
    """The credential that `docker-credential-NAME get` has for `server`; None where it has none. Raises `Unavailable`
    where the helper is not there, fails or takes too long; the message names the file `path` that asks for it."""
    label = f"docker-credential-{name}"
    program = find_program(label, search_path)
    if program is None:
        raise Unavailable(
            f"credential helper {label} is not there",
            path=path,
            remedy="install it, or take it out of this file",
        )
    raw, code = _run(program, label, server, limits)
    return parse_helper_answer(raw, code != 0, limits, path=label)


def _run(program: str, label: str, server: str, limits: Limits) -> tuple[bytes, int]:
    process = start([program, "get"], subprocess.PIPE, subprocess.DEVNULL, path=program)
    with bounded(process, limits.credential_seconds, "credential_seconds", path=label):
        if process.stdin is None or process.stdout is None:
            raise TypeError("pipes were asked for")
        with suppress(BrokenPipeError):  # it may not read: what it answers tells
            process.stdin.write(server.encode())
            process.stdin.close()
        raw = process.stdout.read(limits.credential_bytes + 1)
        if len(raw) > limits.credential_bytes:
            raise LimitExceeded("answer of the credential helper too large (limit credential_bytes)", path=label)
        code = process.wait()
    return raw, code
