"""The images that a Dockerfile builds on, read as builders read it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navicert.errors import Malformed
from navicert.resolve.dockerfile import Origins, origins, read_dockerfile


def of(text: str, stage: str = "", **arguments: str) -> Origins:
    return origins(read_dockerfile(text.encode(), arguments, "Dockerfile"), stage, "Dockerfile")


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("FROM alpine", "alpine"),
        ("from alpine:3.19 as Build\n", "alpine:3.19"),
        ("FROM --platform=$BUILDPLATFORM alpine AS a", "alpine"),
        (
            "\ufeff# syntax=docker/dockerfile:1\n\n# a comment\n  FROM \\\n  # another\n\n  alpine:3.19\r\nRUN x",
            "alpine:3.19",
        ),
        ("FROM\\\n alpine", "alpine"),
        ("FROM\talpine\n", "alpine"),
        ("FROM reg.example:5000/a/b@sha256:ab", "reg.example:5000/a/b@sha256:ab"),
        ("FROM scratch", None),
        ("FROM golang AS build\nFROM scratch\nCOPY --from=build /a /a", None),
        ("FROM alpine AS base\nFROM BASE as two\nFROM two", "alpine"),
        ("FROM alpine AS a\nFROM debian AS a\nFROM a", "debian"),
        ("FROM alpine\nFROM 0", "0"),  # FROM takes no numbers: builders look for an image called 0
        ("ARG V=3.19\nFROM alpine:$V", "alpine:3.19"),
        ("ARG V=3.19\nFROM alpine:${V}", "alpine:3.19"),
        ('ARG V="3.19"\nARG I=alpine:${V}\nFROM ${I}', "alpine:3.19"),
        ("FROM alpine:${V:-edge}", "alpine:edge"),
        ("FROM alpine:${V-edge}", "alpine:edge"),
        ("ARG V=\nFROM alpine:${V:-edge}", "alpine:edge"),
        ("ARG V=\nFROM alpine${V-:edge}", "alpine"),
        ("ARG D=1\nFROM alpine${D:+:debug}", "alpine:debug"),
        ("FROM alpine${D:+:debug}", "alpine"),
        ("# escape=`\nFROM `\nalpine\nRUN dir c:\\\nFROM windows", "windows"),
        ("# a comment\n# escape=`\nFROM \\\nalpine", "alpine"),  # too late to be a directive
        ("FROM alpine\nARG V=1\nRUN echo FROM debian", "alpine"),
    ],
)
def test_what_lies_below_the_last_stage(text: str, base: str | None) -> None:
    assert of(text).base == base


@pytest.mark.parametrize(
    "text",
    [
        "FROM alpine\nRUN <<EOF\nFROM evil\nEOF\n",
        "FROM alpine\nRUN cat <<'EOF' > a\nFROM evil\nEOF",
        'FROM alpine\nCOPY <<-"A" <<B /x/\n\tFROM evil\n\tA\nFROM evil\nB\n',
        "FROM alpine\nRUN x \\\nFROM evil",
        "FROM alpine\nRUN x \\\n\n# FROM evil\n  FROM evil",
    ],
)
def test_what_only_looks_like_a_from_line_is_none(text: str) -> None:
    assert of(text).base == "alpine"


def test_a_shift_is_no_here_document() -> None:
    assert of('FROM alpine\nRUN echo $((1 << 2)) "a <<B" && x <<< y\nFROM debian').base == "debian"


def test_a_given_argument_goes_before_the_default() -> None:
    assert of("ARG V=1\nFROM a:$V", V="2").base == "a:2"
    assert of("ARG V\nFROM a:$V", V="2").base == "a:2"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "without FROM"),
        ("RUN x", "without FROM"),
        ("ARG V=1", "without FROM"),
        ("FROM", "not a FROM line"),
        ("FROM a b", "not a FROM line"),
        ("FROM a AS", "not a FROM line"),
        ("FROM a AS 1x", "not the name of a stage"),
        ("FROM $V", "variable V has no value"),
        ("ARG V\nFROM $V", "variable V has no value"),
        ("FROM alpine\nARG V=1\nFROM a:$V", "variable V has no value"),  # set in a stage, so for that stage only
        ("ARG V=\nFROM ${V}", "names no image"),
        ("FROM ${V", "not a variable"),
        ("FROM ${V#x}", "not a variable"),
        ("FROM a:$", "not a variable"),
        ("ARG V=1\nFROM a:${W:-$V}", "not a variable that can be told"),
        ("ARG 1=2\nFROM a", "not the name of an ARG"),
        ("# escape=x\nFROM a", "not an escape character"),
        ("FROM a\nRUN <<EOF\nFROM b", "without an end"),
        ("FROM a\nCOPY --from=$X /a /a", "a variable where builders expand none"),
        ("FROM \xff", "not UTF-8"),
    ],
)
def test_what_cannot_be_told_is_refused_and_never_guessed(text: str, what: str) -> None:
    raw = text.encode("latin-1") if "\xff" in text else text.encode()
    with pytest.raises(Malformed, match=what) as caught:
        read_dockerfile(raw, {}, "Dockerfile")
    assert caught.value.path.startswith("Dockerfile")


def test_an_argument_that_nothing_asks_for_is_a_mistake() -> None:
    with pytest.raises(Malformed, match="no ARG before the first FROM"):
        of("ARG V=1\nFROM a:$V", W="2")


@pytest.mark.parametrize("nothing", ["\\", " \\", "\x0b\\", "\xa0", " \\\n# no\n\t\\"])
def test_a_line_that_goes_on_and_says_nothing_is_no_crash(nothing: str) -> None:
    with pytest.raises(Malformed, match="without FROM"):
        of(nothing)
    assert of(f"FROM a\n{nothing}").base == "a"


def test_the_line_is_named() -> None:
    with pytest.raises(Malformed) as caught:
        of("# one\nFROM a\n\nRUN x \\\n  y\nFROM $V")
    assert caught.value.path == "Dockerfile:6"


STAGES = """
ARG GO=1.22
FROM golang:${GO} AS build
RUN --mount=type=bind,from=tools:1,source=/x,target=/x --mount=type=cache,target=/y make
FROM unused AS spare
FROM debian AS run
COPY --from=build /a /a
COPY --chown=1 --from=licences:2 /l /l
COPY --from=0 /b /b
FROM run AS debug
COPY --from=busybox /bin /bin
"""


def test_everything_that_a_stage_needs_counts_and_nothing_else() -> None:
    assert of(STAGES, "run") == Origins("debian", ("golang:1.22", "licences:2", "tools:1"))
    assert of(STAGES) == Origins("debian", ("busybox", "golang:1.22", "licences:2", "tools:1"), True)
    assert of(STAGES, "0") == of(STAGES, "BUILD") == Origins("golang:1.22", ("tools:1",))


def test_a_base_that_is_copied_from_too_is_named_once() -> None:
    assert of("FROM a\nFROM a\nCOPY --from=a /x /x\nCOPY --from=0 /y /y") == Origins("a", ())


def test_a_later_stage_is_no_stage_yet() -> None:
    assert of("FROM a\nCOPY --from=later /x /x\nFROM b AS later", "0") == Origins("a", ("later",))


def test_a_stage_that_is_not_there_is_refused() -> None:
    with pytest.raises(Malformed, match="no such stage"):
        of(STAGES, "other")


@given(st.text(alphabet=st.sampled_from("FROM scratch AS$ {}:-\\\n#<EOF'\"=`\tRUN")))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    with suppress(Malformed):
        origins(read_dockerfile(text.encode(), {}, "Dockerfile"), "", "Dockerfile")


def test_a_very_large_file_takes_no_quadratic_time() -> None:
    raw = b"FROM a\n" + b"RUN " + b"x \\\n" * 200_000 + b"y\n"
    assert len(read_dockerfile(raw, {}, "Dockerfile")) == 1
    with pytest.raises(Malformed, match="manifest_bytes"):
        read_dockerfile(raw * 10, {}, "Dockerfile")
