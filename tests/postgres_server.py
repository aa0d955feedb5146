"""A PostgreSQL server of the tests' own: a private cluster on loopback, on a free port.

The server refuses to run as root, so where tests do it runs as the user `postgres` that its package makes.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

PASSWORD = "harbour dues"


class Server:
    """A running cluster. `uri(database)` is where the user `keeper` connects to; a password is asked for."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.passfile = folder / "pgpass"

    def _run(self, *words: str) -> list[str]:
        return ["runuser", "-u", "postgres", "--", *words] if os.getuid() == 0 else list(words)

    def make(self) -> None:
        """Make the cluster: no durability, because only the server's own crash could lose anything."""
        if os.getuid() == 0:
            shutil.chown(self._folder, "postgres")
        password = self._folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        options = ["-D", str(self._folder / "data"), "-U", "keeper", "-A", "scram-sha-256", f"--pwfile={password}"]
        words = self._run(str(self._programs / "initdb"), *options, "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd="/")
        assert done.returncode == 0, done.stderr
        self.passfile.write_text(f"127.0.0.1:{self.port}:*:keeper:{PASSWORD}\n")
        self.passfile.chmod(0o600)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        words = [str(self._programs / "postgres"), "-D", str(self._folder / "data"), "-p", str(self.port)]
        words += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=120"]
        log = (self._folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(self._run(*words), stdout=log, stderr=log, cwd="/")
        ready = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        for _ in range(600):
            if subprocess.run(ready, check=False).returncode == 0:
                return
            assert self._process.poll() is None, (self._folder / "log").read_text()
            try:
                self._process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
        raise AssertionError((self._folder / "log").read_text())

    def stop(self) -> None:
        """Stop it at once, clients or not."""
        words = [str(self._programs / "pg_ctl"), "-D", str(self._folder / "data"), "-m", "fast", "-w", "stop"]
        subprocess.run(self._run(*words), capture_output=True, check=True, cwd="/")
        assert self._process is not None
        self._process.wait(60)

    def uri(self, database: str) -> str:
        """The URI of a database."""
        return f"postgresql://keeper@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A connection that is no store's, to look behind one."""
        return psycopg.connect(self.uri(database), passfile=str(self.passfile), autocommit=True)

    def database(self, name: str) -> str:
        """The URI of a new empty database."""
        with self.connect() as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.uri(name)


@contextmanager
def running_server(programs: Path) -> Iterator[Server]:
    """A server, by the `programs` of its package, that is stopped, and removed, at the end."""
    # Not below pytest's folder, which other users may not enter.
    folder = Path(tempfile.mkdtemp(prefix="navicert-postgres-"))
    server = Server(programs, folder)
    try:
        server.make()
        server.start()
        try:
            yield server
        finally:
            if server._process is not None and server._process.poll() is None:
                server.stop()
    finally:
        shutil.rmtree(folder)
