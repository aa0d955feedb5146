"""No other implementation takes our own policy document for a layout: what it does not know, it would pass over."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.policy_chain import PolicyChain

from navicert.envelope.document import seal
from navicert.model.policy import read_policy_document


@pytest.fixture
def signed(tmp_path: Path) -> tuple[Path, Path]:
    """A policy whose classic part holds, its evidence beside it, and the owner's public key."""
    chain = PolicyChain().require()
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "root.layout").write_bytes(seal(read_policy_document(chain.document), chain.owner))
    (folder / f"build.{chain.bob.keyid[:8]}.link").write_bytes(chain.link())
    key = tmp_path / "owner.pub"
    key.write_bytes(chain.owner.key.public_pem())
    return folder, key


@pytest.mark.parametrize("disguise", ["as it is", "with the payload type of a layout", "without an envelope"])
def test_in_toto_refuses_it(upstream: Path, ours: Path, signed: tuple[Path, Path], disguise: str) -> None:
    folder, key = signed
    path = folder / "root.layout"
    envelope = json.loads(path.read_bytes())
    if disguise == "with the payload type of a layout":
        path.write_text(json.dumps(envelope | {"payloadType": "application/vnd.in-toto+json"}))
    elif disguise == "without an envelope":
        import base64

        body = json.loads(base64.b64decode(envelope["payload"]))
        path.write_text(json.dumps({"signed": body, "signatures": []}))
    for programs in (upstream, ours):
        command = [str(programs / "in-toto-verify"), "-l", str(path), "--verification-keys", str(key)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 1, (programs, done.stderr)
