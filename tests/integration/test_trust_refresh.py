"""A trust root fetched by TUF, from a real repository on loopback, by the package that the extra brings."""

from __future__ import annotations

import functools
import http.server
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from navicert.crypto.trusted_root import TrustedRoot
from navicert.testing.sigstore import PrivateSigstore

SOURCE = Path(__file__).resolve().parents[2] / "src"
ROOT = PrivateSigstore().root_bytes()

# Makes a TUF repository in a folder, with the files that stand in it as targets.
REPOSITORY = r"""
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
folder, days = Path(sys.argv[1]), int(sys.argv[2])
signer = CryptoSigner.generate_ed25519()
expires = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=days)
root = Root(consistent_snapshot=False, expires=datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=9))
for role in ("root", "timestamp", "snapshot", "targets"):
    root.add_key(signer.public_key, role)
targets = Targets(expires=expires)
for path in sorted((folder / "targets").iterdir()):
    targets.targets[path.name] = TargetFile.from_file(path.name, str(path))
snapshot = Snapshot(expires=expires, meta={"targets.json": MetaFile()})
timestamp = Timestamp(expires=expires, snapshot_meta=MetaFile())
roles = {"1.root": root, "root": root, "targets": targets, "snapshot": snapshot, "timestamp": timestamp}
for name, role in roles.items():
    metadata = Metadata(role)
    metadata.sign(signer)
    metadata.to_file(str(folder / (name + ".json")))
"""
SIGNING = {
    "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
    "caUrls": [],
    "oidcUrls": [],
    "rekorTlogUrls": [],
    "tsaUrls": [],
}


class Repository:
    """A TUF repository that is served. `changed` are requests by path."""

    def __init__(self, python: Path, folder: Path, days: int = 9) -> None:
        self.folder = folder
        (folder / "targets").mkdir()
        (folder / "targets" / "trusted_root.json").write_bytes(ROOT)
        (folder / "targets" / "signing_config.v0.2.json").write_text(json.dumps(SIGNING))
        subprocess.run([python, "-c", REPOSITORY, folder, str(days)], check=True)

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))
        )
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def python(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue("component")("sigstore-python")


@pytest.fixture
def repository(python: Path, tmp_path: Path) -> Iterator[Repository]:
    (tmp_path / "repository").mkdir()
    served = Repository(python, tmp_path / "repository")
    yield served
    served.close()


def refresh(python: Path, home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """The command as the extra runs it, with a home of its own."""
    environment = {"HOME": str(home), "PYTHONPATH": str(SOURCE), "PATH": os.environ["PATH"], "no_proxy": "127.0.0.1"}
    command = [str(python), "-m", "navicert", "trust", "refresh", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_what_the_repository_names_is_written(python: Path, repository: Repository, tmp_path: Path) -> None:
    root = repository.folder / "root.json"
    out = tmp_path / "trusted.json"
    done = refresh(python, tmp_path, "--url", repository.url, "--tuf-root", root, "-o", out)
    assert done.returncode == 0, done.stderr
    fetched, wanted = TrustedRoot.read(out.read_bytes()), TrustedRoot.read(ROOT)
    assert (fetched.logs, fetched.ctlogs) == (wanted.logs, wanted.ctlogs)
    assert (fetched.authorities, fetched.timestamp_authorities) == (wanted.authorities, wanted.timestamp_authorities)
    again = refresh(python, tmp_path, "--url", repository.url, "--tuf-root", root, "-o", out)
    assert again.returncode == 2
    assert "--force" in again.stderr


def test_a_target_that_nobody_signed_is_not_believed(python: Path, repository: Repository, tmp_path: Path) -> None:
    other = PrivateSigstore("evil").root_bytes()
    (repository.folder / "targets" / "trusted_root.json").write_bytes(other)
    root, out = repository.folder / "root.json", tmp_path / "trusted.json"
    done = refresh(python, tmp_path, "--url", repository.url, "--tuf-root", root, "-o", out)
    assert done.returncode == 3
    assert not out.exists()


def test_a_repository_that_proves_nothing_by_our_root_is_not_believed(
    python: Path, repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = Repository(python, tmp_path / "other")
    try:
        root, out = repository.folder / "root.json", tmp_path / "trusted.json"
        done = refresh(python, tmp_path, "--url", other.url, "--tuf-root", root, "-o", out)
        assert done.returncode == 3
        assert not out.exists()
        nobody = refresh(python, tmp_path, "--url", other.url, "-o", out)
        assert nobody.returncode == 3
        assert not out.exists()
    finally:
        other.close()


def test_metadata_that_has_expired_is_not_believed(python: Path, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    old = Repository(python, tmp_path / "old", days=-1)
    try:
        out = tmp_path / "trusted.json"
        done = refresh(python, tmp_path, "--url", old.url, "--tuf-root", old.folder / "root.json", "-o", out)
        assert done.returncode == 3
        assert "expired" in done.stderr
        assert not out.exists()
    finally:
        old.close()


def test_nobody_there_is_said(python: Path, repository: Repository, tmp_path: Path) -> None:
    repository.close()
    out = tmp_path / "trusted.json"
    done = refresh(python, tmp_path, "--url", repository.url, "--tuf-root", repository.folder / "root.json", "-o", out)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
