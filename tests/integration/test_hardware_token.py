"""Signing with keys in a PKCS#11 token: softhsm, whose keys are made by pkcs11-tool."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.conftest import ROOT, require_component

from navicert.crypto.formats import load_public_key
from navicert.crypto.signer import generate
from navicert.envelope.document import open_document

PIN, LABEL = "1234", "build token"
KINDS = {
    "p256": "EC:prime256v1",
    "p384": "EC:secp384r1",
    "p521": "EC:secp521r1",
    "ed25519": "EC:edwards25519",
    "rsa": "rsa:2048",
}


class Token:
    """A token in software, in the folder `home`."""

    def __init__(self, home: Path) -> None:
        self.python = require_component("kms")
        self.init = require_component("softhsm")
        self.tool = require_component("opensc")
        places = ("/usr/lib/softhsm", "/usr/lib/x86_64-linux-gnu/softhsm", "/usr/lib/aarch64-linux-gnu/softhsm")
        self.module = next(str(p) for p in (Path(place) / "libsofthsm2.so" for place in places) if p.exists())
        (home / "tokens").mkdir()
        (home / "softhsm2.conf").write_text(f"directories.tokendir = {home}/tokens\nlog.level = ERROR\n")
        self.environ = os.environ | {"SOFTHSM2_CONF": str(home / "softhsm2.conf")}
        self.environ.pop("PYKCS11LIB", None)

    def make_token(self, label: str = LABEL, pin: str = PIN) -> None:
        words = ("--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", "5678")
        self._do(self.init, *words)

    def pkcs11_tool(self, *words: str, label: str = LABEL, pin: str = PIN) -> None:
        self._do(self.tool, "--module", self.module, "--token-label", label, "--login", "--pin", pin, *words)

    def _do(self, program: Path, *words: str) -> None:
        done = subprocess.run([program, *words], env=self.environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def navicert(self, here: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.python, "-m", "navicert", *words],
            cwd=here,
            env=self.environ | {"PYTHONPATH": str(ROOT / "src"), "PIN": PIN} | environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def record(self, here: Path, key: str, *more: str, **environ: str) -> subprocess.CompletedProcess[str]:
        words = ("run", "build", "--key", key, *(more or ("--password-env", "PIN")), "--", "touch", "ran")
        return self.navicert(here, *words, **environ)

    def uri(self, name: str, *options: str) -> str:
        return f"pkcs11:token=build%20token;object={name}?" + "&".join((f"module-path={self.module}", *options))

    def public(self, here: Path, name: str) -> bytes:
        done = self.navicert(here, "key", "convert", self.uri(name), "--to", "pem")
        assert done.returncode == 0, done.stderr
        return done.stdout.encode()


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Token:
    made = Token(tmp_path_factory.mktemp("softhsm"))
    made.make_token()
    for number, (name, kind) in enumerate(KINDS.items(), 1):
        made.pkcs11_tool("--keypairgen", "--key-type", kind, "--id", f"{number:02x}", "--label", name)
    made.pkcs11_tool("--keypairgen", "--key-type", "EC:prime256v1", "--id", "0a", "--label", "twice")
    made.pkcs11_tool("--keypairgen", "--key-type", "EC:prime256v1", "--id", "0b", "--label", "twice")
    return made


def refused(done: subprocess.CompletedProcess[str], here: Path, *said: str) -> None:
    """`done` ran nothing, wrote nothing, and said why in one line."""
    assert done.returncode == 125, done
    assert done.stderr.count("\n") == 1, done.stderr
    for words in said:
        assert words in done.stderr
    assert not list(here.glob("*.link*"))
    assert not (here / "ran").exists()


@pytest.mark.parametrize("name", KINDS)
def test_a_step_is_signed_by_a_token(token, tmp_path, name):
    done = token.record(tmp_path, token.uri(name))
    assert done.returncode == 0, done.stderr
    (link,) = tmp_path.glob("*.link")
    key = load_public_key(token.public(tmp_path, name))
    assert key.keytype == {"rsa": "rsa", "ed25519": "ed25519"}.get(name, "ecdsa")
    assert open_document(link.read_bytes()).verified_by([key]) is not None


@pytest.mark.parametrize("scheme", ["rsassa-pss-sha512", "rsa-pkcs1v15-sha256", "rsa-pkcs1v15-sha384"])
def test_a_step_is_signed_under_another_scheme(token, tmp_path, scheme):
    done = token.record(tmp_path, token.uri("rsa", f"scheme={scheme}"))
    assert done.returncode == 0, done.stderr
    (link,) = tmp_path.glob("*.link")
    key = load_public_key(token.public(tmp_path, "rsa"), scheme=scheme)
    assert open_document(link.read_bytes()).verified_by([key]) is not None


def test_what_a_token_signed_is_verified_by_the_library_of_keys_itself(token, tmp_path):
    from navicert.envelope.dsse import pae

    assert token.record(tmp_path, token.uri("p384")).returncode == 0
    (link,) = tmp_path.glob("*.link")
    sealed = open_document(link.read_bytes())
    ((message, payload),) = sealed.candidates()
    assert isinstance(payload, bytes)
    assert message == pae(sealed.payload_type, payload)
    public: Any = serialization.load_pem_public_key(token.public(tmp_path, "p384"))
    public.verify(sealed.signatures[0].value, message, ec.ECDSA(hashes.SHA384()))


def test_a_key_is_named_in_every_usual_way(token, tmp_path):
    pin = tmp_path / "pin"
    pin.write_text(f"{PIN}\n")
    numbered = f"pkcs11:1?label=build%20token&module-path={token.module}"
    for uri, more in (
        (f"pkcs11:id=%01?module-path={token.module}", ()),
        (f"pkcs11:token=build%20token;type=private;id=%01;object=p256?module-path={token.module}", ()),
        (numbered, ()),
        ("pkcs11:object=p256", ()),
        (token.uri("p256", f"pin-source=file:{pin}"), ("--password-env", "NOT_SET")),
    ):
        done = token.record(tmp_path, uri, *more, PYKCS11LIB=token.module)
        assert done.returncode == 0, (uri, done.stderr)


def test_every_command_that_signs_takes_such_a_key(token, tmp_path):
    uri = token.uri("p256")
    (tmp_path / "release.pub").write_bytes(token.public(tmp_path, "p256"))
    words = ("--name", "app", "--step", "build", "--functionary", "me=release.pub")
    assert token.navicert(tmp_path, "layout", "init", *words).returncode == 0
    signing = ("--key", uri, "--password-env", "PIN")
    done = token.navicert(tmp_path, "layout", "sign", "layout.yaml", *signing, "-o", "root.layout")
    assert done.returncode == 0, done.stderr
    done = token.navicert(tmp_path, "sign", "root.layout", *signing)
    assert done.returncode == 0, done.stderr
    done = token.navicert(tmp_path, "run", "build", *signing, "-p", "app.txt", "--", "touch", "app.txt")
    assert done.returncode == 0, done.stderr
    done = token.navicert(tmp_path, "verify", "--layout", "root.layout", "--owner", "release.pub", "app.txt")
    assert done.returncode == 0, done.stdout + done.stderr


def test_two_keys_of_one_token_sign_together(token, tmp_path):
    (tmp_path / "a.link").write_text('{"_type": "link", "name": "a"}')
    keys = [word for name in ("p256", "rsa") for word in ("--key", token.uri(name))]
    done = token.navicert(tmp_path, "sign", "a.link", *keys, "--password-env", "PIN")
    assert done.returncode == 0, done.stderr
    sealed = open_document((tmp_path / "a.link").read_bytes())
    public = [load_public_key(token.public(tmp_path, name)) for name in ("p256", "rsa")]
    verified = sealed.verified_by(public)
    assert verified is not None
    assert len(verified.signers) == 2


def test_the_public_key_may_come_from_a_certificate_or_a_file(tmp_path):
    """Smart cards often have no object for it."""
    token = Token(tmp_path)
    token.make_token("card", "4321")
    words = ("--keypairgen", "--key-type", "EC:prime256v1", "--id", "01", "--label", "piv")
    token.pkcs11_tool(*words, label="card", pin="4321")
    uri = f"pkcs11:token=card;id=%01?module-path={token.module}"
    done = token.navicert(tmp_path, "key", "convert", uri, "--to", "pem")
    public = done.stdout.encode()
    token.pkcs11_tool("--delete-object", "--type", "pubkey", "--id", "01", label="card", pin="4321")
    refused(token.record(tmp_path, uri, PIN="4321"), tmp_path, "no public key lies in the token", "?public-key=FILE")
    (tmp_path / "piv.pub").write_bytes(public)
    done = token.record(tmp_path, f"{uri}&public-key=piv.pub", PIN="4321")
    assert done.returncode == 0, done.stderr

    (tmp_path / "piv.der").write_bytes(_certificate(public))
    object = ("--write-object", str(tmp_path / "piv.der"), "--type", "cert", "--id", "01", "--label", "piv")
    token.pkcs11_tool(*object, label="card", pin="4321")
    done = token.navicert(tmp_path, "key", "convert", uri, "--to", "pem")
    assert done.stdout.encode() == public, done.stderr


def _certificate(public: bytes) -> bytes:
    import datetime

    now = datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "piv")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
    builder = builder.public_key(serialization.load_pem_public_key(public))  # type: ignore[arg-type]
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    made = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


# --- refusing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("expected", ["rsa", "p384", "ed25519", "another"])
def test_attack_the_key_in_the_token_is_another_than_was_expected(token, tmp_path, expected):
    public = generate("ecdsa").key.public_pem() if expected == "another" else token.public(tmp_path, expected)
    (tmp_path / "expected.pub").write_bytes(public)
    done = token.record(tmp_path, token.uri("p256", "public-key=expected.pub"))
    refused(done, tmp_path, "expected", "key")
    done = token.navicert(tmp_path, "key", "show", token.uri("p256", "public-key=expected.pub"))
    assert done.returncode == 2
    assert "another than the expected one" in done.stderr


def test_a_wrong_pin_is_tried_once(token, tmp_path):
    refused(token.record(tmp_path, token.uri("p256"), PIN="9999"), tmp_path, "the PIN is wrong", "locks itself")
    refused(token.record(tmp_path, token.uri("p256"), PIN=""), tmp_path, "password is empty")


def test_no_pin_is_asked_for_where_nobody_can_answer(token, tmp_path):
    done = token.record(tmp_path, token.uri("p256"), "--password-prompt")
    refused(done, tmp_path, "no terminal to ask on")


def test_attack_a_pin_in_the_name_of_a_key(token, tmp_path):
    done = token.record(tmp_path, token.uri("p256", f"pin-value={PIN}"))
    refused(done, tmp_path, "ends up in logs")
    assert PIN not in done.stderr


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("pkcs11:token=other;object=p256", "no such token (got there are: 'build token'"),
        ("pkcs11:object=other", "no such private key"),
        ("pkcs11:object=twice", "fits 2 private keys"),
        ("pkcs11:token=build%20token", "says of no key which one it is"),
        ("pkcs11:", "says of no key which one it is"),
        ("pkcs11:object=p256;object=rsa", "not the name of a key in a token"),
        ("pkcs11:object=", "not the name of a key in a token"),
        ("pkcs11:colour=blue;object=p256", "not the name of a key in a token"),
        ("pkcs11:object=p256?colour=blue", "cannot be read as the name of a key"),
        ("pkcs11:object=%ff", "not UTF-8"),
        ("pkcs11:1?label=other", "no such token"),
    ],
)
def test_attack_a_name_that_is_not_of_one_key(token, tmp_path, uri, why):
    refused(token.record(tmp_path, uri, PYKCS11LIB=token.module), tmp_path, why)


def test_attack_a_library_from_the_working_directory(token, tmp_path):
    for uri, variable in (("pkcs11:id=%01?module-path=evil.so", ""), ("pkcs11:id=%01", "./evil.so")):
        done = token.record(tmp_path, uri, PYKCS11LIB=variable)
        refused(done, tmp_path, "has to be absolute")


def test_a_token_that_cannot_be_reached_is_no_answer(token, tmp_path):
    (tmp_path / "a.link").write_text('{"_type": "link", "name": "a"}')
    not_a_library = tmp_path / "library.so"
    not_a_library.write_text("text")
    done = token.navicert(
        tmp_path, "sign", "a.link", "--key", f"pkcs11:id=%01?module-path={not_a_library}", "--password-env", "PIN"
    )
    assert done.returncode == 3, done
    assert "the token did not do it" in done.stderr
    (tmp_path / "a.link").unlink()
    refused(token.record(tmp_path, "pkcs11:id=%01"), tmp_path, "no PKCS#11 library is named")
    refused(token.record(tmp_path, "pkcs11:id=%01?module-path=/nowhere.so"), tmp_path, "no such PKCS#11 library")
