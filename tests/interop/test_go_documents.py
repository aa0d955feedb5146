"""Documents shaped as in-toto-golang writes them verify with `in-toto-verify`, in both containers.

They are built field by field: its key objects and ids, the fields that only it knows, its canonical form, and
signatures over all of that.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.certificate_authority import DAY, NOW, new_root
from tests.certified_chain import authority

from navicert.crypto.key import Key
from navicert.crypto.signer import MemorySigner, generate
from navicert.envelope.dsse import PAYLOAD_TYPE, pae
from navicert.strictjson import canonical

ROOT = new_root("Go CA", since=NOW, until=NOW + 3650 * DAY)
DIGEST = {"sha256": "ab" * 32}


def go_key(key: Key) -> dict[str, object]:
    """The key object: PEM without its last newline, under the id that follows from that."""
    public = key.public_text.rstrip("\n")
    return {
        "keyid": key.go_id,
        "keyid_hash_algorithms": ["sha256", "sha512"],
        "keytype": key.keytype,
        "keyval": {"private": "", "public": public, "certificate": ""} if key.keytype == "rsa" else {"public": public},
        "scheme": key.scheme,
    }


def go_layout(key: Key) -> dict[str, object]:
    """A layout with every field of its type."""
    return {
        "_type": "layout",
        "steps": [
            {
                "_type": "step",
                "pubkeys": [key.go_id],
                "cert_constraints": [
                    {"common_name": "*", "dns_names": [""], "emails": [""], "organizations": ["*"], "roots": ["*"],
                     "uris": ["spiffe://example.org/build"]}
                ],
                "expected_command": ["make"],
                "threshold": 1,
                "name": "build",
                "expected_materials": [["ALLOW", "src/*"], ["DISALLOW", "*"]],
                "expected_products": [["CREATE", "app"], ["DISALLOW", "*"]],
            }
        ],
        "inspect": [],
        "keys": {key.go_id: go_key(key)},
        "rootcas": {"cd" * 32: authority(ROOT)},
        "intermediatecas": {},
        "expires": "2999-01-01T00:00:00Z",
        "readme": "",
    }  # fmt: skip


def go_link() -> dict[str, object]:
    return {
        "_type": "link",
        "name": "build",
        "materials": {"src/a": DIGEST},
        "products": {"app": DIGEST},
        "byproducts": {"return-value": 0, "stderr": "", "stdout": 'line\n\tand "quoted"'},
        "command": ["make"],
        "environment": {},
    }


def written(body: dict[str, object], signer: MemorySigner, form: str) -> bytes:
    message = canonical(body)
    if form == "dsse":
        # Sorted and without white space too, but with line ends escaped: else it could not be read as JSON.
        message = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
        signature = base64.b64encode(signer.sign(pae(PAYLOAD_TYPE, message))).decode()
        payload = base64.b64encode(message).decode()
        envelope = {"payloadType": PAYLOAD_TYPE, "payload": payload,
                    "signatures": [{"keyid": signer.key.go_id, "sig": signature}]}  # fmt: skip
        return json.dumps(envelope).encode()
    signatures = [{"keyid": signer.key.go_id, "sig": signer.sign(message).hex(), "cert": ""}]
    return json.dumps({"signed": body, "signatures": signatures}, indent=2).encode()


@pytest.mark.parametrize("form", ["metablock", "dsse"])
def test_what_the_holder_of_a_certificate_signs_in_go_verifies(tmp_path, form):
    owner = generate("ecdsa")
    now = datetime.now(UTC)
    holder = ROOT.issue(organizations=["any"], uris=["spiffe://example.org/build"], since=now, until=now + DAY)
    builder = MemorySigner.of(holder.private, form="go")
    (tmp_path / "owner.pub").write_bytes(owner.key.public_pem())
    (tmp_path / "root.layout").write_bytes(written(go_layout(generate().key), owner, form))
    link = json.loads(written(go_link(), builder, form))
    link["signatures"][0]["cert"] = holder.pem
    path = tmp_path / f"build.{builder.key.go_id[:8]}.link"
    path.write_text(json.dumps(link))
    done = verify(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    link["signatures"][0]["cert"] = ROOT.issue(organizations=["any"], since=now, until=now + DAY).pem
    path.write_text(json.dumps(link))
    assert verify(tmp_path).returncode == 1


def verify(folder: Path) -> subprocess.CompletedProcess[str]:
    code = "from navicert.compat.program import verify; verify()"
    command = [sys.executable, "-c", code, "--layout", "root.layout", "--layout-keys", "owner.pub"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("form", ["metablock", "dsse"])
@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_what_go_writes_verifies_and_what_was_added_afterwards_does_not(tmp_path, kind, form):
    owner, builder = generate(kind), generate(kind)
    (tmp_path / "owner.pub").write_bytes(owner.key.public_pem())
    (tmp_path / "root.layout").write_bytes(written(go_layout(builder.key), owner, form))
    (tmp_path / f"build.{builder.key.go_id[:8]}.link").write_bytes(written(go_link(), builder, form))
    done = verify(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")

    if form == "metablock":
        document = json.loads((tmp_path / "root.layout").read_bytes())
        document["signed"]["added"] = True
        (tmp_path / "root.layout").write_text(json.dumps(document))
        assert verify(tmp_path).returncode == 1
