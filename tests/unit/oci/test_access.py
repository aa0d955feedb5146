"""How registries are reached: what the environment may say about it, and what it may not."""

from __future__ import annotations

from pathlib import Path

from navicert.oci.access import Access
from navicert.oci.address import ANY_REGISTRY
from navicert.oci.credential import Anonymous
from navicert.oci.url import Url


def test_nothing_given_is_nobody_with_checked_tls_and_no_proxy() -> None:
    access = Access()
    assert isinstance(access.keychain, Anonymous)
    assert (access.insecure, access.ca_file, access.realms) == (False, "", frozenset())
    assert access.zones == ANY_REGISTRY
    assert access.proxies.choose(Url.parse("https://r.example/v2/")) == ""


def test_the_environment_names_proxies_and_credential_files(tmp_path: Path) -> None:
    (tmp_path / "auth.json").write_text('{"auths": {"r.example": {"auth": "dTpw"}}}')
    environment = {"REGISTRY_AUTH_FILE": str(tmp_path / "auth.json"), "HTTPS_PROXY": "http://proxy.example:3128"}
    access = Access.from_environment(environment, ca_file="ca.pem", insecure=True)
    found = access.keychain.find("r.example", "app")
    assert found is not None
    assert (found.username, found.password) == ("u", "p")
    assert access.proxies.choose(Url.parse("https://r.example/v2/")) == "http://proxy.example:3128"
    assert (access.ca_file, access.insecure) == ("ca.pem", True)


def test_the_environment_cannot_switch_off_tls_or_name_who_is_trusted() -> None:
    """What decides about trust are arguments, which stand in the command that was written."""
    environment = {
        "SSL_CERT_FILE": "/tmp/evil.pem",
        "SSL_CERT_DIR": "/tmp",
        "REQUESTS_CA_BUNDLE": "/tmp/evil.pem",
        "CURL_CA_BUNDLE": "/tmp/evil.pem",
        "NAVICERT_INSECURE": "1",
        "DOCKER_TLS_VERIFY": "0",
    }
    access = Access.from_environment(environment)
    assert (access.ca_file, access.insecure) == ("", False)
    assert (access.realms, access.zones) == (frozenset(), ANY_REGISTRY)


def test_a_password_is_in_no_representation(tmp_path: Path) -> None:
    (tmp_path / "auth.json").write_text('{"auths": {"r.example": {"auth": "dXNlcjpzM2NyM3Q="}}}')
    access = Access.from_environment({"REGISTRY_AUTH_FILE": str(tmp_path / "auth.json")})
    found = access.keychain.find("r.example", "app")
    assert found is not None
    assert found.password == "s3cr3t"
    assert "s3cr3t" not in repr(access) + repr(found)
    assert "dXNlcjpzM2NyM3Q" not in repr(access) + repr(found)
