"""YAML that was written to do something to whoever reads it: refused at once, in one line, with nothing built."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest

from navicert.authoring.policy import read_policy
from navicert.errors import LimitExceeded, Malformed
from navicert.timestamp import parse_timestamp

AT = parse_timestamp("2027-03-01T00:00:00Z")


def read(raw, path="layout.yaml"):
    def no_key(file):
        raise AssertionError(f"a hostile file made us read {file}")

    return read_policy(raw if isinstance(raw, bytes) else raw.encode(), no_key, AT, path=path)


def refused(raw, path="layout.yaml"):
    with pytest.raises(Malformed) as caught:
        read(raw, path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000
    return caught.value


def test_billion_laughs():
    lines = ['a0: &a0 ["ha"]']
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    assert "anchors and aliases are not read" in str(refused("\n".join(lines)))


def test_quadratic_blowup():
    text = f"a: &a {'x' * 200_000}\nb: [{', '.join(['*a'] * 50_000)}]"
    assert "anchors and aliases are not read" in str(refused(text))


def test_a_document_that_contains_itself():
    assert "anchors and aliases are not read" in str(refused("&a [*a]"))
    assert "anchors and aliases are not read" in str(refused("steps: &a\n  - *a\n"))


def test_merge_keys_bring_nothing_in():
    assert "anchors and aliases" in str(refused("x: &x {name: a}\nsteps:\n  - <<: *x\n"))
    assert 'no field "<<"' in str(refused("<<: {name: a}"))


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system",
        "!!python/object/new:os.system",
        "!!python/name:os.system",
        "!!python/module:os",
        "!<tag:yaml.org,2002:python/object/apply:os.system>",
        "!!binary",
        "!!timestamp",
        "!!int",
        "!local",
    ],
)
def test_tags_build_nothing(tag, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for text in (f"name: {tag} ['touch owned']", f'name: {tag} "touch owned"', f"{tag} {{name: x}}"):
        assert "tags are not read" in str(refused(text))
    assert not os.listdir(tmp_path)


def test_a_tag_handle_of_ones_own_builds_nothing():
    refused("%TAG !p! tag:yaml.org,2002:python/\n---\nname: !p!name:os.system ''\n")


@pytest.mark.parametrize("opening", ["[", "{", "- ", "? ", "[{a: ", "a:\n- "])
@pytest.mark.parametrize("depth", [100, 10_000])
def test_ten_thousand_deep(opening, depth):
    if opening == "a:\n- ":
        text = "".join(f"{'  ' * i}a:\n{'  ' * i}-\n" for i in range(min(depth, 600)))
    else:
        text = opening * depth
    refused(text)


def test_ten_thousand_deep_as_json():
    refused('{"steps": ' + "[" * 10_000 + "]" * 10_000 + "}", "layout.json")


@pytest.mark.parametrize("number", ["9" * 100_000, "0x" + "f" * 100_000, "1" + ":59" * 50_000, "1e999999", "-1", "1_0"])
def test_huge_and_odd_numbers_are_neither_computed_nor_guessed(number):
    refused(f"version: {number}")
    refused(f"functionaries: {{a: b}}\nsteps: [{{name: a, by: a, threshold: {number}}}]")


def test_huge_numbers_as_json():
    refused('{"version": ' + "9" * 100_000 + "}", "layout.json")
    refused('{"version": 1e400}', "layout.json")


def test_a_doubled_field_does_not_win_over_the_first_one():
    assert "threshold" in str(refused("functionaries: {a: b}\nsteps: [{name: s, by: a, threshold: 2, threshold: 1}]"))
    assert "written twice" in str(refused('functionaries: {"a": x, a: y}'))
    assert "written twice" in str(refused('functionaries: {"a": x, "\\x61": y}'))
    refused('{"version": 2, "version": 1}', "layout.json")


def test_a_second_document_does_not_hide_behind_the_first():
    assert "more than one document" in str(refused("name: a\n---\nname: b\n"))


def test_a_large_file_is_not_even_parsed():
    with pytest.raises(LimitExceeded, match="limit yaml_bytes"):
        read(b"# " + b"x" * 2**21)


@pytest.mark.parametrize(
    "text",
    [
        "[" + "a," * 200_000,
        "{" + "a: b, " * 80_000,
        '"' + "\\x41" * 120_000,
        "a: " + "b " * 250_000,
        "a:\n" + "\n" * 500_000,
        "- " * 250_000,
        "x" * 500_000 + ": 1",
        "? " * 250_000,
        "- a\n" * 125_000,
        "&a " * 150_000,
        "'" * 500_000,
        "%" * 500_000,
        "|" + "\n x" * 150_000,
        ": " * 250_000,
    ],
    ids=lambda text: text[:8],
)
def test_what_is_slow_to_parse_ends_within_seconds_and_little_memory(text, tmp_path):
    (tmp_path / "layout.yaml").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "navicert", "layout", "lint", "layout.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30)),
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert "internal error" not in done.stderr


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfea\0",
        b"a: \xc3",
        b"name: \0",
        b"\x00",
        "\ud800".encode("utf-16-le", "surrogatepass"),
        b"\xef\xbb\xbf\xef\xbb\xbf[",
    ],
)
def test_other_encodings_and_broken_bytes(raw):
    refused(raw)


def test_a_readme_cannot_bring_its_own_version_line():
    forged = 'x\nnavicert: {"name": "my-app", "version": 99, "persons": {}}'
    message = str(refused(f"readme: |\n  {forged}\n".replace("\nnavicert", "\n  navicert")))
    assert 'the last line of the readme begins with "navicert:"' in message


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a/../b", ".hidden", "a\\b", "a\0b", "", "a" * 300]
)
def test_names_that_would_leave_their_folder(name):
    import json

    step = {"name": name, "by": "a"}
    refused(json.dumps({"functionaries": {"a": "b"}, "steps": [step]}), "layout.json")
