"""Signing with keys that stay in AWS KMS, Google Cloud KMS, Azure Key Vault and Vault.

Navicert runs in an environment that has the real clients of these services; the far end is in tests/key_service.py.
What was signed is verified here, by what has none of them.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.conftest import ROOT, Component
from tests.key_service import AwsKms, Azure, Service, Vault, certificate_for, clean_environment, pem, running

from navicert.crypto.formats import load_public_key
from navicert.envelope.document import open_document
from navicert.model.layout import Layout

AWS, GCP, AZURE, VAULT = (
    "awskms:alias/release",
    "gcpkms:projects/p1/locations/global/keyRings/builds/cryptoKeys/release/cryptoKeyVersions/3",
    "azurekms://builds.vault.azure.net/keys/release",
    "hashivault:release",
)


class Machine:
    """A machine with Navicert and the clients of all services on it, in the folder `here`."""

    def __init__(self, python: Path, here: Path, environ: dict[str, str]) -> None:
        self.python, self.here, self.environ = python, here, environ

    def navicert(self, *words: str, kms_seconds: int | None = None) -> subprocess.CompletedProcess[str]:
        program = "from navicert.cli.main import console; console()"
        if kms_seconds is not None:
            patch = (
                "import dataclasses, navicert.limits as limits, navicert.trust.kms as kms\n"
                f"kms.LOCAL = dataclasses.replace(limits.LOCAL, kms_seconds={kms_seconds})"
            )
            program = f"{patch}\n{program}"
        return subprocess.run(
            [self.python, "-c", program, *words],
            cwd=self.here,
            env=self.environ | {"PYTHONPATH": str(ROOT / "src"), "PYTHONWARNINGS": "ignore"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def record(self, key: str, *more: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return self.navicert("run", "build", "--key", key, *more, "--", "touch", "ran", **options)

    @property
    def links(self) -> list[Path]:
        return sorted(self.here.glob("*.link*"))

    def signed(self, private: Any, scheme: str | None = None) -> Path:
        """The one link that there is, which `private` signed."""
        (link,) = self.links
        key = load_public_key(pem(private), scheme=scheme)
        assert open_document(link.read_bytes()).verified_by([key]) is not None
        assert link.name == f"build.{key.id[:8]}.link"
        return link

    def refused(self, done: subprocess.CompletedProcess[str], *said: str) -> None:
        """`done` wrote nothing, ran nothing and said why."""
        assert done.returncode in (125, 2, 3), done
        assert "Traceback" not in done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        for words in said:
            assert words in done.stderr
        assert not self.links
        assert not (self.here / "ran").exists()


@pytest.fixture
def python(component: Component) -> Path:
    return component("kms")


@contextmanager
def machine(python: Path, here: Path, **environ: str) -> Iterator[Machine]:
    yield Machine(python, here, clean_environment(**environ))


@contextmanager
def with_aws(python: Path, here: Path, service: Service) -> Iterator[Machine]:
    with running(service) as url:
        credentials = {
            "AWS_ACCESS_KEY_ID": "AKIAFAKE",
            "AWS_SECRET_ACCESS_KEY": "fake",
            "AWS_DEFAULT_REGION": "eu-west-1",
        }
        yield Machine(python, here, clean_environment(AWS_ENDPOINT_URL_KMS=url, **credentials))


@contextmanager
def with_vault(python: Path, here: Path, service: Service, token: str = "s.token") -> Iterator[Machine]:
    with running(service) as url:
        yield Machine(python, here, clean_environment(VAULT_ADDR=url, VAULT_TOKEN=token))


@contextmanager
def with_azure(python: Path, here: Path, service: Service) -> Iterator[Machine]:
    ca, certificate, key = certificate_for(here, "login.microsoftonline.com", "builds.vault.azure.net")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with running(service, tls=tls) as url:
        login = {"AZURE_TENANT_ID": "t1", "AZURE_CLIENT_ID": "c1", "AZURE_CLIENT_SECRET": "fake"}
        yield Machine(python, here, clean_environment(HTTPS_PROXY=url, REQUESTS_CA_BUNDLE=str(ca), **login))


@contextmanager
def with_google(python: Path, here: Path, private: Any) -> Iterator[Machine]:
    ca, certificate, key = certificate_for(here, "cloudkms.googleapis.com")
    (here / "private.pem").write_bytes(_private(private))
    program = str(ROOT / "tests" / "google_kms.py")
    words = [str(python), "-W", "ignore", program, str(certificate), str(key), str(here / "private.pem")]
    account = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    facts = {"type": "service_account", "project_id": "p1", "private_key_id": "1", "client_id": "1"}
    facts |= {"client_email": "builder@p1.iam.gserviceaccount.com", "token_uri": "https://oauth2.googleapis.com/token"}
    (here / "account.json").write_text(json.dumps(facts | {"private_key": _private(account).decode()}))
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        with running(tunnel=("127.0.0.1", port)) as url:
            yield Machine(
                python,
                here,
                clean_environment(
                    https_proxy=url,
                    GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=str(ca),
                    GOOGLE_APPLICATION_CREDENTIALS=str(here / "account.json"),
                ),
            )
        server.communicate()


def _private(private: Any) -> bytes:
    raw: bytes = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return raw


@pytest.fixture(scope="module")
def p256() -> Any:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def ed25519() -> Any:
    return Ed25519PrivateKey.generate()


# --- signing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uri", [AWS, "awskms:///alias/release", "awskms:1234abcd-12ab-34cd-56ef-1234567890ab"])
def test_a_step_is_signed_by_aws_kms(python, tmp_path, p256, uri):
    service = AwsKms(p256)
    with with_aws(python, tmp_path, service) as here:
        done = here.record(uri)
        assert done.returncode == 0, done.stderr
        here.signed(p256)
    assert service.asked == ["GetPublicKey", "Sign", "Sign"]


@pytest.mark.parametrize("scheme", ["", "rsassa-pss-sha512", "rsa-pkcs1v15-sha256"])
def test_a_step_is_signed_by_an_rsa_key_in_aws_kms(python, tmp_path, scheme):
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with with_aws(python, tmp_path, AwsKms(private)) as here:
        done = here.record(f"{AWS}?scheme={scheme}" if scheme else AWS)
        assert done.returncode == 0, done.stderr
        here.signed(private, scheme or None)


def test_a_key_whose_public_half_is_known_may_be_one_that_cannot_be_read(python, tmp_path, p256):
    service = AwsKms(p256)
    (tmp_path / "release.pub").write_bytes(pem(p256))
    with with_aws(python, tmp_path, service) as here:
        done = here.record(f"{AWS}?public-key=release.pub")
        assert done.returncode == 0, done.stderr
        here.signed(p256)
    assert set(service.asked) == {"Sign"}


def test_a_step_is_signed_by_vault(python, tmp_path, ed25519):
    service = Vault(ed25519)
    with with_vault(python, tmp_path, service) as here:
        done = here.record(VAULT)
        assert done.returncode == 0, done.stderr
        here.signed(ed25519)


def test_a_step_is_signed_by_azure_key_vault(python, tmp_path, p256):
    service = Azure(p256)
    with with_azure(python, tmp_path, service) as here:
        done = here.record(AZURE)
        assert done.returncode == 0, done.stderr
        here.signed(p256)


def test_a_step_is_signed_by_google_cloud_kms(python, tmp_path, p256):
    with with_google(python, tmp_path, p256) as here:
        done = here.record(GCP)
        assert done.returncode == 0, done.stderr
        here.signed(p256)


def test_every_command_that_signs_takes_such_a_key(python, tmp_path, p256):
    with with_aws(python, tmp_path, AwsKms(p256)) as here:
        done = here.navicert("key", "convert", AWS, "--to", "pem", "-o", "release.pub")
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "release.pub").read_bytes() == pem(p256)
        assert "ecdsa" in here.navicert("key", "show", AWS).stdout
        words = ("--name", "app", "--step", "build", "--functionary", "me=release.pub")
        assert here.navicert("layout", "init", *words).returncode == 0
        done = here.navicert("layout", "sign", "layout.yaml", "--key", AWS, "-o", "root.layout")
        assert done.returncode == 0, done.stderr
        assert here.navicert("sign", "root.layout", "--key", AWS).returncode == 0
        key = load_public_key(pem(p256))
        verified = open_document((tmp_path / "root.layout").read_bytes()).verified_by([key])
        assert verified is not None
        assert isinstance(verified.body, Layout)
        assert here.navicert("record", "start", "build", "--key", AWS).returncode == 0
        (tmp_path / "app.txt").write_text("made\n")
        done = here.navicert("record", "stop", "build", "--key", AWS, "-p", "app.txt")
        assert done.returncode == 0, done.stderr
        done = here.navicert("verify", "--layout", "root.layout", "--owner", "release.pub", "app.txt")
        assert done.returncode == 0, done.stdout + done.stderr
        (tmp_path / "review.json").write_text('{"reviewer": "jane"}')
        words = ("--type", "https://example.com/review/v1", "--predicate", "review.json", "--subject", "app.txt")
        done = here.navicert("attest", *words, "--key", AWS, "-o", "review.intoto.json")
        assert done.returncode == 0, done.stderr
        assert open_document((tmp_path / "review.intoto.json").read_bytes()).verified_by([key]) is not None


# --- refusing ------------------------------------------------------------------------------------------------------


def test_attack_a_service_signs_with_another_key_than_it_shows(python, tmp_path, p256):
    with with_aws(python, tmp_path, AwsKms(p256, signing=ec.generate_private_key(ec.SECP256R1()))) as here:
        here.refused(here.record(AWS), "not signed with the key that was expected", AWS)


def test_attack_a_service_shows_another_key_than_was_expected(python, tmp_path, p256, ed25519):
    (tmp_path / "release.pub").write_bytes(pem(p256))
    with with_aws(python, tmp_path, AwsKms(ec.generate_private_key(ec.SECP256R1()))) as here:
        here.refused(here.record(f"{AWS}?public-key=release.pub"), "not signed with the key that was expected")
    (tmp_path / "vault.pub").write_bytes(pem(ed25519))
    with with_vault(python, tmp_path, Vault(Ed25519PrivateKey.generate())) as here:
        here.refused(here.record(f"{VAULT}?public-key=vault.pub"), "is another than the expected one")
        here.refused(here.record(f"{VAULT}/1?public-key=vault.pub"), "not signed with the key that was expected")
        done = here.navicert("key", "show", f"{VAULT}?public-key=vault.pub")
        assert done.returncode == 2
        assert "is another than the expected one" in done.stderr


@pytest.mark.parametrize("signature", [AwsKms, Vault, Azure])
def test_attack_a_service_answers_with_what_is_no_signature(python, tmp_path, p256, ed25519, signature):
    service = signature(ed25519 if signature is Vault else p256)
    service.garbage = True
    setting = {AwsKms: with_aws, Vault: with_vault, Azure: with_azure}[signature]
    uri = {AwsKms: AWS, Vault: VAULT, Azure: AZURE}[signature]
    with setting(python, tmp_path, service) as here:
        here.refused(here.record(uri))


def test_a_key_that_may_not_be_used_is_noticed_before_the_command_runs(python, tmp_path, p256, ed25519):
    service: Service = AwsKms(p256)
    service.denied = True
    with with_aws(python, tmp_path, service) as here:
        here.refused(here.record(AWS), "AWS KMS did not do it", "not authorized to perform: kms:Sign")
        done = here.navicert("layout", "sign", "layout.yaml", "--key", AWS, "-o", "root.layout")
        assert not (tmp_path / "root.layout").exists()
    service = Vault(ed25519)
    service.denied = True
    with with_vault(python, tmp_path, service) as here:
        here.refused(here.record(VAULT), "HashiCorp Vault did not do it", "permission denied")
    with with_vault(python, tmp_path, Vault(ed25519), token="s.wrong") as here:
        done = here.record(VAULT)
        here.refused(done, "HashiCorp Vault did not do it", "permission denied")
        assert "s.wrong" not in done.stderr


@pytest.mark.parametrize("uri", [AWS, VAULT])
def test_a_service_that_cannot_be_reached_is_no_answer(python, tmp_path, uri):
    nobody = "http://127.0.0.1:9"
    aws = {"AWS_ACCESS_KEY_ID": "AKIAFAKE", "AWS_SECRET_ACCESS_KEY": "fake", "AWS_DEFAULT_REGION": "eu-west-1"}
    (tmp_path / "a.link").write_text('{"_type": "link", "name": "a"}')
    environ = {"AWS_ENDPOINT_URL_KMS": nobody, "VAULT_ADDR": nobody, "VAULT_TOKEN": "s.token"} | aws
    with machine(python, tmp_path, **environ) as here:
        done = here.navicert("sign", "a.link", "--key", uri, "-o", "signed.link")
        assert done.returncode == 3, done
        assert "did not do it" in done.stderr
        assert not (tmp_path / "signed.link").exists()


def test_a_service_that_never_answers_is_given_up(python, tmp_path, p256):
    service = AwsKms(p256)
    service.silent.set()
    with with_aws(python, tmp_path, service) as here:
        before = time.monotonic()
        here.refused(here.record(AWS, kms_seconds=1), "did not answer within 1 seconds (limit kms_seconds)")
        assert time.monotonic() - before < 50


def test_there_are_no_credentials(python, tmp_path):
    with machine(python, tmp_path, AWS_DEFAULT_REGION="eu-west-1") as here:
        here.refused(here.record(AWS), "AWS KMS did not do it: NoCredentialsError")
    with machine(python, tmp_path) as here:
        here.refused(here.record(AWS), "NoRegionError")


def test_a_key_that_is_not_there(python, tmp_path, p256, ed25519):
    with with_aws(python, tmp_path, AwsKms(p256)) as here:
        here.refused(here.record("awskms:alias/other"), "NotFoundException")
    with with_azure(python, tmp_path, Azure(p256)) as here:
        here.refused(here.record("azurekms://builds.vault.azure.net/keys/other"), "KeyNotFound")
    with with_google(python, tmp_path, p256) as here:
        here.refused(here.record(GCP.replace("Versions/3", "Versions/4")), "not found")


def test_attack_an_older_version_is_asked_for_and_the_newest_would_sign(python, tmp_path, p256, ed25519):
    with with_vault(python, tmp_path, Vault(ed25519)) as here:
        here.refused(here.record(f"{VAULT}/1"), "not the newest version", "public-key=FILE")
        assert here.record(f"{VAULT}/2").returncode == 0
    with with_azure(python, tmp_path, Azure(p256)) as here:
        for link in here.links:
            link.unlink()
        (tmp_path / "ran").unlink()
        here.refused(here.record(f"{AZURE}/{'f' * 32}"), "not the newest version")


def test_a_key_of_a_kind_that_cannot_sign_here(python, tmp_path, p256):
    with with_vault(python, tmp_path, Vault(p256)) as here:
        here.refused(here.record(VAULT), "a Transit key of type ed25519")
    with with_aws(python, tmp_path, AwsKms(rsa.generate_private_key(public_exponent=65537, key_size=1024))) as here:
        here.refused(here.record(AWS), "too weak")


@pytest.mark.parametrize(
    "uri",
    [
        "awskms:",
        "awskms://localhost:4566/alias/release",
        "awskms:alias/x?endpoint=http://evil",
        "awskms:alias/x?public-key=",
        "awskms:alias/x?public-key=nowhere.pub",
        "awskms:alias/x y",
        "gcpkms:projects/p/locations/l/keyRings/r/cryptoKeys/k",
        "azurekms://vault.example.com/keys/release",
        "azurekms://a.vault.azure.net.example.com/keys/release",
        "hashivault:../sys/seal",
        "hashivault:a/b/c",
    ],
)
def test_attack_a_name_that_leads_elsewhere(python, tmp_path, uri):
    with machine(python, tmp_path, AWS_DEFAULT_REGION="eu-west-1") as here:
        done = here.navicert("sign", "x.link", "--key", uri)
        assert done.returncode == 2, done
        (tmp_path / "x.link").write_text('{"_type": "link", "name": "a"}')
        done = here.navicert("sign", "x.link", "--key", uri)
        assert done.returncode == 2, done
        assert "Traceback" not in done.stderr
