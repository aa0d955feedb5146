"""`navicert trust`: whom certificates are judged by."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from navicert.cli.main import main
from navicert.testing.sigstore import PrivateSigstore


def test_what_ships_is_shown_with_its_day(capsys) -> None:
    assert main(["trust", "show"]) == 0
    out = capsys.readouterr().out
    assert "public-good, shipped, of 2026-" in out
    assert "  rekor.sigstore.dev\n    from 2021-01-12T11:53:27Z\n" in out
    assert "    from 2021-03-07T03:20:29Z until 2022-12-31T23:59:59Z\n" in out


def test_another_root_is_shown_for_programs(capsys, tmp_path) -> None:
    path = tmp_path / "root.json"
    path.write_bytes(PrivateSigstore().root_bytes(ctlogs=False))
    assert main(["trust", "show", "--trusted-root", str(path), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["type"] == "navicert-trusted-root/v1"
    assert [log["name"] for log in shown["logs"]] == ["rekor.private.example", "log2026.private.example"]
    assert shown["logs"][0]["id"] == PrivateSigstore().rekor_id.hex()
    assert shown["ctlogs"] == []
    assert len(shown["certificateAuthorities"][0]["certificates"]) == 2


def test_every_root_of_a_file_is_shown(capsys, tmp_path) -> None:
    path = tmp_path / "roots.jsonl"
    path.write_bytes(PrivateSigstore().root_bytes() + b"\n" + PrivateSigstore("other").root_bytes(logs=False) + b"\n")
    assert main(["trust", "show", "--trusted-root", str(path)]) == 0
    out = capsys.readouterr().out
    assert "root 1 of 2, each enough by itself" in out
    assert out.index("rekor.private.example") < out.index("root 2 of 2") < out.index("fulcio.other.example")
    assert main(["trust", "show", "--trusted-root", str(path), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [one["certificateAuthorities"][0]["name"] for one in (shown, *shown["others"])] == [
        "fulcio.private.example",
        "fulcio.other.example",
    ]


def test_what_is_not_asked_for_is_told_from_what_is_not_supported(capsys, tmp_path) -> None:
    path = tmp_path / "root.json"
    root = PrivateSigstore().root(logs=False)
    root["ctlogs"][0]["publicKey"]["keyDetails"] = "PKIX_ML_DSA_65"
    path.write_text(json.dumps(root))
    assert main(["trust", "show", "--trusted-root", str(path)]) == 0
    out = capsys.readouterr().out
    assert "logs of signatures\n  none, so none is asked for\n" in out
    assert "logs of certificates\n  none that is supported\n" in out
    assert "not supported: ct.private.example: keys of the kind PKIX_ML_DSA_65" in out


@pytest.mark.parametrize(("content", "code"), [(b"{}", 2), (None, 3)])
def test_what_is_no_root_is_said(content, code, tmp_path, capsys) -> None:
    path = tmp_path / "root.json"
    if content is not None:
        path.write_bytes(content)
    assert main(["trust", "show", "--trusted-root", str(path)]) in (2, code)
    assert str(path) in capsys.readouterr().err


def test_fetching_without_the_extra_says_what_to_install(tmp_path) -> None:
    # In a process of its own, in which the package cannot be found, wherever it may be installed.
    program = (
        "import sys; sys.modules['sigstore'] = None; from navicert.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "trust", "refresh", "-o", str(tmp_path / "root.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "pip install 'navicert[sigstore]'" in done.stderr
    assert not (tmp_path / "root.json").exists()


def test_signing_without_the_extra_says_what_to_install(tmp_path) -> None:
    (tmp_path / "app").write_bytes(b"x")
    program = (
        "import sys; sys.modules['sigstore'] = None; from navicert.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "sign-keyless", str(tmp_path / "app"), "-o", str(tmp_path / "app.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "pip install 'navicert[sigstore]'" in done.stderr
    assert not (tmp_path / "app.json").exists()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1.evil.example", "http://tuf.example", "ftp://tuf.example", "tuf.example", "file:///etc"]
)
def test_only_addresses_that_cannot_be_listened_to_are_asked(url, capsys, tmp_path) -> None:
    assert main(["trust", "refresh", "--url", url, "-o", str(tmp_path / "root.json")]) == 2
    assert "https://…" in capsys.readouterr().err


def test_the_public_repository_is_believed_by_its_own_root_only(capsys, tmp_path) -> None:
    assert main(["trust", "refresh", "--tuf-root", "root.json", "-o", str(tmp_path / "root.json")]) == 2
    assert "--url" in capsys.readouterr().err
