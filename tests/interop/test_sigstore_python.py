"""Bundles, judged by sigstore-python as well: what it can judge, both judge alike, but for what is named here."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from tests.attacks.test_bundles import APP, ATTACKS, FILE, KINDS, OURS, ROOT, judged
from tests.cosign_layer import annotations_of, envelope_of

from navicert.envelope.cosign import bundle_bytes
from navicert.testing.bundle import as_bytes, keyless
from navicert.testing.sigstore import ISSUER, SAN, Json

# Reads one case a line, writes one verdict a line. Any exception is a refusal.
ORACLE = r"""
import json, os, sys, tempfile
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore.verify.policy import AllOf, Identity, OIDCIssuerV2
with tempfile.TemporaryDirectory() as folder:
    for line in sys.stdin:
        case = json.loads(line)
        try:
            path = os.path.join(folder, "root.json")
            with open(path, "w") as stream:
                json.dump(case["root"], stream)
            verifier = Verifier(trusted_root=TrustedRoot.from_file(path))
            bundle = Bundle.from_json(case["bundle"])
            who = AllOf([Identity(identity=case["san"]), OIDCIssuerV2(case["issuer"])])
            if case["artifact"] is None:
                verifier.verify_dsse(bundle, who)
            else:
                verifier.verify_artifact(case["artifact"].encode(), bundle, who)
            told = ""
        except Exception as error:
            told = f"{type(error).__name__}: {error}"[:200]
        print(json.dumps(told), flush=True)
"""


def pulled() -> Json:
    """What is written of an attestation that cosign attached to an image."""
    signed = keyless(OURS, APP)
    bundle: Json = json.loads(bundle_bytes(envelope_of(signed), annotations_of(signed, OURS)) or b"")
    return bundle


GOOD: dict[str, tuple[Any, bytes | None]] = {
    **{f"an entry of kind {kind}": (keyless(OURS, APP, kind=kind), None) for kind in KINDS},
    **{f"version {version}": (keyless(OURS, APP, version=version), None) for version in ("0.1", "0.2", "0.3")},
    "an attestation of cosign": (pulled(), None),
    "a timestamp beside the promise": (keyless(OURS, APP, stamped=True), None),
    "a file in the first log": (keyless(OURS, FILE), FILE),
    "a file in the second log": (keyless(OURS, FILE, kind="hashedrekord/0.0.2"), FILE),
    "another file": (keyless(OURS, FILE), b"another file"),
}

THEY_CANNOT = {
    "an attestation of cosign": "inclusionProof",
    "an entry of kind dsse/0.0.2": "Unsupported DSSE log entry type",
    "an entry of kind intoto/0.0.1": "Integrated time only supported",
    "an entry of kind intoto/0.0.2": "Integrated time only supported",
    "an entry of kind hashedrekord/0.0.1": "Unsupported DSSE log entry type",
}
"""What passes here and is beyond sigstore-python: it knows no such entries of attestations, and wants a proof of
inclusion where the specification lets the promise of the log do."""

STRICTER = {
    "the payload is of another type": "theirs leaves the type of the payload to the caller",
    "the certificate states two issuers": "theirs compares the one that it was asked about",
    "a log of certificates that nobody knows saw it": "theirs tries all keys where the id is of none",
    "the log of certificates saw it before its time": "theirs does not look at when the key of that log held",
    "the checkpoint is of a larger tree": "theirs compares the roots only; the size follows from neither",
    "the timestamp does not name who signed": "theirs takes the one of the trust root unnamed; RFC 3161 asks for it",
    "it is from after the moment that is judged for": "theirs knows no such moment",
}
"""What is refused here only, and why."""


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest) -> dict[str, str]:
    """Name of a case → why sigstore-python refuses it; empty where it passes."""
    python = request.getfixturevalue("component")("sigstore-python")
    cases = {**GOOD, **{name: (bundle, None) for name, (bundle, _, _) in ATTACKS.items()}}
    lines = [
        json.dumps(
            {
                "bundle": as_bytes(bundle).decode(),
                "root": ROOT,
                "san": SAN,
                "issuer": ISSUER,
                "artifact": None if artifact is None else artifact.decode(),
            }
        )
        for bundle, artifact in cases.values()
    ]
    done = subprocess.run(
        [python, "-W", "ignore", "-c", ORACLE], input="\n".join(lines), capture_output=True, text=True, check=True
    )
    return dict(zip(cases, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("name", GOOD)
def test_what_passes_there_passes_here(name: str, verdicts: dict[str, str]) -> None:
    bundle, artifact = GOOD[name]
    ours = judged(bundle, artifact=artifact)
    if name in THEY_CANNOT:
        assert THEY_CANNOT[name] in verdicts[name]
        assert ours.passed
    else:
        assert ours.passed == (verdicts[name] == ""), verdicts[name]


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_refused_here_is_refused_there(name: str, verdicts: dict[str, str]) -> None:
    if name in STRICTER:
        assert verdicts[name] == "", "theirs has caught up: strike the row"
    else:
        assert verdicts[name] != ""
