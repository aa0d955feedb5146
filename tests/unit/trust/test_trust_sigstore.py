"""The trust root of the public instance, which ships with the package, and others by file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from navicert.digest import sha256
from navicert.errors import Malformed, Unavailable
from navicert.model.identity import IdentityPolicy
from navicert.testing import NOW
from navicert.testing.bundle import as_bytes, keyless
from navicert.testing.sigstore import PrivateSigstore
from navicert.trust import sigstore
from navicert.trust.sigstore import PUBLIC_GOOD_TAKEN, open_trusted_root
from navicert.verify.bundle import Judged, judge_bytes


def test_the_public_root_is_there_without_a_network() -> None:
    root = open_trusted_root()
    assert {log.name for log in root.logs} >= {"rekor.sigstore.dev", "log2025-1.rekor.sigstore.dev"}
    assert {authority.name for authority in root.authorities} == {"fulcio.sigstore.dev"}
    assert [authority.name for authority in root.timestamp_authorities] == ["timestamp.sigstore.dev/api/v1/timestamp"]
    assert root.unsupported == ()


def test_the_day_on_which_it_was_taken_is_said_beside_it() -> None:
    with open(f"{sigstore._FOLDER}/README.md", encoding="utf-8") as stream:
        text = stream.read()
    assert re.search(rf"taken on {PUBLIC_GOOD_TAKEN}\b", text)
    assert "Apache License 2.0" in text


def test_a_file_replaces_it(tmp_path) -> None:
    path = tmp_path / "root.json"
    path.write_bytes(PrivateSigstore().root_bytes())
    assert next(log.name for log in open_trusted_root(str(path)).logs) == "rekor.private.example"


def test_what_cannot_be_read_is_not_replaced_by_anything(tmp_path) -> None:
    with pytest.raises(Unavailable, match="cannot be read"):
        open_trusted_root(str(tmp_path / "absent.json"))
    (tmp_path / "empty.json").write_bytes(b"")
    with pytest.raises(Malformed):
        open_trusted_root(str(tmp_path / "empty.json"))


class TestRealEvidence:
    """The signature of a release on PyPI, entry 79605083 of the public log, as its publisher distributes it."""

    RAW = (Path(__file__).parent / "data" / "rfc8785-0.1.2.sigstore.json").read_bytes()
    WHEEL: ClassVar = {"sha256": "c4e92e9ecc828bef2aa7dba1de8ac983511f7532a0df11c770d39099a25cf201"}
    PUBLISHER = IdentityPolicy.exactly(
        "https://github.com/trailofbits/rfc8785.py/.github/workflows/release.yml@refs/tags/v0.1.2",
        "https://token.actions.githubusercontent.com",
        sourceRepositoryURI="https://github.com/trailofbits/rfc8785.py",
        runnerEnvironment="github-hosted",
    )

    def judged(self, raw: bytes = RAW, wheel: Mapping[str, str] = WHEEL, wanted: IdentityPolicy = PUBLISHER) -> Judged:
        return judge_bytes(raw, open_trusted_root(), NOW, wanted=[wanted], artifact=wheel)

    def test_passes_out_of_the_box(self) -> None:
        result = self.judged()
        assert result.passed
        assert [str(time) for time in result.times] == ["2024-03-19T22:41:16Z by rekor.sigstore.dev"]
        assert result.identity is not None
        assert result.identity.claims["sourceRepositoryOwnerIdentifier"] == "2314423"

    def test_is_about_no_other_file_and_by_nobody_else(self) -> None:
        assert not self.judged(wheel={"sha256": "0" * 64}).passed
        other = IdentityPolicy.exactly("https://github.com/trailofbits/rfc8785.py", self.PUBLISHER.issuer.text)
        assert not self.judged(wanted=other).passed

    def test_no_part_of_it_may_change(self) -> None:
        for old, new in ((b"79605083", b"79605084"), (b"1710888076", b"1710888077"), (b"75441652", b"75441651")):
            assert old in self.RAW
            assert not self.judged(self.RAW.replace(old, new)).passed


class TestSeveralRoots:
    """The file that `gh attestation trusted-root` prints: one root a line, each enough by itself."""

    OURS, OTHER, NOBODY = PrivateSigstore(), PrivateSigstore("other"), PrivateSigstore("nobody")

    def path(self, tmp_path: Path, *lines: bytes) -> str:
        path = tmp_path / "roots.jsonl"
        path.write_bytes(b"\n".join(lines) + b"\n")
        return str(path)

    def judged(self, path: str, sigstore: PrivateSigstore, **more: Any) -> Judged:
        raw = as_bytes(keyless(sigstore, b"a file", **more))
        return judge_bytes(raw, open_trusted_root(path), NOW, wanted=[sigstore.policy], artifact=b"a file")

    def test_all_of_them_count(self, tmp_path: Path) -> None:
        path = self.path(tmp_path, self.OURS.root_bytes(), b"", self.OTHER.root_bytes(logs=False, ctlogs=False))
        assert len(open_trusted_root(path).each) == 2
        assert self.judged(path, self.OURS).passed
        assert self.judged(path, self.OTHER, kind=None, certificate={"sct": False}).passed
        assert not self.judged(path, self.NOBODY).passed

    def test_what_one_does_not_ask_for_is_not_left_out_for_another(self, tmp_path: Path) -> None:
        """A root without logs beside one with logs: the authority of the latter needs a log all the same."""
        path = self.path(tmp_path, self.OURS.root_bytes(), self.OTHER.root_bytes(logs=False, ctlogs=False))
        assert not self.judged(path, self.OURS, kind=None).passed

    def test_logs_and_timestamps_of_one_prove_nothing_to_another(self, tmp_path: Path) -> None:
        path = self.path(tmp_path, self.OURS.root_bytes(), self.OTHER.root_bytes())
        for more in ({"log": self.OTHER}, {"tsa": self.OTHER, "kind": None}):
            assert not self.judged(path, self.OURS, **more).passed

    def test_it_is_explained_by_the_one_that_has_the_least_against_it(self, tmp_path: Path) -> None:
        path = self.path(tmp_path, self.OURS.root_bytes(), self.OTHER.root_bytes())
        raw = as_bytes(keyless(self.OTHER, b"a file"))
        result = judge_bytes(raw, open_trusted_root(path), NOW, wanted=[], artifact=b"a file")
        assert result.problem.startswith("bundle.identity")

    def test_a_line_that_is_no_root_is_not_passed_over(self, tmp_path: Path) -> None:
        for odd in (b"{}", b'{"mediaType": "text/plain"}'):
            path = self.path(tmp_path, self.OURS.root_bytes(), odd)
            with pytest.raises(Malformed, match=r"roots.jsonl:2"):
                open_trusted_root(path)

    def test_more_than_anybody_has_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(Malformed, match="too many trust roots"):
            open_trusted_root(self.path(tmp_path, *[self.OURS.root_bytes()] * 17))

    def test_the_digest_is_that_of_the_file(self, tmp_path: Path) -> None:
        one = open_trusted_root(self.path(tmp_path, self.OURS.root_bytes()))
        two = open_trusted_root(self.path(tmp_path, self.OURS.root_bytes(), self.OTHER.root_bytes()))
        assert one.digest != two.digest
        assert two.others[0].digest == sha256(self.OTHER.root_bytes())
