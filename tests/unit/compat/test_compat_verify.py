"""What `in_toto_verify` and `in-toto-verify` refuse and accept, where upstream is looser or says nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from navicert.compat.shim.in_toto import in_toto_match_products, in_toto_sign, in_toto_verify, runlib, verifylib
from navicert.compat.shim.in_toto.exceptions import (
    LinkNotFoundError,
    RuleVerificationError,
    SignatureVerificationError,
    ThresholdVerificationError,
)
from navicert.compat.shim.in_toto.models._signer import load_public_key_from_file
from navicert.compat.shim.in_toto.models.layout import Inspection, Layout, Step
from navicert.compat.shim.in_toto.models.metadata import Envelope, Metablock, Metadata
from navicert.compat.shim.securesystemslib.exceptions import FormatError
from navicert.compat.shim.securesystemslib.interface import (
    generate_and_write_unencrypted_ed25519_keypair,
    import_ed25519_privatekey_from_file,
    import_ed25519_publickey_from_file,
)
from navicert.compat.shim.securesystemslib.signer import CryptoSigner, SSlibSigner
from navicert.crypto.formats import load_public_key
from navicert.strictjson import canonical


@pytest.fixture
def work(tmp_path, monkeypatch) -> Path:
    """A folder to verify in, with keys of `owner` and `bob`."""
    monkeypatch.chdir(tmp_path)
    for name in ("owner", "bob", "carl"):
        generate_and_write_unencrypted_ed25519_keypair(name)
    return tmp_path


def signer(name: str) -> CryptoSigner:
    return CryptoSigner.from_priv_key_uri(f"file:{name}")


def public(name: str) -> dict[str, Any]:
    return import_ed25519_publickey_from_file(f"{name}.pub")


def owners() -> dict[str, dict[str, Any]]:
    return {key["keyid"]: key for key in [public("owner")]}


def layout(*rules: list[str], **fields: Any) -> Layout:
    key = public("bob")
    step = Step(name="build", pubkeys=[key["keyid"]], expected_products=list(rules), **fields)
    return Layout(keys={key["keyid"]: key}, steps=[step])


def signed(what: Layout, kind: str = "metablock") -> Any:
    document: Any = Metablock(signed=what) if kind == "metablock" else Envelope.from_signable(what)
    document.create_signature(signer("owner"))
    return document


def write_signed(described: dict[str, Any], kind: str) -> None:
    """Write a layout that no model would take, signed as it is."""
    if kind == "dsse":
        document = Envelope(json.dumps(described).encode(), "application/vnd.in-toto+json", {})
        document.create_signature(signer("owner"))
        document.dump("root.layout")
    else:
        made = signer("owner").sign(canonical(described)).to_dict()
        Path("root.layout").write_text(json.dumps({"signatures": [made], "signed": described}))


def build(name: str = "build", by: str = "bob", **more: Any) -> Any:
    Path("out").write_text("x")
    return runlib.in_toto_run(name, [], ["out"], [], signer=signer(by), **more)


def call(main, *arguments: str, monkeypatch) -> int:
    monkeypatch.setattr(sys, "argv", [main.__module__, *arguments])
    with pytest.raises(SystemExit) as leaving:
        main()
    return int(leaving.value.code or 0)


def verify(monkeypatch, *more: str) -> int:
    return call(in_toto_verify.main, "-l", "root.layout", "-k", "owner.pub", *more, monkeypatch=monkeypatch)


@pytest.mark.parametrize("kind", ["metablock", "dsse"])
class TestBothContainers:
    def test_a_chain_passes_and_its_summary_is_returned(self, work, kind):
        build(use_dsse=kind == "dsse")
        summary = verifylib.in_toto_verify(signed(layout(["CREATE", "out"], ["DISALLOW", "*"]), kind), owners())
        assert list(summary.products) == ["out"]

    def test_a_layout_changed_after_it_was_signed_is_refused(self, work, kind):
        build()
        document = signed(layout(["DISALLOW", "*"]), kind)
        if kind == "dsse":
            document.payload = document.payload.replace(b"DISALLOW", b"ALLOW")
        else:
            document.signed.steps[0].expected_products = [["ALLOW", "*"]]
        with pytest.raises(SignatureVerificationError):
            verifylib.in_toto_verify(document, owners())

    def test_a_layout_changed_after_load_is_verified_as_it_is_now(self, work, kind):
        build()
        signed(layout(["ALLOW", "*"]), kind).dump("root.layout")
        document = Metadata.load("root.layout")
        if kind == "dsse":
            document = signed(layout(["DISALLOW", "*"]), kind)
        else:
            document.signed.steps[0].expected_products = [["DISALLOW", "*"]]
            document.signatures.clear()
            document.create_signature(signer("owner"))
        with pytest.raises(RuleVerificationError):
            verifylib.in_toto_verify(document, owners())

    def test_a_layout_without_expiry_is_refused(self, work, kind, monkeypatch, capsys):
        build()
        described = layout(["ALLOW", "*"]).to_dict()
        del described["expires"]
        write_signed(described, kind)
        assert verify(monkeypatch) == 1
        said = capsys.readouterr().err
        assert "expires" in said
        assert "root.layout" in said

    @pytest.mark.parametrize(
        ("change", "word"),
        [
            ({"threshold": 0}, "threshold"),
            ({"threshold": True}, "threshold"),
            ({"threshold": "1"}, "threshold"),
            ({"pubkeys": "00"}, "pubkeys"),
            ({"expected_products": [["ALLOW"]]}, "rule"),
            ({"name": "a/b"}, "name"),
        ],
    )
    def test_a_step_that_upstream_would_take_is_refused_by_name(self, work, kind, change, word, monkeypatch, capsys):
        build()
        described = layout(["ALLOW", "*"]).to_dict()
        described["steps"][0] |= change
        write_signed(described, kind)
        assert verify(monkeypatch) == 1
        said = capsys.readouterr().err
        assert word in said.lower()
        assert f"(step '{change.get('name', 'build')}')" in said

    def test_two_items_of_one_name_are_called_a_duplicate(self, work, kind, monkeypatch, capsys):
        described = layout(["ALLOW", "*"]).to_dict()
        described["steps"] *= 2
        write_signed(described, kind)
        assert verify(monkeypatch) == 1
        assert "duplicate step 'build'" in capsys.readouterr().err


def test_a_signed_extra_field_is_accepted_and_an_unsigned_one_refused(work, monkeypatch):
    build()
    described = layout(["ALLOW", "*"]).to_dict() | {"rootcas": {}, "intermediatecas": {}}
    described["steps"][0]["cert_constraints"] = []
    made = signer("owner").sign(canonical(described)).to_dict()
    Path("root.layout").write_text(json.dumps({"signatures": [made], "signed": described}))
    assert verify(monkeypatch) == 0
    described["more"] = 1
    Path("root.layout").write_text(json.dumps({"signatures": [made], "signed": described}))
    assert verify(monkeypatch) == 1


def test_a_link_renamed_to_another_step_does_not_count(work, monkeypatch, capsys):
    build("other")
    keyid = signer("bob").public_key.keyid[:8]
    Path(f"other.{keyid}.link").rename(f"build.{keyid}.link")
    signed(layout(["ALLOW", "*"])).dump("root.layout")
    assert verify(monkeypatch) == 1
    said = capsys.readouterr().err
    assert f"build.{keyid}.link" in said
    assert "is signed for another step" in said


def test_an_unreadable_link_is_skipped_and_named_where_too_few_remain(work):
    keyid = signer("bob").public_key.keyid[:8]
    Path(f"build.{keyid}.link").write_text('{"signed": {}, "signed": {}}')
    with pytest.raises(LinkNotFoundError, match=r"requires '1' link metadata file.*found '0'.*duplicate key"):
        verifylib.in_toto_verify(signed(layout(["ALLOW", "*"])), owners())


def test_one_key_under_two_ids_counts_once(work):
    key = public("bob")
    twin = {**key, "keyid": "ab" * 32}
    made = layout(["ALLOW", "*"])
    made.keys["ab" * 32] = twin
    made.steps[0].pubkeys.append("ab" * 32)
    made.steps[0].threshold = 2
    build()
    copy = json.loads(Path(f"build.{key['keyid'][:8]}.link").read_text())
    copy["signatures"][0]["keyid"] = "ab" * 32
    Path("build.abababab.link").write_text(json.dumps(copy))
    with pytest.raises(ThresholdVerificationError, match="duplicate"):
        verifylib.in_toto_verify(signed(made), owners())


def test_a_layout_signed_in_one_form_of_id_is_verified_by_the_same_key_in_another(work, monkeypatch):
    build()
    signed(layout(["ALLOW", "*"])).dump("root.layout")
    key = load_public_key_from_file("owner.pub")
    assert "keyid_hash_algorithms" in key
    Path("owner.pem").write_bytes(load_public_key(Path("owner.pub").read_bytes()).public_pem())
    assert load_public_key_from_file("owner.pem")["keyid"] != key["keyid"]
    for name in ("owner.pem", "owner.pub"):
        monkeypatch.setattr(sys, "argv", ["x", "-l", "root.layout", "--verification-keys", name])
        with pytest.raises(SystemExit) as leaving:
            in_toto_verify.main()
        assert leaving.value.code == 0


def test_parameters_are_filled_into_the_layout_itself(work):
    build()
    document = signed(layout(["CREATE", "{what}"], ["DISALLOW", "*"]))
    verifylib.in_toto_verify(document, owners(), substitution_parameters={"what": "out"})
    assert document.signed.steps[0].expected_products[0] == ["CREATE", "out"]


def test_a_parameter_without_a_value_is_a_key_error_and_attributes_are_out_of_reach():
    plain = Layout(steps=[Step(name="a", expected_command=["{missing}"])])
    with pytest.raises(KeyError, match="missing"):
        verifylib.substitute_parameters(plain, {"x": "1"})
    reaching = Layout(inspect=[Inspection(name="a", run=["{x.__class__}"])])
    with pytest.raises(ValueError, match="placeholder"):
        verifylib.substitute_parameters(reaching, {"x": "1"})


def test_legacy_dictionaries_and_uris_sign_with_one_id(work):
    key = import_ed25519_privatekey_from_file("bob")
    assert key["keyid"] == public("bob")["keyid"] == signer("bob").public_key.keyid
    assert SSlibSigner(key).sign(b"x").to_dict() == signer("bob").sign(b"x").to_dict()
    assert CryptoSigner.from_priv_key_uri("file2:bob").public_key.keyid == key["keyid"]
    document = Metablock(signed=Layout())
    document.sign(key)
    document.verify_signature(public("bob"))


def test_too_deep_and_too_large_are_refused_without_a_traceback(work, monkeypatch, capsys):
    Path("root.layout").write_text('{"signed":' + "[" * 10_000 + "]" * 10_000 + "}")
    assert verify(monkeypatch) == 1
    said = capsys.readouterr().err
    assert "nested too deeply" in said
    assert "Traceback" not in said


def test_a_patterns_matches_are_recorded_when_the_shell_left_it(work):
    Path("src").mkdir()
    for name in ("a", ".hidden", "b.pyc"):
        Path("src", name).write_text(name)
    assert list(runlib.record_artifacts_as_dict(["src/*"])) == ["src/a"]
    Path("[x]").write_text("")
    assert list(runlib.record_artifacts_as_dict(["[x]"])) == ["[x]"]


def test_a_folder_that_contains_itself_is_recorded_once(work):
    Path("d").mkdir()
    Path("d/f").write_text("x")
    Path("d/loop").symlink_to("..")
    recorded = runlib.record_artifacts_as_dict(["d"], follow_symlink_dirs=True)
    assert "d/f" in recorded
    assert len(recorded) < 20


def test_output_that_is_no_text_is_recorded_all_the_same(work):
    made = runlib.in_toto_run("build", [], [], [sys.executable, "-c", "import os; os.write(1, bytes([255, 65]))"], True)
    assert made.signed.byproducts["stdout"] == "\ufffdA"


def test_settings_of_the_working_directory_and_the_environment_are_not_looked_at(work, monkeypatch):
    Path(".in_totorc").write_text("[in-toto settings]\nARTIFACT_EXCLUDE_PATTERNS = *\n")
    monkeypatch.setenv("IN_TOTO_ARTIFACT_EXCLUDE_PATTERNS", "*")
    Path("f").write_text("x")
    assert "f" in runlib.record_artifacts_as_dict(["."])


def test_secrets_stay_in_a_link_that_must_equal_upstreams(work, monkeypatch):
    monkeypatch.setenv("API_TOKEN", "hunter2hunter2")
    made = runlib.in_toto_run("build", [], [], ["echo", "hunter2hunter2"], True)
    assert made.signed.command == ["echo", "hunter2hunter2"]
    assert made.signed.byproducts["stdout"] == "hunter2hunter2\n"


class TestMatchProducts:
    def test_reads_an_envelope(self, work, monkeypatch, capsys):
        build(use_dsse=True)
        keyid = signer("bob").public_key.keyid[:8]
        arguments = ("-v", "-l", f"build.{keyid}.link", "-p", "out")
        assert call(in_toto_match_products.main, *arguments, monkeypatch=monkeypatch) == 0
        Path("out").write_text("other")
        assert call(in_toto_match_products.main, *arguments, monkeypatch=monkeypatch) == 1
        assert "Hashes differ: out" in capsys.readouterr().out

    def test_what_goes_wrong_is_2_not_a_difference(self, work, monkeypatch):
        for name in ("none.link", "owner.pub"):
            assert call(in_toto_match_products.main, "-l", name, monkeypatch=monkeypatch) == 2


class TestSign:
    def unsigned(self) -> None:
        described = layout(["ALLOW", "*"]).to_dict()
        del described["expires"]
        Path("root.layout").write_text(json.dumps({"signatures": [], "signed": described}))

    def test_completes_a_layout_without_expiry_and_warns(self, work, monkeypatch, capsys):
        build()
        self.unsigned()
        assert call(in_toto_sign.main, "-f", "root.layout", "-k", "owner", monkeypatch=monkeypatch) == 0
        assert "does not say when it expires" in capsys.readouterr().err
        assert verify(monkeypatch) == 0

    def test_refuses_to_complete_where_signatures_are_kept(self, work, monkeypatch, capsys):
        self.unsigned()
        before = Path("root.layout").read_bytes()
        assert call(in_toto_sign.main, "-f", "root.layout", "-k", "owner", "-a", monkeypatch=monkeypatch) == 2
        assert Path("root.layout").read_bytes() == before

    def test_never_changes_a_byte_of_a_payload(self, work, monkeypatch):
        payload = b'{ "_type" : "layout", "steps": [], "inspect": [], "expires": "2999-01-01T00:00:00Z" }'
        document = Envelope(payload, "application/vnd.in-toto+json", {})
        document.create_signature(signer("bob"))
        document.dump("root.layout")
        assert call(in_toto_sign.main, "-f", "root.layout", "-k", "owner", monkeypatch=monkeypatch) == 0
        assert Metadata.load("root.layout").payload == payload


def test_a_step_name_that_is_no_file_name_is_refused_before_anything_is_written(work):
    for name in ("", "../x", ".x", "a/b", "a\\b"):
        with pytest.raises(FormatError, match="name"):
            build(name)
    assert not list(work.glob("**/*.link"))


@pytest.mark.parametrize(
    "content", ["{}", '{"signed": {"_type": "other"}, "signatures": []}', '{"payload": ""}', "{", "\x00"]
)
def test_what_is_no_layout_is_refused_with_the_name_of_the_file(work, content, monkeypatch, capsys):
    Path("root.layout").write_text(content)
    assert verify(monkeypatch) == 1
    said = capsys.readouterr().err
    assert "root.layout" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("alone", [True, False])
def test_a_rule_that_a_terminal_would_obey_is_shown_as_it_is_written(work, monkeypatch, capsys, alone):
    """Whoever signs a sublayout writes rules; the program says them itself where it is alone."""
    obeyed = "\x1b]0;x\x07\r\x7f\x9b\u202e"
    runlib.in_toto_run("build", [], ["."], [], signer=signer("bob"))
    signed(layout(["REQUIRE", f"{obeyed}a"])).dump("root.layout")
    if alone:
        words = ["in-toto-verify", "-l", "root.layout", "-k", "owner.pub"]
        program = Path(sys.executable).with_name(words[0])
        said = subprocess.run([program, *words[1:]], capture_output=True, text=True, check=False).stderr
    else:
        assert verify(monkeypatch) == 1
        said = capsys.readouterr().err
    assert "REQUIRE \\x1b]0;x\\x07" in said
    assert not set(obeyed) - set("]0;x") & set(said)


def test_a_name_that_a_terminal_would_obey_is_shown_as_it_is_written(work, monkeypatch, capsys):
    Path("\x1b]0;x\x07").write_text("x")
    runlib.in_toto_run("build", [], ["."], [], signer=signer("bob"))
    signed(layout(["DISALLOW", "*"])).dump("root.layout")
    assert verify(monkeypatch, "-v") == 1
    assert not {"\x1b", "\x07"} & set(capsys.readouterr().err)


def test_files_are_found_in_the_order_of_os_walk(work):
    for name in ("d/x/1", "d/y/2", "d/z/w/3", "d/4", "e/5"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name)
    walked = [os.path.normpath(os.path.join(folder, name)) for folder, _, names in os.walk(".") for name in names]
    assert list(runlib.record_artifacts_as_dict(["."])) == walked


def piped(path: str) -> str:
    """The name of a pipe that holds what is in the file."""
    read, write = os.pipe()
    os.write(write, Path(path).read_bytes())
    os.close(write)
    return f"/dev/fd/{read}"


@pytest.mark.parametrize("options", [[], ["-t", "ed25519"]])
@pytest.mark.parametrize(
    ("key", "code", "words"), [("owner.pub", 0, ""), ("carl.pub", 1, "SignatureVerificationError")]
)
def test_the_layout_and_the_key_may_come_through_pipes(work, monkeypatch, capsys, key, code, words, options):
    build()
    signed(layout(["ALLOW", "*"])).dump("root.layout")
    names = [piped("root.layout"), piped(key)]
    try:
        assert call(in_toto_verify.main, "-l", names[0], "-k", names[1], *options, monkeypatch=monkeypatch) == code
    finally:
        for name in names:
            os.close(int(name.rpartition("/")[2]))
    said = capsys.readouterr().err
    assert words in said
    assert (names[1] in said) == bool(code)
