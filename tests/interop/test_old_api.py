"""What scripts call that were written for in-toto 1.x and securesystemslib before 1.0: every function and parameter of
Debian's releases is there, and in the place where it stood."""

from __future__ import annotations

import inspect
import json
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import require_component
from tests.gpg_keyring import new_keyring

from navicert.compat.shim.in_toto import runlib, verifylib
from navicert.compat.shim.in_toto.models.layout import Layout, Step
from navicert.compat.shim.in_toto.models.metadata import Metablock, Metadata
from navicert.compat.shim.securesystemslib import interface, signer
from navicert.compat.shim.securesystemslib.signer import CryptoSigner, Signer, SSlibKey, SSlibSigner

DUMP = """
import importlib, inspect, json, sys
found = {}
for name in sys.argv[1:]:
    module = importlib.import_module(name)
    for key, value in vars(module).items():
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not key.startswith("_"):
            found[f"{name}.{key}"] = list(inspect.signature(value).parameters)
        elif inspect.isclass(value) and value.__module__ == module.__name__:
            for method in dir(value):
                if not method.startswith("_") and callable(getattr(value, method)):
                    found[f"{name}.{key}.{method}"] = None
json.dump(found, sys.stdout)
"""
MODULES = ["in_toto.runlib", "in_toto.verifylib", "in_toto.rulelib", "in_toto.models.layout", "in_toto.models.link",
           "in_toto.models.metadata", "securesystemslib.interface"]  # fmt: skip


OLD_NAMES = {
    "in_toto.verifylib.in_toto_verify": ["layout"],
    "in_toto.verifylib.verify_link_signature_thresholds": ["chain_link_dict"],
    "in_toto.verifylib.verify_sublayouts": ["chain_link_dict"],
}
"""Names that are understood and not in the signature; a test of its own calls by them."""


@pytest.fixture(scope="module")
def theirs() -> dict[str, list[str] | None]:
    """Public functions with their parameters, and methods, of 1.3.1 and what it is installed with."""
    python = require_component("in-toto-1.3.1") / "python3"
    done = subprocess.run([python, "-W", "ignore", "-c", DUMP, *MODULES], capture_output=True, text=True, check=True)
    found: dict[str, list[str] | None] = json.loads(done.stdout)
    return found


def ours(name: str) -> object:
    for module in MODULES:
        if name.startswith(f"{module}."):
            value: object = import_module(f"navicert.compat.shim.{module}")
            for part in name.removeprefix(f"{module}.").split("."):
                value = getattr(value, part)
            return value
    raise AssertionError(name)


def test_every_function_and_method_of_1_3_1_is_there(theirs):
    missing = []
    for name in theirs:
        try:
            ours(name)
        except AttributeError:
            missing.append(name)
    assert missing == []


def test_every_parameter_of_1_3_1_is_known_by_its_name(theirs):
    missing: list[str] = []
    for name, parameters in theirs.items():
        if parameters is not None:
            known = {*inspect.signature(ours(name)).parameters, *OLD_NAMES.get(name, ())}  # type: ignore[arg-type]
            missing += [f"{name}({each})" for each in parameters if each not in known]
    assert missing == []


# --- positions -----------------------------------------------------------------------------------------------------


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for kind in ("ed25519", "ecdsa", "rsa"):
        interface.write_keypair(kind, kind, bits=2048)
    (tmp_path / "f").write_text("x")
    return tmp_path


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
class TestSigningKey:
    def key(self, kind: str) -> dict[str, Any]:
        return interface.import_privatekey_from_file(kind, kind)

    def test_in_its_place_of_1_3_1(self, work, kind):
        key = self.key(kind)
        made = runlib.in_toto_run("s", ["f"], ["f"], [], False, key, None, False, None, ["*.pyc"])
        assert Path(f"s.{str(key['keyid'])[:8]}.link").exists()
        made.verify_signature(interface.import_publickeys_from_file([f"{kind}.pub"], [kind])[key["keyid"]])

    def test_by_its_name(self, work, kind):
        key = self.key(kind)
        runlib.in_toto_run("s", ["f"], ["f"], [], signing_key=key)
        assert Path(f"s.{str(key['keyid'])[:8]}.link").exists()

    @pytest.mark.parametrize("named", [True, False])
    def test_of_both_halves(self, work, kind, named):
        key = self.key(kind)
        if named:
            runlib.in_toto_record_start("s", ["f"], signing_key=key)
            runlib.in_toto_record_stop("s", ["f"], signing_key=key)
        else:
            runlib.in_toto_record_start("s", ["f"], key, None, False, None, ["*.pyc"])
            runlib.in_toto_record_stop("s", ["f"], key, None, False, None, ["*.pyc"])
        assert list(Metadata.load(f"s.{str(key['keyid'])[:8]}.link").signed.products) == ["f"]

    def test_1_3_1_takes_the_file_that_was_made(self, work, kind):
        old = require_component("in-toto-1.3.1")
        key = self.key(kind)
        runlib.in_toto_run("s", ["f"], ["f"], [], False, key)
        words = ["-f", f"s.{str(key['keyid'])[:8]}.link", "-k", f"{kind}.pub", "-t", kind, "--verify"]
        assert subprocess.run([old / "in-toto-sign", *words], check=False, capture_output=True).returncode == 0


def test_an_old_chain_of_calls_ends_in_a_verification(work):
    key, owner = (
        interface.import_ed25519_privatekey_from_file("ed25519"),
        interface.import_rsa_privatekey_from_file("rsa"),
    )
    layout = Layout()
    layout.set_relative_expiration(months=1)
    public = interface.import_ed25519_publickey_from_file("ed25519.pub")
    layout.keys = {public["keyid"]: public}
    layout.steps = [Step(name="s", pubkeys=[public["keyid"]])]
    document = Metablock(signed=layout)
    document.sign(owner)
    runlib.in_toto_run("s", [], ["f"], [], False, key)
    owners = interface.import_publickeys_from_file(["rsa.pub"], ["rsa"])
    assert list(verifylib.in_toto_verify(layout=document, layout_key_dict=owners).products) == ["f"]  # type: ignore[call-arg]
    verifylib.verify_layout_signatures(document, owners)
    links = verifylib.load_links_for_layout(layout, ".")
    links = verifylib.verify_link_signature_thresholds(layout, chain_link_dict=links)  # type: ignore[call-arg]
    chain = verifylib.verify_sublayouts(layout, chain_link_dict=links, superlayout_link_dir_path=".")  # type: ignore[call-arg]
    assert list(chain["s"][public["keyid"]].products) == ["f"]


def test_gpg_keys_in_their_place_of_1_3_1_and_of_3_1_0(work):
    require_component("gpg")
    with new_keyring() as ring:
        keyid = ring.make("alice", "rsa2048")
        home = str(ring.home)
        for name, arguments in {
            "old": (False, None, keyid, False, home),
            "default": (False, None, None, True, home),
            "new": (False, keyid, False, home),
        }.items():
            runlib.in_toto_run(name, [], ["f"], [], *arguments)
            assert Path(f"{name}.{keyid[:8]}.link").exists()
        made = Signer.from_priv_key_uri(f"gpg:{keyid}?homedir={home}")
        uri, public = signer.GPGSigner.import_(keyid, home)  # type: ignore[attr-defined]  # made on request
        again = Signer.from_priv_key_uri(uri, public)
        for one in (made, again):
            public.verify_signature(one.sign(b"x"), b"x")
            assert one.public_key.keyid == keyid
            document = Metablock(signed=Layout())
            document.create_signature(one)
            document.verify_signature(public.to_dict())


# --- keys ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_key_of_a_file_and_of_pem(work, kind):
    made = CryptoSigner.from_priv_key_uri(f"file:{kind}")
    key = SSlibKey.from_crypto(made._private_key.public_key())
    pem = key.core.public_pem()
    Path("key.pem").write_bytes(pem)
    assert SSlibKey.from_pem(pem) == SSlibKey.from_file("key.pem") == key
    assert SSlibKey.from_file("key.pem", keyid="ab").keyid == "ab"
    assert SSlibKey.from_securesystemslib_key(key.to_securesystemslib_key()).keyval == key.keyval
    with pytest.raises(ValueError, match="key"):
        SSlibKey.from_pem(b"-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----\n")


def test_a_scheme_of_ones_own(work):
    pem = SSlibKey.from_file("rsa.pub", "rsa-pkcs1v15-sha256")
    assert pem.scheme == "rsa-pkcs1v15-sha256"
    with pytest.raises(ValueError, match="scheme"):
        SSlibKey.from_file("rsa.pub", "ed25519")


def test_signers_by_uri_say_whether_the_key_is_encrypted(work):
    interface.generate_and_write_ed25519_keypair("pw", "locked")
    asked = []

    def ask(name: str) -> str:
        asked.append(name)
        return "pw"

    key = SSlibKey.from_dict("ab", {**SSlibKey.from_file("locked.pub").to_dict()})
    for kind in (CryptoSigner, SSlibSigner):
        made = kind.from_priv_key_uri("file:locked?encrypted=true", key, ask)
        key.verify_signature(made.sign(b"x"), b"x")
    assert asked == ["passphrase", "passphrase"]
