"""`navicert layout init | lint | sign | show`, as they are typed."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest

from navicert.cli.main import main
from navicert.crypto.formats import load_public_key, load_signer
from navicert.envelope.document import open_document, peek, seal
from navicert.model.link import Link
from navicert.model.release import Release

AT = ("--at", "2027-03-01T00:00:00Z")


@pytest.fixture
def folder(tmp_path, monkeypatch, capsys):
    """The current directory, with the keys of an owner, a builder and a scanner."""
    monkeypatch.chdir(tmp_path)
    for name in ("owner", "builder", "scanner"):
        assert main(["keygen", f"keys/{name}"]) == 0
    capsys.readouterr()
    return tmp_path


def layout(*words):
    return main(["layout", *words])


def program(*words):
    """The standard output of the program in a process of its own."""
    command = [sys.executable, "-m", "navicert", "layout", *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def document(path):
    return peek(open_document(path.read_bytes())).body


# --- init ----------------------------------------------------------------------------------------------------------


def test_a_first_layout_is_written_that_lint_has_nothing_to_say_about(folder, capsys):
    assert layout("init") == 0
    assert capsys.readouterr().out.startswith("layout.yaml: written")
    assert layout("lint", "layout.yaml", "--strict") == 0
    assert capsys.readouterr().out == "layout.yaml: nothing to say\n"


def test_steps_persons_and_name_can_be_chosen(folder):
    words = "--name app --step a --step b --functionary x=keys/builder.pub --functionary x=keys/owner.pub".split()
    assert layout("init", "policy.yaml", *words, "--functionary", "y=keys/scanner.pub") == 0
    assert layout("sign", "policy.yaml", "-k", "keys/owner", "-o", "root.layout") == 0
    made = document(folder / "root.layout")
    assert [step.name for step in made.steps] == ["a", "b"]
    assert [len(step.pubkeys) for step in made.steps] == [2, 1]
    assert list(Release.of(made.readme).persons) == ["x", "y"]


@pytest.mark.parametrize("steps", [("a",), ("a", "b"), ("a", "b", "c", "d")])
def test_a_first_policy_requires_an_attestation(folder, capsys, steps):
    words = [word for step in steps for word in ("--step", step)]
    assert layout("init", "policy.yaml", "--policy", *words) == 0
    assert layout("lint", "policy.yaml") == 0
    assert layout("sign", "policy.yaml", "-k", "keys/owner", "-o", "root.layout") == 0
    made = document(folder / "root.layout")
    assert made.terms is not None
    (tests,) = [step for step in made.steps if step.predicate is not None]
    assert tests.name == f"{steps[max(0, len(steps) - 2)]}/tests"
    assert layout("show", "root.layout") == 0
    assert "attested by" in capsys.readouterr().out


def test_an_existing_file_is_only_replaced_with_force(folder, capsys):
    (folder / "layout.yaml").write_text("mine")
    assert layout("init") == 2
    assert "layout.yaml: already exists" in capsys.readouterr().err
    assert (folder / "layout.yaml").read_text() == "mine"
    assert layout("init", "--force") == 0
    assert (folder / "layout.yaml").read_text() != "mine"


def test_a_dash_writes_to_standard_output(folder):
    assert program("init", "-").endswith(b"DISALLOW report.json\n")


@pytest.mark.parametrize(
    "words",
    [["--functionary", "alice"], ["--functionary", "=a"], ["--functionary", "a="], ["--step", "a/b"], ["--step", ""],
     ["--step", "a", "--step", "a"], ["--name"], ["a", "b"]],
)  # fmt: skip
def test_wrong_words_are_exit_code_2_and_nothing_is_written(folder, words, capsys):
    assert layout("init", *words) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (folder / "layout.yaml").exists()


# --- lint ----------------------------------------------------------------------------------------------------------


def broken(folder, old, new):
    """The first layout with one thing changed."""
    layout("init", "--force")
    text = (folder / "layout.yaml").read_text()
    assert old in text
    (folder / "layout.yaml").write_text(text.replace(old, new, 1))


def test_an_error_is_exit_code_1_and_is_printed_with_its_line_and_id(folder, capsys):
    broken(folder, "FROM checkout", "FROM chekout")
    capsys.readouterr()
    assert layout("lint", "layout.yaml") == 1
    out = capsys.readouterr().out
    assert out == (
        'layout.yaml:36: error: step "build", materials rule 1 (MATCH * WITH PRODUCTS FROM chekout): there is no step '
        '"chekout", so it never matches – did you mean "checkout"? [match.unknown-step]\n'
        "layout.yaml: 1 error\n"
    )


def test_a_warning_is_exit_code_1_only_where_it_is_strict(folder, capsys):
    broken(folder, "expires: 6 months", "expires: 2 years")
    assert layout("lint", "layout.yaml") == 0
    assert "[expiry.far]\nlayout.yaml: 1 warning\n" in capsys.readouterr().out
    assert layout("lint", "layout.yaml", "--strict") == 1


def test_a_note_never_changes_the_exit_code(folder, capsys):
    assert layout("init", "--step", "a", "--step", "b", "--functionary", "x=keys/builder.pub") == 0
    assert layout("lint", "layout.yaml", "--strict") == 0
    assert capsys.readouterr().out.endswith("[functionary.single]\nlayout.yaml: 1 note\n")


def test_findings_can_be_had_as_json(folder, capsys):
    broken(folder, "FROM checkout", "FROM chekout")
    capsys.readouterr()
    assert layout("lint", "layout.yaml", "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["type"], report["file"]) == ("navicert-lint/v1", "layout.yaml")
    assert report["counts"] == {"error": 1, "warning": 0, "info": 0}
    (finding,) = report["findings"]
    assert finding["id"] == "match.unknown-step"
    assert (finding["line"], finding["pointer"]) == (36, "/steps/1/expected_materials/0")


def test_a_missing_expiry_is_a_finding_in_every_form(folder, capsys):
    broken(folder, "expires: 6 months", "")
    assert layout("lint", "layout.yaml") == 1
    assert "[expiry.missing]" in capsys.readouterr().out
    (folder / "plain.json").write_text('{"_type": "layout", "steps": [], "inspect": []}')
    assert layout("lint", "plain.json") == 1
    assert "[expiry.missing]" in capsys.readouterr().out
    signed = {"signed": {"_type": "layout", "steps": [], "inspect": []}, "signatures": []}
    (folder / "signed.json").write_text(json.dumps(signed))
    assert layout("lint", "signed.json") == 1
    assert "[expiry.missing]" in capsys.readouterr().out


def test_expiry_is_judged_for_the_moment_that_is_given(folder, capsys):
    broken(folder, "expires: 6 months", "expires: 2030-01-01")
    assert layout("lint", "layout.yaml", "--at", "2029-12-31T00:00:00Z") == 0
    assert layout("lint", "layout.yaml", "--at", "2030-01-01T00:00:00Z") == 1
    assert layout("lint", "layout.yaml", "--at", "today") == 2


def test_key_files_are_found_beside_the_layout_and_not_in_the_current_directory(folder, monkeypatch):
    layout("init")
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    assert layout("lint", "../layout.yaml") == 0
    assert layout("lint", str(folder / "layout.yaml")) == 0


def test_key_files_may_be_named_from_the_root(folder):
    broken(folder, "keys/builder.pub", str(folder / "keys" / "builder.pub"))
    assert layout("lint", "layout.yaml") == 0


def test_a_missing_key_file_is_exit_code_2_with_whose_it_is(folder, capsys):
    broken(folder, "keys/builder.pub", "keys/nobody.pub")
    capsys.readouterr()
    assert layout("lint", "layout.yaml") == 2
    error = capsys.readouterr().err
    assert error.startswith('navicert: keys/nobody.pub: no such key file, the key of "builder" in layout.yaml:14')
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("env:HOME", "no such key file"),
        ("file:keys/builder.pub", "no such key file"),
        ("pkcs11:token", "a layout names key files, not keys that are kept elsewhere"),
    ],
)
def test_a_key_named_by_a_layout_is_only_ever_a_file(folder, name, problem, capsys, monkeypatch):
    monkeypatch.setenv("HOME", (folder / "keys" / "builder.pub").read_text())
    broken(folder, "keys/builder.pub", name)
    assert layout("lint", "layout.yaml") == 2
    assert f"{name}: {problem}" in capsys.readouterr().err


def test_a_private_key_named_by_a_layout_is_refused(folder, capsys):
    broken(folder, "keys/builder.pub", "keys/builder")
    assert layout("lint", "layout.yaml") == 2
    assert 'a private key where a public one belongs, the key of "builder"' in capsys.readouterr().err


def test_standard_input_is_read_for_a_dash(folder, monkeypatch, capsys):
    layout("init")
    raw = (folder / "layout.yaml").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    assert layout("lint", "-") == 0


@pytest.mark.parametrize("path", ["nowhere.yaml", "keys", "keys/owner.pub/x"])
def test_a_path_that_leads_to_no_file_is_exit_code_2(folder, path, capsys):
    for command in (["lint"], ["show"], ["sign", "-k", "keys/owner", "-o", "x"]):
        assert layout(command[0], path, *command[1:]) == 2
        assert path.split("/x")[0] in capsys.readouterr().err


def test_a_built_in_inspection_is_checked_by_the_code_that_runs_it(folder, capsys):
    layout("init")
    inspection = "inspections: [{name: look, run: navicert inspect json-none r.json, materials: [DISALLOW *]}]\n"
    with open("layout.yaml", "a") as stream:
        stream.write(inspection)
    assert layout("lint", "layout.yaml") == 1
    assert "needs --path and at least one --value" in capsys.readouterr().out
    text = (folder / "layout.yaml").read_text()
    (folder / "layout.yaml").write_text(text.replace("r.json,", "r.json --path a.b --value c,"))
    assert layout("lint", "layout.yaml") == 0


def test_names_cannot_write_on_the_terminal(folder, capsys):
    broken(folder, "CREATE *", '"CREATE ./\\e[2K\\u202e*"')
    assert layout("lint", "layout.yaml") == 1
    out = capsys.readouterr().out
    assert "\\x1b[2K\\u202e" in out
    assert "\x1b" not in out
    assert "\u202e" not in out


# --- sign ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("words", "form"), [([], "dsse"), (["--dsse"], "dsse"), (["--metablock"], "metablock")])
def test_a_signed_layout_verifies_with_the_owners_key(folder, words, form, capsys):
    layout("init")
    assert layout("sign", "layout.yaml", "-k", "keys/owner", "-o", "root.layout", *words) == 0
    owner = load_public_key((folder / "keys/owner.pub").read_bytes())
    assert f"root.layout: signed by {owner.id}\n" in capsys.readouterr().out
    sealed = open_document((folder / "root.layout").read_bytes())
    assert sealed.form == form
    assert sealed.verified_by([owner]) is not None
    release = Release.of(document(folder / "root.layout").readme)
    assert (release.name, release.version) == ("my-app", 1)


def test_the_same_file_signed_at_the_same_moment_is_the_same_to_the_byte(folder):
    layout("init")
    for out in ("a", "b"):
        assert layout("sign", "layout.yaml", "-k", "keys/owner", "-o", out, *AT) == 0
    assert (folder / "a").read_bytes() == (folder / "b").read_bytes()
    assert document(folder / "a").expires.isoformat() == "2027-09-01T00:00:00+00:00"


def test_several_owners_can_sign(folder):
    layout("init")
    assert layout("sign", "layout.yaml", "-k", "keys/owner", "-k", "keys/scanner", "-o", "root.layout") == 0
    assert len(open_document((folder / "root.layout").read_bytes()).signatures) == 2


def test_a_layout_is_only_replaced_with_force(folder, capsys):
    layout("init")
    (folder / "root.layout").write_text("old")
    words = ("sign", "layout.yaml", "-k", "keys/owner", "-o", "root.layout")
    assert layout(*words) == 2
    assert (folder / "root.layout").read_text() == "old"
    assert layout(*words, "--force") == 0


def test_where_to_write_has_to_be_said(folder, capsys):
    layout("init")
    assert layout("sign", "layout.yaml", "-k", "keys/owner") == 2
    assert "such as -o root.layout" in capsys.readouterr().err


def test_a_signed_layout_goes_to_standard_output_alone(folder):
    layout("init")
    assert open_document(program("sign", "layout.yaml", "-k", "keys/owner", "-o", "-")).form == "dsse"


def test_what_lint_calls_an_error_stops_signing_and_nothing_is_written(folder, capsys):
    broken(folder, "FROM checkout", "FROM chekout")
    words = ("sign", "layout.yaml", "-k", "keys/owner", "-o", "root.layout")
    assert layout(*words) == 2
    error = capsys.readouterr().err
    assert "[match.unknown-step]" in error
    assert "not signed: lint found 1 error – correct them, or sign in spite of them" in error
    assert sorted(os.listdir(folder)) == ["keys", "layout.yaml"]
    assert layout(*words, "--allow-lint-errors") == 0


def test_warnings_are_shown_and_do_not_stop_signing(folder, capsys):
    broken(folder, "expires: 6 months", "expires: 2 years")
    assert layout("sign", "layout.yaml", "-k", "keys/owner", "-o", "root.layout") == 0
    assert "[expiry.far]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("expires: 6 months", "", "says nothing about when it expires"),
        ("keys/scanner.pub", "keys/builder.pub", "belongs to two persons"),
    ],
)
def test_what_no_layout_may_be_is_not_signed_even_if_lint_errors_are_allowed(folder, old, new, what, capsys):
    broken(folder, old, new)
    assert layout("sign", "layout.yaml", "-k", "keys/owner", "-o", "root.layout", "--allow-lint-errors") == 2
    assert what in capsys.readouterr().err
    assert not (folder / "root.layout").exists()


def test_a_malformed_file_is_one_line_and_nothing_is_written(folder, capsys):
    broken(folder, "version: 1", "version: one")
    capsys.readouterr()
    assert layout("sign", "layout.yaml", "-k", "keys/owner", "-o", "root.layout") == 2
    assert capsys.readouterr().err == (
        "navicert: layout.yaml:8: /version: not a whole number (expected a number from 1, got 'one')\n"
    )
    assert not (folder / "root.layout").exists()


def test_signing_again_replaces_the_signatures_and_keeps_what_is_signed_to_the_byte(folder):
    layout("init")
    layout("sign", "layout.yaml", "-k", "keys/owner", "-o", "root.layout")
    before = json.loads((folder / "root.layout").read_bytes())
    assert layout("sign", "root.layout", "-k", "keys/scanner") == 0
    after = json.loads((folder / "root.layout").read_bytes())
    assert after["payload"] == before["payload"]
    scanner = load_public_key((folder / "keys/scanner.pub").read_bytes())
    assert [entry["keyid"] for entry in after["signatures"]] == [scanner.id]


def test_a_signed_layout_can_change_its_form(folder):
    layout("init")
    layout("sign", "layout.yaml", "-k", "keys/owner", "-o", "a")
    assert layout("sign", "a", "-k", "keys/owner", "-o", "b", "--metablock") == 0
    assert layout("sign", "b", "-k", "keys/owner", "-o", "c", "--dsse") == 0
    assert document(folder / "a") == document(folder / "b") == document(folder / "c")
    assert open_document((folder / "b").read_bytes()).form == "metablock"


def test_an_unsigned_document_of_another_program_is_signed(folder):
    layout("init")
    layout("sign", "layout.yaml", "-k", "keys/owner", "-o", "a")
    (folder / "plain.json").write_text(json.dumps(document(folder / "a").to_json()))
    assert layout("sign", "plain.json", "-k", "keys/owner", "-o", "b") == 0
    assert (folder / "a").read_bytes() == (folder / "b").read_bytes()


def test_a_link_is_not_signed_as_a_layout(folder, capsys):
    (folder / "a.link").write_text(json.dumps(Link("a").to_json()))
    assert layout("sign", "a.link", "-k", "keys/owner", "-o", "b") == 2
    assert "a.link: /_type: not a layout" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["modern", "legacy", "go"])
def test_the_ids_of_keys_and_signature_can_be_those_of_older_programs(folder, form):
    main(["keygen", "keys/ec", "--type", "ecdsa"])
    layout("init", "--functionary", "x=keys/ec.pub", "--step", "a")
    assert layout("sign", "layout.yaml", "-k", "keys/ec", "-o", "root.layout", "--key-ids", form) == 0
    key = load_public_key((folder / "keys/ec.pub").read_bytes())
    sealed = open_document((folder / "root.layout").read_bytes())
    assert list(document(folder / "root.layout").keys) == [key.id_of(form)]
    assert sealed.signatures[0].keyid == key.id_of(form)


def test_legacy_key_files_are_listed_under_their_legacy_ids(folder):
    main(["keygen", "keys/old", "--legacy"])
    layout("init", "--functionary", "x=keys/old.pub", "--step", "a")
    layout("sign", "layout.yaml", "-k", "keys/old", "-o", "root.layout")
    key = load_public_key((folder / "keys/old.pub").read_bytes())
    assert list(document(folder / "root.layout").keys) == [key.legacy_id]


def test_an_encrypted_key_is_unlocked_with_its_password(folder, monkeypatch):
    monkeypatch.setenv("SECRET", "pass word")
    main(["keygen", "keys/locked", "--password-env", "SECRET"])
    layout("init")
    words = ("sign", "layout.yaml", "-k", "keys/locked", "-o", "root.layout", "--password-env", "SECRET")
    assert layout(*words) == 0
    monkeypatch.setenv("SECRET", "other")
    assert layout(*words, "--force") == 2


def test_signing_can_report_json(folder, capsys):
    broken(folder, "expires: 6 months", "expires: 2 years")
    capsys.readouterr()
    assert layout("sign", "layout.yaml", "-k", "keys/owner", "-o", "root.layout", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["file"], report["form"]) == ("root.layout", "dsse")
    assert [finding["id"] for finding in report["findings"]] == ["expiry.far"]


# --- show ----------------------------------------------------------------------------------------------------------


def test_yaml_is_shown_as_the_layout_that_it_becomes(folder, capsys):
    layout("init")
    capsys.readouterr()
    assert layout("show", "layout.yaml", *AT) == 0
    out = capsys.readouterr().out
    assert out.startswith("layout.yaml: layout, not signed")
    assert "expires      2027-09-01T00:00:00Z (in 184 days)" in out
    assert "performed by 1 of: builder (" in out


@pytest.mark.parametrize("form", ["--dsse", "--metablock"])
def test_a_signed_layout_is_shown_with_what_is_known_of_its_signatures(folder, form, capsys):
    layout("init")
    layout("sign", "layout.yaml", "-k", "keys/owner", "-k", "keys/scanner", "-o", "root.layout", form)
    capsys.readouterr()
    assert layout("show", "root.layout", "--all") == 0
    assert capsys.readouterr().out.count("not checked") == 2
    assert layout("show", "root.layout", "--all", "--key", "keys/owner.pub") == 0
    out = capsys.readouterr().out
    assert out.count("valid: keys/owner.pub") == 1
    assert out.count("NOT valid with any key given") == 1


def test_a_layout_can_be_shown_as_json(folder, capsys):
    layout("init")
    capsys.readouterr()
    assert layout("show", "layout.yaml", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["kind"], report["form"]) == ("layout", "unsigned")
    assert report["body"]["_type"] == "layout"


def test_only_layouts_are_shown(folder, capsys):
    layout("init")
    owner = load_signer((folder / "keys/owner").read_bytes())
    (folder / "a.link").write_bytes(seal(Link("a"), owner))
    assert layout("show", "a.link") == 2
    assert "not a layout" in capsys.readouterr().err


def test_checking_very_many_signatures_is_refused(folder, capsys):
    layout("init")
    layout("sign", "layout.yaml", "-k", "keys/owner", "-o", "root.layout")
    envelope = json.loads((folder / "root.layout").read_bytes())
    envelope["signatures"] = envelope["signatures"] * 200
    (folder / "many").write_text(json.dumps(envelope))
    assert layout("show", "many", *["--key", "keys/owner.pub"] * 30) == 2
    assert "limit signature_attempts" in capsys.readouterr().err


# --- the group -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["init", "lint", "sign", "show"])
def test_help_fits_a_screen_and_ends_with_an_example_that_is_understood(folder, command, capsys):
    assert layout(command, "--help") == 0
    out = capsys.readouterr().out
    assert out.count("\n") <= 45
    assert max(map(len, out.splitlines())) <= 90
    example = out.rstrip().splitlines()[-1].split()
    assert example[:3] == ["navicert", "layout", command]


def test_without_a_command_the_group_explains_itself(capsys):
    assert main(["layout"]) == 2
    assert "init" in capsys.readouterr().out
    assert main(["layout", "sing"]) == 2
    assert "did you mean sign?" in capsys.readouterr().err
