"""Key files of in-toto 1.x in every state that they are found in, and converted: with in-toto 1.3.1 and 3.1.0."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Component

from navicert.cli.main import main
from navicert.crypto.formats import load_public_key, load_signer

PASSWORD = "correct horse"

GENERATE = """
import json, sys
from securesystemslib import interface
for type, path, password in json.load(sys.stdin):
    getattr(interface, "_generate_and_write_%s_keypair" % type)(filepath=path, password=password)
"""
IDS = """
import json, sys
from securesystemslib import interface
told = {}
for type, path, password in json.load(sys.stdin):
    if path.endswith(".pub"):
        (told[path],) = interface.import_publickeys_from_file([path], [type])
    else:
        told[path] = interface.import_privatekey_from_file(path, type, password=password)["keyid"]
json.dump(told, sys.stdout)
"""
MODERN = """
import json, sys
from in_toto.models._signer import load_crypto_signer_from_pkcs8_file, load_public_key_from_file
told = {}
for path, password in json.load(sys.stdin):
    if path.endswith(".pub"):
        told[path] = load_public_key_from_file(path)["keyid"]
    else:
        told[path] = load_crypto_signer_from_pkcs8_file(path, password and password.encode()).public_key.keyid
json.dump(told, sys.stdout)
"""

Ask = Callable[[str, object], Any]


def asking(python: Path) -> Ask:
    def ask(program: str, asked: object) -> Any:
        words = [str(python), "-W", "ignore", "-c", program]
        done = subprocess.run(words, input=json.dumps(asked), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "null")

    return ask


@pytest.fixture(scope="module")
def legacy(component: Component) -> Ask:
    """Asks the library under in-toto 1.3.1."""
    return asking(component("in-toto-1.3.1") / "python3")


@pytest.fixture(scope="module")
def modern(component: Component) -> Ask:
    """Asks in-toto 3.1.0."""
    return asking(component("in-toto-3.1.0") / "python")


@pytest.fixture(scope="module")
def old(legacy: Ask, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a pair of each type that in-toto 1.3.1 made, plain (`ecdsa`) and encrypted (`ecdsa-locked`)."""
    folder = tmp_path_factory.mktemp("old")
    types = ("rsa", "ecdsa", "ed25519")
    plain = [(type, str(folder / type), None) for type in types]
    legacy(GENERATE, [*plain, *((type, str(folder / f"{type}-locked"), PASSWORD) for type in types)])
    return folder


def changed(path: Path, name: str, **fields: object) -> Path:
    """A copy of the JSON key file `path`, called `name`, with other fields; those with a dot are fields of fields."""
    document = json.loads(path.read_text())
    for field, value in fields.items():
        document[field] = {**document[field], **value} if isinstance(value, dict) else value
    document.pop("keyid", None) if name.endswith(".pub") else None
    copy = path.with_name(name)
    copy.write_text(json.dumps(document))
    return copy


@pytest.mark.parametrize("type", ["ecdsa", "ed25519"])
def test_a_public_key_whose_private_half_is_an_empty_text_has_their_id(legacy: Ask, old: Path, type: str) -> None:
    path = changed(old / f"{type}.pub", f"{type}-empty.pub", keyval={"private": ""})
    told = legacy(IDS, [(type, str(path), None)])
    assert load_public_key(path.read_bytes()).id == told[str(path)]


def test_an_ecdsa_key_of_the_old_key_type_has_their_id(legacy: Ask, old: Path) -> None:
    public = changed(old / "ecdsa.pub", "ecdsa-type.pub", keytype="ecdsa-sha2-nistp256")
    told = legacy(IDS, [("ecdsa", str(public), None)])
    assert load_public_key(public.read_bytes()).id == told[str(public)]
    private = changed(old / "ecdsa", "ecdsa-type", keytype="ecdsa-sha2-nistp256")
    signer = load_signer(private.read_bytes())
    assert signer.keyid == told[str(public)]
    assert signer.key == load_public_key((old / "ecdsa.pub").read_bytes())


def test_an_encrypted_rsa_key_is_in_the_old_armour_and_opens(old: Path) -> None:
    raw = (old / "rsa-locked").read_bytes()
    assert b"Proc-Type: 4,ENCRYPTED" in raw
    signer = load_signer(raw, password=PASSWORD.encode)
    assert signer.key == load_public_key((old / "rsa-locked.pub").read_bytes())


@pytest.mark.parametrize("locked", ["", "-locked"])
@pytest.mark.parametrize("type", ["rsa", "ecdsa", "ed25519"])
def test_a_key_of_in_toto_1_converted_to_pem_is_the_same_key_in_in_toto_3(
    modern: Ask, old: Path, tmp_path: Path, type: str, locked: str
) -> None:
    source, made = str(old / f"{type}{locked}"), str(tmp_path / "owner")
    word = ["--password", PASSWORD] if locked else []
    assert main(["key", "convert", source, "--to", "pem", "-o", made, *word]) == 0
    assert main(["key", "convert", f"{source}.pub", "--to", "pem", "-o", f"{made}.pub"]) == 0
    told = modern(MODERN, [(made, PASSWORD if locked else None), (f"{made}.pub", None)])
    assert set(told.values()) == {load_public_key(Path(f"{source}.pub").read_bytes()).modern_id}


@pytest.mark.parametrize("password", [None, PASSWORD])
@pytest.mark.parametrize("type", ["rsa", "ecdsa", "ed25519"])
def test_a_key_of_ours_converted_to_legacy_is_the_same_key_in_in_toto_1(
    legacy: Ask, tmp_path: Path, type: str, password: str | None
) -> None:
    source, made = str(tmp_path / "key"), str(tmp_path / "owner")
    word = ["--password", password] if password else []
    assert main(["keygen", source, "--type", type, *word]) == 0
    assert main(["key", "convert", source, "--to", "legacy", "-o", made, *word]) == 0
    assert main(["key", "convert", f"{source}.pub", "--to", "legacy", "-o", f"{made}.pub"]) == 0
    told = legacy(IDS, [(type, made, password), (type, f"{made}.pub", None)])
    assert set(told.values()) == {load_public_key(Path(f"{source}.pub").read_bytes()).legacy_id}


@pytest.mark.parametrize("type", ["ecdsa", "ed25519"])
def test_a_step_recorded_with_an_old_key_is_filed_under_the_id_that_in_toto_1_knows(
    legacy: Ask, old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, type: str
) -> None:
    monkeypatch.chdir(tmp_path)
    key = str(old / f"{type}-locked")
    assert main(["run", "build", "--key", key, "--password", PASSWORD, "-q", "--metablock", "-x"]) == 0
    (link,) = tmp_path.glob("*.link")
    told = legacy(IDS, [(type, key, PASSWORD)])
    assert link.name == f"build.{told[key][:8]}.link"
