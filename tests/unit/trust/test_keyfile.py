from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from navicert.crypto.signer import Signer, generate, private_pem
from navicert.errors import LimitExceeded, Malformed, Refused, Unavailable
from navicert.limits import LOCAL
from navicert.trust.keyfile import open_public_key, open_signer


@pytest.fixture(scope="module")
def signer():
    return generate()


@pytest.fixture
def pair(tmp_path, signer):
    """The path of a private key, with its public half beside it."""
    path = tmp_path / "owner"
    path.write_bytes(private_pem(signer, None))
    (tmp_path / "owner.pub").write_bytes(signer.key.public_pem())
    return path


def test_a_path_names_a_key(pair, signer):
    assert open_signer(str(pair)).key == signer.key
    assert open_public_key(f"{pair}.pub") == signer.key


@pytest.mark.parametrize("prefix", ["file:", "file://"])
def test_a_file_uri_names_a_key(pair, signer, prefix):
    assert open_signer(f"{prefix}{pair}").key == signer.key
    assert open_public_key(f"{prefix}{pair}.pub") == signer.key


def test_a_file_uri_may_be_relative(pair, signer, monkeypatch):
    monkeypatch.chdir(pair.parent)
    assert open_signer("file:owner").key == signer.key


def test_a_symbolic_link_to_a_key_is_followed(pair, signer, tmp_path):
    (tmp_path / "link").symlink_to(pair)
    assert open_signer(str(tmp_path / "link")).key == signer.key


def test_a_key_can_come_through_a_pipe(pair, signer, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(pair.read_bytes()))
    writer.start()
    assert open_signer(str(pipe)).key == signer.key
    writer.join()


def test_an_environment_variable_holds_a_key(pair, signer, monkeypatch):
    monkeypatch.setenv("OWNER_KEY", pair.read_text())
    monkeypatch.setenv("OWNER_PUB", (pair.parent / "owner.pub").read_text())
    assert open_signer("env:OWNER_KEY").key == signer.key
    assert open_public_key("env:OWNER_PUB") == signer.key


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_not_set_is_named(monkeypatch, value):
    monkeypatch.delenv("OWNER_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("OWNER_KEY", value)
    for load in (open_signer, open_public_key):
        with pytest.raises(Malformed, match="env:OWNER_KEY: the environment variable is not set"):
            load("env:OWNER_KEY")


def test_a_bad_key_in_a_variable_is_refused_without_printing_it(monkeypatch):
    monkeypatch.setenv("OWNER_KEY", "s3cret")
    with pytest.raises(Malformed, match="env:OWNER_KEY: no key found") as caught:
        open_signer("env:OWNER_KEY")
    assert "s3cret" not in str(caught.value)


def test_password_scheme_and_form_of_id_are_passed_on(tmp_path, signer):
    rsa = generate("rsa", bits=2048)
    path = tmp_path / "rsa"
    path.write_bytes(private_pem(rsa, b"secret"))
    opened = open_signer(str(path), password=lambda: b"secret", scheme="rsa-pkcs1v15-sha256", id_form="legacy")
    assert opened.key.scheme == "rsa-pkcs1v15-sha256"
    assert opened.keyid == opened.key.legacy_id
    (tmp_path / "rsa.pub").write_bytes(rsa.key.public_pem())
    assert open_public_key(f"{path}.pub", scheme="rsa-pkcs1v15-sha256") == opened.key


# --- what leads nowhere --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("load", [open_signer, open_public_key])
def test_a_path_that_does_not_exist_is_malformed_input_with_a_remedy(load, tmp_path):
    with pytest.raises(Malformed, match=r"missing: no such key file – .*navicert keygen"):
        load(str(tmp_path / "missing"))


@pytest.mark.parametrize("load", [open_signer, open_public_key])
def test_other_impossible_paths_are_malformed_input(load, pair):
    with pytest.raises(Malformed, match="no such key file"):
        load(f"{pair}/below")
    with pytest.raises(Malformed, match="is a directory"):
        load(str(pair.parent))
    with pytest.raises(Malformed, match="not a file name"):
        load("a\0b")


def test_a_file_that_the_system_cannot_read_is_unavailable(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for load in (open_signer, open_public_key):
        with pytest.raises(Unavailable, match="loop: cannot be read: too many levels of symbolic links"):
            load(str(tmp_path / "loop"))


def test_no_more_is_read_of_a_huge_file_than_a_key_can_have(tmp_path):
    path = tmp_path / "huge"
    with open(path, "wb") as stream:
        stream.truncate(LOCAL.key_bytes * 1000)
    with pytest.raises(LimitExceeded, match="huge: too large for a key"):
        open_public_key(str(path))


def test_an_endless_device_does_not_fill_the_memory():
    program = (
        "import resource\n"
        "from navicert.errors import LimitExceeded\n"
        "from navicert.trust.keyfile import open_signer\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        "try:\n"
        "    open_signer('/dev/zero')\n"
        "except LimitExceeded as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("/dev/zero: too large for a key")


def test_the_private_key_is_refused_where_the_public_one_is_asked_for(pair):
    with pytest.raises(Malformed, match=r"owner: a private key where a public one belongs.*KEY\.pub"):
        open_public_key(str(pair))
    with pytest.raises(Malformed, match=r"owner\.pub: a public key where a private one belongs"):
        open_signer(f"{pair}.pub")


def test_a_key_on_another_machine_is_refused():
    with pytest.raises(Malformed, match="names another machine"):
        open_signer("file://server/key")


@pytest.mark.parametrize("uri", ["hsm:1234", "x-y:z", "ssh:agent"])
def test_an_unknown_scheme_is_refused_with_both_remedies(uri):
    with pytest.raises(Malformed, match=rf"{uri}: no signer for.*install.*\./{uri} for a file"):
        open_signer(uri)
    with pytest.raises(Malformed, match=rf"{uri}: no public key for.*install.*\./{uri} for a file"):
        open_public_key(uri)


def test_a_file_whose_name_looks_like_a_uri_is_reached_with_dot_slash(pair, signer, monkeypatch):
    monkeypatch.chdir(pair.parent)
    os.rename("owner", "awskms:owner")
    assert open_signer("./awskms:owner").key == signer.key


# --- plugins -------------------------------------------------------------------------------------------------------

PLUGIN = '''
from navicert.crypto.signer import generate

def signer(uri, *, password, id_form):
    """A new key, under an id that shows the arguments."""
    assert uri == "hsm:slot/1", uri
    assert password() == b"secret"
    made = generate()
    return made.with_id(made.key.id_of(id_form))

def nothing(uri, *, password, id_form):
    return "no signer"

class Liar:
    """Shows one key and signs with another."""

    def __init__(self, lies):
        self.key, self.other, self.lies = generate().key, generate(), lies

    @property
    def keyid(self):
        return self.key.id

    def sign(self, message):
        return self.lies(self, message)

def liar(uri, *, password, id_form):
    return Liar({
        "hsm:another": lambda self, message: self.other.sign(message),
        "hsm:nothing": lambda self, message: b"",
        "hsm:text": lambda self, message: b"signed!",
    }[uri])

def public(uri):
    return generate().key if uri == "hsm:slot/1" else "no key"
'''


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs a package with the module `hsm_plugin` and the given entry points."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "hsm_plugin.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "hsm_plugin", raising=False)

    def add(name: str, *entries: str, group: str = "navicert.signers") -> None:
        folder = site / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text("\n".join([f"[{group}]", *entries, ""]))

    return add


def test_a_plugin_provides_signers_by_the_scheme_of_its_uris(install):
    install("hsm", "hsm = hsm_plugin:signer")
    signer = open_signer("hsm:slot/1", password=lambda: b"secret", id_form="legacy")
    assert isinstance(signer, Signer)
    assert signer.keyid == signer.key.legacy_id
    assert signer.key.verify(signer.sign(b"m"), b"m")


@pytest.mark.parametrize("uri", ["hsm:another", "hsm:nothing", "hsm:text"])
def test_attack_a_plugin_signs_with_another_key_than_it_shows(install, uri):
    install("hsm", "hsm = hsm_plugin:liar")
    with pytest.raises(Refused, match=f"{uri}: what was signed is not signed with the key that was expected"):
        open_signer(uri)


def test_a_plugin_provides_public_keys(install):
    install("hsm", "hsm = hsm_plugin:public", group="navicert.public_keys")
    assert open_public_key("hsm:slot/1").keytype == "ed25519"
    with pytest.raises(Unavailable, match="gave no public key"):
        open_public_key("hsm:slot/2")


@pytest.mark.parametrize(
    "uri",
    [
        "awskms:alias/owner",
        "gcpkms:projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
        "azurekms://v.vault.azure.net/keys/k",
        "hashivault:owner",
        "pkcs11:object=owner",
    ],
)
def test_without_the_extra_it_is_said_what_to_install(uri):
    for asked in (open_signer, open_public_key):
        with pytest.raises(Unavailable, match=r"packages that are not installed – pip install 'navicert\[kms\]'"):
            asked(uri)


def test_two_plugins_for_one_scheme_are_refused_because_either_could_be_meant(install):
    install("hsm", "hsm = hsm_plugin:signer")
    install("other", "hsm = hsm_plugin:nothing")
    with pytest.raises(Malformed, match=r"several packages.*hsm_plugin:nothing, hsm_plugin:signer"):
        open_signer("hsm:slot/1")


@pytest.mark.parametrize("entry", ["hsm = not_there:signer", "hsm = hsm_plugin:missing"])
def test_a_plugin_that_does_not_load_is_unavailable(install, entry):
    install("hsm", entry)
    with pytest.raises(Unavailable, match=r'the signer for "hsm:" does not load'):
        open_signer("hsm:slot/1")


def test_a_plugin_that_gives_something_else_is_unavailable(install):
    install("hsm", "hsm = hsm_plugin:nothing")
    with pytest.raises(Unavailable, match="gave no signer"):
        open_signer("hsm:slot/1")


def test_plugins_are_not_looked_for_until_one_is_named(pair):
    program = (
        "import sys\n"
        "from navicert.trust.keyfile import open_signer\n"
        "open_signer(sys.argv[1])\n"
        "print('importlib.metadata' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, pair], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_signing_and_verifying_with_ed25519_does_not_import_the_parsers_of_other_keys(pair):
    # They take longer to import than everything else that a recorded step needs.
    program = (
        "import sys\n"
        "from navicert.crypto.key import Key\n"
        "from navicert.trust.keyfile import open_public_key, open_signer\n"
        "key = Key.from_json(open_public_key(sys.argv[1] + '.pub').to_json())\n"
        "assert key.verify(open_signer(sys.argv[1]).sign(b'm'), b'm')\n"
        "print('cryptography.hazmat.primitives.serialization' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, pair], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
