"""Certificates of the webhook: at every moment of a rotation an API server accepts what a replica shows."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from navicert.admission.rotation import (
    AUTHORITY,
    LEAF,
    OVERLAP,
    SETTLE,
    Holding,
    certificates,
    read_holding,
    renewed,
    secret_data,
    united,
)
from navicert.errors import Malformed

NAMES = ("navicert-webhook.security.svc",)
START = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def made(at: datetime = START, names: tuple[str, ...] = NAMES) -> Holding:
    return renewed(Holding(), names, at, published=True)[0]


def accepts(bundle: bytes, holding: Holding, at: datetime) -> bool:
    """Whether a TLS client that trusts `bundle` accepts the leaf, by the chain alone."""
    leaf = holding.leaf
    assert leaf is not None
    if not leaf.not_valid_before_utc <= at <= leaf.not_valid_after_utc:
        return False
    for one in certificates(bundle):
        try:
            leaf.verify_directly_issued_by(one)
        except (ValueError, InvalidSignature):
            continue
        if one.not_valid_before_utc <= at <= one.not_valid_after_utc:
            return True
    return False


def test_the_first_round_makes_everything_and_the_next_changes_nothing() -> None:
    first = made()
    again, notes = renewed(first, NAMES, START + MINUTE, published=True)
    assert again is first
    assert notes == []


def test_a_leaf_is_for_the_service_and_for_nothing_else() -> None:
    leaf = made().leaf
    assert leaf is not None
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == list(NAMES)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [usage.dotted_string for usage in usages] == ["1.3.6.1.5.5.7.3.1"]


def test_a_certificate_without_a_name_is_refused() -> None:
    with pytest.raises(Malformed, match="without a name"):
        renewed(Holding(), (), START, published=True)


def test_what_a_secret_holds_is_read_as_it_was_written() -> None:
    whole = made()
    assert secret_data(read_holding(secret_data(whole))) == secret_data(whole)


@pytest.mark.parametrize("name", ["ca.crt", "ca.key", "tls.crt", "tls.key"])
@pytest.mark.parametrize("value", ["", "%%%", base64.b64encode(b"-----BEGIN").decode(), None, 7])
def test_a_damaged_secret_is_made_whole(name: str, value: object) -> None:
    damaged = read_holding({**secret_data(made()), name: value})
    whole, notes = renewed(damaged, NAMES, START + MINUTE, published=False)
    assert notes
    assert accepts(whole.bundle, whole, START + MINUTE)
    assert renewed(whole, NAMES, START + 2 * MINUTE, published=True)[0] is whole


def test_a_key_of_another_certificate_is_not_used() -> None:
    mine, other = secret_data(made()), secret_data(made())
    assert read_holding({**mine, "tls.key": other["tls.key"]}).leaf is None
    assert read_holding({**mine, "ca.key": other["ca.key"]}).authority_key is None


def test_a_leaf_of_an_authority_that_is_not_in_the_bundle_is_replaced_at_once() -> None:
    mine, other = made(), made()
    mixed = replace(mine, leaf=other.leaf, leaf_key=other.leaf_key)
    whole, _ = renewed(mixed, NAMES, START + MINUTE, published=False)
    assert accepts(whole.bundle, whole, START + MINUTE)


def test_other_names_make_another_leaf_of_the_same_authority() -> None:
    first = made()
    other, notes = renewed(first, ("in-toto-webhook.security.svc",), START + 20 * MINUTE, published=True)
    assert notes == ["made a certificate: it has other names"]
    assert other.authorities == first.authorities


def test_a_leaf_is_renewed_when_a_third_of_its_life_is_left() -> None:
    first = made()
    early = renewed(first, NAMES, START + LEAF * 0.6, published=True)[0]
    assert early is first
    later, notes = renewed(first, NAMES, START + LEAF * 0.7, published=True)
    assert notes == ["made a certificate: the old one is near its end"]
    assert later.authorities == first.authorities


class TestRotationOfTheAuthority:
    """Announced, then used, then let go of."""

    at = START + AUTHORITY * 0.7

    def announced(self) -> tuple[Holding, Holding]:
        """What was held before a new authority was announced, and since."""
        old, _ = renewed(made(), NAMES, START + AUTHORITY * 0.6, published=True)
        new, notes = renewed(old, NAMES, self.at, published=True)
        assert notes == ["announced a new authority"]
        return old, new

    def test_a_new_one_is_announced_before_it_signs(self) -> None:
        old, new = self.announced()
        assert len(new.authorities) == 2
        assert new.leaf == old.leaf
        assert accepts(new.bundle, new, self.at)

    def test_it_signs_nothing_until_every_configuration_has_it(self) -> None:
        _, new = self.announced()
        assert renewed(new, NAMES, self.at + 3 * SETTLE, published=False)[0] is new

    def test_it_signs_nothing_until_it_has_settled(self) -> None:
        _, new = self.announced()
        assert renewed(new, NAMES, self.at + SETTLE / 2, published=True)[0] is new

    def test_then_it_signs_and_the_old_one_is_still_trusted(self) -> None:
        old, new = self.announced()
        used, notes = renewed(new, NAMES, self.at + 2 * SETTLE, published=True)
        assert notes == ["made a certificate: the authority is a new one"]
        # A replica that has not read the Secret yet shows the old leaf, one that has shows the new one.
        for shown in (old, used):
            assert accepts(used.bundle, shown, self.at + 2 * SETTLE)
            assert accepts(new.bundle, shown, self.at + 2 * SETTLE)

    def test_the_old_one_goes_when_no_replica_can_show_a_leaf_of_it(self) -> None:
        _, new = self.announced()
        used, _ = renewed(new, NAMES, self.at + 2 * SETTLE, published=True)
        assert renewed(used, NAMES, self.at + OVERLAP, published=True)[0] is used
        last, notes = renewed(used, NAMES, self.at + OVERLAP + 3 * SETTLE, published=True)
        assert notes == ["let go of an authority"]
        assert last.authorities == used.authorities[-1:]

    def test_years_of_rounds_leave_no_moment_without_a_certificate(self) -> None:
        """Replicas show what was held half a day before, and configurations trust what was held then."""
        holding, at = made(), START
        shown, trusted = holding, holding.bundle
        while at < START + 2 * AUTHORITY:
            published = holding.newest in certificates(trusted)
            following, _ = renewed(holding, NAMES, at, published=published)
            assert accepts(trusted, shown, at), at
            trusted = following.bundle
            assert accepts(trusted, shown, at), at
            shown, holding = following, following
            at += timedelta(hours=12)
        assert len(holding.authorities) <= 2


class TestCertManager:
    def test_the_authority_that_was_replaced_stays_in_the_bundle(self) -> None:
        old, new = made().bundle, made(START + 300 * timedelta(days=1)).bundle
        both = united(old, new, START + 301 * timedelta(days=1))
        assert set(certificates(both)) == {*certificates(old), *certificates(new)}
        assert united(both, new, START + 301 * timedelta(days=1)) == both

    def test_one_that_has_ended_goes(self) -> None:
        old, new = made().bundle, made(START + AUTHORITY).bundle
        assert united(old, new, START + AUTHORITY + MINUTE) == new

    def test_none_is_no_bundle(self) -> None:
        with pytest.raises(Malformed, match="no authority"):
            united(made().bundle, b"", START)


def test_a_tls_client_accepts_it(tmp_path: Path) -> None:
    holding = made(datetime.now(UTC))
    assert holding.leaf is not None
    assert holding.leaf_key is not None
    encoding = serialization.Encoding.PEM
    key = holding.leaf_key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "both.pem").write_bytes(holding.leaf.public_bytes(encoding) + key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "both.pem")
    here, there = socket.socketpair()
    thread = threading.Thread(target=lambda: server.wrap_socket(there, server_side=True).close())
    thread.start()
    client = ssl.create_default_context(cadata=holding.bundle.decode())
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    with client.wrap_socket(here, server_hostname=NAMES[0]) as connection:
        assert connection.version() == "TLSv1.3"
    thread.join()
