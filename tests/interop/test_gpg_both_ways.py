"""GPG keys both ways with the reference implementation: its programs and ours with one keyring, and each other's files.

One difference is known: for a master on Ed25519, whose packet is so short that its length takes one byte, the reference
implementation hashes other bytes than OpenPGP says. It does not see the subkeys of such a master, nor that it expires.
Subkeys of another algorithm than their master's it cannot use either.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.conftest import Component, require_component
from tests.gpg_keyring import Keyring, new_keyring

from navicert.cli.main import main
from navicert.crypto.key import Key
from navicert.envelope.document import open_document, seal
from navicert.model.layout import Layout, Step
from navicert.model.link import Link
from navicert.model.rule import Rule
from navicert.trust.gpg import export_key, gpg_signer

KINDS = ("rsa", "dsa", "eddsa")
BEFORE = "20250101T000000"


class Ring(NamedTuple):
    """A keyring with a master of each kind, those of RSA and DSA with subkeys, and what signs for them."""

    keyring: Keyring
    masters: dict[str, str]
    signing: dict[str, str]
    expired: str
    short: str
    short_subkey: str

    @property
    def home(self) -> str:
        return str(self.keyring.home)

    def uri(self, kind: str) -> str:
        return f"gpg:{self.masters[kind]}?homedir={self.home}"


@pytest.fixture(scope="module")
def ring() -> Iterator[Ring]:
    require_component("gpg")
    with new_keyring() as keyring:
        # Made before its subkey, because gpg signs with the newest one.
        rsa = keyring.make("alice", "rsa2048", "20y", at=BEFORE)
        keyring.make_subkey(rsa, "rsa2048", "encrypt", at=BEFORE)
        rsa_subkey = keyring.make_subkey(rsa, "rsa3072", expires="20y")
        dsa = keyring.make("bob", "dsa2048", at=BEFORE)
        dsa_subkey = keyring.make_subkey(dsa, "dsa3072")
        eddsa = keyring.make("carol", "ed25519", "20y")
        expired = keyring.make("dave", "rsa2048", "1d", at=BEFORE)
        short = keyring.make("erin", "ed25519", at=BEFORE)
        short_subkey = keyring.make_subkey(short, "ed25519")
        masters = {"rsa": rsa, "dsa": dsa, "eddsa": eddsa}
        signing = {"rsa": rsa_subkey, "dsa": dsa_subkey, "eddsa": eddsa}
        yield Ring(keyring, masters, signing, expired, short, short_subkey)


class Upstream(NamedTuple):
    """A reference implementation: the folder of its programs, its Python, and where it keeps its GPG code."""

    folder: Path
    python: str
    module: str

    def run(self, program: str, *words: str, code: int = 0) -> str:
        """What a program prints to standard error."""
        done = subprocess.run([self.folder / program, *words], capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stderr

    def call(self, function: str, *arguments: object) -> Any:
        """What a function of its GPG code returns."""
        text = f"import json, sys; from {self.module} import {function} as f; "
        text += "json.dump(f(*json.load(sys.stdin)), sys.stdout)"
        done = subprocess.run(
            [self.folder / self.python, "-W", "ignore", "-c", text],
            input=json.dumps(arguments),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(params=["3.1.0", "1.3.1"])
def upstream(request: pytest.FixtureRequest, component: Component) -> Upstream:
    """Each of the two."""
    folder = component(f"in-toto-{request.param}")
    if request.param == "3.1.0":
        return Upstream(folder, "python", "securesystemslib._gpg.functions")
    return Upstream(folder, "python3", "securesystemslib.gpg.functions")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").write_text("material\n")
    return tmp_path


def layout(keys: dict[str, dict[str, object]], *pubkeys: str, threshold: int = 1) -> Layout:
    """A layout of one step, for whoever `pubkeys` names."""
    materials = (Rule.parse(["ALLOW", "a"]), Rule.parse(["DISALLOW", "*"]))
    products = (Rule.parse(["CREATE", "b"]), Rule.parse(["DISALLOW", "*"]))
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    step = Step("build", threshold, pubkeys, ("cp", "a", "b"), materials, products)
    return Layout(expires, (step,), (), keys)


def write_layout(ring: Ring, kind: str, made: Layout) -> None:
    """Write `root.layout`, signed with the key of `kind`."""
    raw = seal(made, gpg_signer(ring.masters[kind], ring.home), form="metablock")
    Path("root.layout").write_bytes(raw)


def they_verify(ring: Ring, upstream: Upstream, kind: str, code: int = 0) -> str:
    words = ("--layout", "root.layout", "--gpg", ring.masters[kind], "--gpg-home", ring.home)
    return upstream.run("in-toto-verify", *words, code=code)


def we_verify(ring: Ring, kind: str) -> int:
    return main(["verify", "--layout", "root.layout", "--owner", ring.uri(kind), "-q"])


def they_run(ring: Ring, upstream: Upstream, keyid: str) -> None:
    words = ("-n", "build", "-m", "a", "-p", "b", "--gpg", keyid, "--gpg-home", ring.home, "--", "cp", "a", "b")
    upstream.run("in-toto-run", *words)


def we_run(ring: Ring, keyid: str) -> None:
    key = f"gpg:{keyid}?homedir={ring.home}"
    assert main(["run", "build", "--key", key, "-m", "a", "-p", "b", "-q", "--", "cp", "a", "b"]) == 0


Run = Callable[[Ring, Upstream, str], None]


# --- keys ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_both_export_the_same_key_object(ring: Ring, upstream: Upstream, kind: str) -> None:
    ours = export_key(ring.masters[kind], ring.home).to_json()
    theirs = upstream.call("export_pubkey", ring.masters[kind], ring.home)
    if kind == "eddsa":
        assert ours.pop("validity_period") == 20 * 365 * 86400
    assert ours == theirs
    assert Key.from_json(theirs).to_json() == theirs
    if kind != "eddsa":
        assert ring.signing[kind] in theirs["subkeys"]


# --- links and layouts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["they", "we"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_step_recorded_by_one_passes_with_both(
    ring: Ring, upstream: Upstream, work: Path, kind: str, who: str
) -> None:
    key = export_key(ring.masters[kind], ring.home)
    write_layout(ring, kind, layout({key.keyid: key.to_json()}, key.keyid))
    if who == "they":
        they_run(ring, upstream, key.keyid)
    else:
        we_run(ring, key.keyid)
    assert [path.name for path in work.glob("*.link")] == [f"build.{ring.signing[kind][:8]}.link"]
    they_verify(ring, upstream, kind)
    assert we_verify(ring, kind) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_that_was_tampered_with_passes_with_neither(
    ring: Ring, upstream: Upstream, work: Path, kind: str
) -> None:
    key = export_key(ring.masters[kind], ring.home)
    write_layout(ring, kind, layout({key.keyid: key.to_json()}, key.keyid))
    we_run(ring, key.keyid)
    (path,) = work.glob("*.link")
    document = json.loads(path.read_text())
    headers = document["signatures"][0]["other_headers"]
    document["signatures"][0]["other_headers"] = headers[:-2] + f"{int(headers[-2:], 16) ^ 1:02x}"
    path.write_text(json.dumps(document))
    assert "ThresholdVerificationError" in they_verify(ring, upstream, kind, code=1)
    assert we_verify(ring, kind) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_layout_that_they_signed_is_verified_by_us(ring: Ring, upstream: Upstream, work: Path, kind: str) -> None:
    key = export_key(ring.masters[kind], ring.home)
    unsigned = {"signatures": [], "signed": layout({key.keyid: key.to_json()}, key.keyid).to_json()}
    Path("root.layout").write_text(json.dumps(unsigned))
    upstream.run("in-toto-sign", "-f", "root.layout", "--gpg", key.keyid, "--gpg-home", ring.home)
    assert main(["sign", "root.layout", "--verify", "--key", ring.uri(kind)]) == 0
    upstream.run("in-toto-sign", "-f", "root.layout", "--gpg", key.keyid, "--gpg-home", ring.home, "--verify")
    we_run(ring, key.keyid)
    assert we_verify(ring, kind) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_layout_that_we_signed_is_verified_by_them(ring: Ring, upstream: Upstream, work: Path, kind: str) -> None:
    Path("root.json").write_text(json.dumps(layout({}).to_json()))
    assert main(["sign", "root.json", "--key", ring.uri(kind), "-o", "root.layout"]) == 0
    upstream.run("in-toto-sign", "-f", "root.layout", "--gpg", ring.masters[kind], "--gpg-home", ring.home, "--verify")


@pytest.mark.parametrize("begins", ["they", "we"])
def test_a_recording_that_one_began_the_other_ends(ring: Ring, upstream: Upstream, work: Path, begins: str) -> None:
    keyid = ring.masters["rsa"]
    common = ("-n", "build", "--gpg", keyid, "--gpg-home", ring.home)
    if begins == "they":
        upstream.run("in-toto-record", "start", *common, "-m", "a")
        Path("b").write_text("product\n")
        assert main(["record", "stop", "build", "--key", ring.uri("rsa"), "-p", "b", "-q"]) == 0
    else:
        assert main(["record", "start", "build", "--key", ring.uri("rsa"), "-m", "a", "-q"]) == 0
        Path("b").write_text("product\n")
        upstream.run("in-toto-record", "stop", *common, "-p", "b")
    assert not list(work.glob(".*unfinished"))
    (path,) = work.glob("*.link")
    verified = open_document(path.read_bytes()).verified_by([export_key(keyid, ring.home)])
    assert verified is not None
    assert [key.id for key in verified.signers] == [ring.signing["rsa"]]
    assert isinstance(verified.body, Link)
    assert (set(verified.body.materials), set(verified.body.products)) == ({"a"}, {"b"})


def test_an_authorised_subkey_signs_and_its_master_does_not(ring: Ring, upstream: Upstream, work: Path) -> None:
    master, subkey = ring.masters["rsa"], ring.signing["rsa"]
    write_layout(ring, "rsa", layout({master: export_key(master, ring.home).to_json()}, subkey))
    we_run(ring, f"{master}!")
    they_verify(ring, upstream, "rsa", code=1)
    assert we_verify(ring, "rsa") == 1
    we_run(ring, f"{subkey}!")
    they_verify(ring, upstream, "rsa")
    assert we_verify(ring, "rsa") == 0


def test_two_subkeys_of_one_master_are_one_signer_for_both(ring: Ring, upstream: Upstream, work: Path) -> None:
    master = ring.masters["rsa"]
    keys = {keyid: export_key(keyid, ring.home).to_json() for keyid in (master, ring.masters["dsa"])}
    write_layout(ring, "rsa", layout(keys, *keys, threshold=2))
    we_run(ring, f"{master}!")
    they_run(ring, upstream, master)
    assert "ThresholdVerificationError" in they_verify(ring, upstream, "rsa", code=1)
    assert we_verify(ring, "rsa") == 1
    they_run(ring, upstream, ring.masters["dsa"])
    they_verify(ring, upstream, "rsa")
    assert we_verify(ring, "rsa") == 0


def test_a_subkey_that_they_do_not_export_is_verified_by_both_once_it_is_in_the_layout(
    ring: Ring, upstream: Upstream, work: Path
) -> None:
    key = export_key(ring.short, ring.home)
    assert [one.keyid for one in key.subkeys] == [ring.short_subkey]
    assert "subkeys" not in upstream.call("export_pubkey", ring.short, ring.home)
    write_layout(ring, "rsa", layout({key.keyid: key.to_json()}, key.keyid))
    they_run(ring, upstream, ring.short)
    they_verify(ring, upstream, "rsa")
    assert we_verify(ring, "rsa") == 0


def test_an_expired_key_counts_for_neither(ring: Ring, upstream: Upstream, work: Path) -> None:
    key = export_key(ring.expired, ring.home)
    write_layout(ring, "rsa", layout({key.keyid: key.to_json()}, key.keyid))
    link = Link("build")
    from navicert.strictjson import canonical

    made = ring.keyring.gpg(
        "--faked-system-time", f"{BEFORE}!", "--digest-algo", "SHA256", "--local-user", ring.expired, "--detach-sign",
        data=canonical(link.to_json()),
    )  # fmt: skip
    document = {"signatures": [key.signature_entry("", made)], "signed": link.to_json()}
    path = work / f"build.{ring.expired[:8]}.link"
    path.write_text(json.dumps(document))
    assert open_document(path.read_bytes()).verified_by([key]) is not None
    assert "ThresholdVerificationError" in they_verify(ring, upstream, "rsa", code=1)
    assert we_verify(ring, "rsa") == 1
