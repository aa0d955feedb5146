"""What is served, by files that somebody renews."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.api_server import Authority

from navicert.admission.certificate import Serving, read_pair
from navicert.errors import Malformed

NOW = datetime.now(UTC)


def test_a_pair_is_taken_once_it_belongs_together(tmp_path: Path):
    authority = Authority.new()
    certificate, key = map(str, authority.issue(tmp_path))
    serving = Serving(certificate, key)
    assert serving.valid
    assert not serving.renew(), "nothing is new"
    first = serving.pair
    authority.issue(tmp_path)
    assert serving.renew()
    assert serving.pair.digest != first.digest
    other = authority.issue(tmp_path / "other")[1].read_bytes()
    Path(key).write_bytes(other)
    with pytest.raises(Malformed, match="does not belong"):
        serving.renew()
    assert serving.pair.digest != first.digest
    Path(certificate).write_bytes(b"nonsense")
    with pytest.raises(Malformed, match="not a certificate"):
        serving.renew()
    Path(certificate).unlink()
    with pytest.raises(Malformed, match="cannot be read"):
        serving.renew()


def test_what_is_not_valid_now_is_not_served(tmp_path: Path):
    certificate, key = map(str, Authority.new().issue(tmp_path, days=1))
    read_pair(certificate, key, NOW)
    with pytest.raises(Malformed, match="has expired"):
        read_pair(certificate, key, NOW + timedelta(days=2))
    with pytest.raises(Malformed, match="not valid yet"):
        read_pair(certificate, key, NOW - timedelta(days=3))


def test_a_key_is_never_shown(tmp_path: Path):
    certificate, key = map(str, Authority.new().issue(tmp_path))
    assert "PRIVATE" not in repr(read_pair(certificate, key, NOW))


def test_what_is_no_key_is_refused(tmp_path: Path):
    certificate, key = map(str, Authority.new().issue(tmp_path))
    for raw in (b"", b"nonsense", Path(certificate).read_bytes()):
        Path(key).write_bytes(raw)
        with pytest.raises(Malformed, match="not a private key"):
            read_pair(certificate, key, NOW)
    Path(key).write_bytes(b"x" * 2_000_000)
    with pytest.raises(Malformed, match="limit key_bytes"):
        read_pair(certificate, key, NOW)


def test_nothing_is_left_of_the_file_that_the_pair_is_loaded_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    certificate, key = map(str, Authority.new().issue(tmp_path / "tls"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    Serving(certificate, key)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["tls"]
