"""The webhook as a process of its own, for tests: started as a user starts it, with real certificates."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.api_server import ApiServer, Authority


class Process:
    """A running webhook."""

    def __init__(self, process: subprocess.Popen[str], folder: Path, authority: Authority) -> None:
        self.process = process
        self.folder = folder
        self.authority = authority
        self.told: list[str] = []
        self.log: list[dict[str, Any]] = []
        self._readers = [
            threading.Thread(target=self._read_told, daemon=True),
            threading.Thread(target=self._read_log, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self.port = self._port("webhook on ")
        self.metrics_port = self._port("metrics on ")

    def _read_told(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.told.append(line.rstrip("\n"))

    def _read_log(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.log.append(json.loads(line))

    def _port(self, what: str) -> int:
        line = self.wait_for(what)
        return int(line.rpartition(":")[2])

    def wait_for(self, text: str, seconds: float = 20) -> str:
        """The line about an event that holds `text`, once it has been told."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = next((line for line in list(self.told) if text in line), None)
            if found is not None:
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"never told: {text}\n" + "\n".join(self.told))

    def api_server(self) -> ApiServer:
        """An API server that calls it."""
        return ApiServer(self.port, self.authority.bundle)

    def get(self, path: str, port: int | None = None) -> tuple[int, str]:
        """Status and text of a plain GET on the port for metrics."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.metrics_port, timeout=10)
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def terminate(self, seconds: float = 30) -> int:
        """Its exit code after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        for reader in self._readers:
            reader.join(5)
        return code


@contextmanager
def webhook(folder: Path, policy: Path, *more: str, environment: Sequence[tuple[str, str]] = ()) -> Iterator[Process]:
    """A webhook that decides by `policy`, and ends with the block."""
    authority = Authority.new()
    certificate, key = authority.issue(folder / "tls")
    words = [sys.executable, "-m", "navicert", "admission", "serve", "--policy", str(policy), "--listen", "127.0.0.1:0"]
    words += ["--metrics", "127.0.0.1:0", "--tls-cert", str(certificate), "--tls-key", str(key), "--insecure", *more]
    (folder / "auth.json").write_text("{}")
    environ = {**os.environ, "REGISTRY_AUTH_FILE": str(folder / "auth.json"), **dict(environment)}
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ, cwd=folder
    )
    try:
        yield Process(process, folder, authority)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(20)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
