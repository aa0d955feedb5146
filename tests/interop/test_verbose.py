"""`in-toto-verify -v` beside that of in-toto 3.1.0: the stages of sublayouts too, and every link that is skipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.interop.program import (
    BEFORE,
    BOB,
    CARL,
    LATER,
    VERIFY,
    Ran,
    both,
    expect_same_verdict,
    inspection,
    layout,
    link,
    step,
    write,
)  # fmt: skip

from navicert.envelope.document import seal
from navicert.model.layout import Layout
from navicert.model.link import Link

TELL = [*VERIFY, "-v"]
BUILD = step("build", ["ALLOW src/*", "DISALLOW *"], ["CREATE app", "DISALLOW *"])
PACK = step("pack", ["MATCH app WITH PRODUCTS FROM build", "DISALLOW *"], ["CREATE pkg", "DISALLOW *"], by=(CARL,))
BUILT, PACKED = link("build", {"src/a": "a"}, {"app": "b"}), link("pack", {"app": "b"}, {"pkg": "c"})
STEPS, LINKS = [BUILD, PACK], [(BUILT, BOB), (PACKED, CARL)]
ALL = step("all", products=["ALLOW pkg", "DISALLOW *"])
TWO = step("all", by=(BOB, CARL), threshold=2)
ALIKE, OTHER = (link("all", {"src/a": "a"}, {"pkg": letter}) for letter in "cd")


def look(name: str, *command: str, **rules: list[str]) -> dict[str, object]:
    return {**inspection(*command, **rules), "name": name}


TOP, BELOW = look("top", "true"), look("below", "true", materials=["ALLOW *"])
SUBLAYOUTS: dict[str, tuple[Any, ...]] = {
    "passes": (layout([ALL]), layout(STEPS), LINKS, []),
    "after another step": (layout([step("first"), ALL]), layout(STEPS), LINKS, [(link("first"), BOB)]),
    "inspections in both": (layout([ALL], [TOP]), layout(STEPS, [BELOW, look("more", "true")]), LINKS, []),
    "its inspection fails": (layout([ALL], [TOP]), layout(STEPS, [look("below", "false")]), LINKS, []),
    "its inspection's rules": (
        layout([ALL], [TOP]), layout(STEPS, [look("below", "true", materials=["DISALLOW *"])]), LINKS, []
    ),
    "the inspection above": (
        layout([ALL], [look("top", "true", products=["DISALLOW *"])]), layout(STEPS, [BELOW]), LINKS, []
    ),
    "expired": (layout([ALL]), layout(STEPS, expires=BEFORE), LINKS, []),
    "its rules": (layout([ALL]), layout([BUILD, step("pack", ["DISALLOW *"], by=(CARL,))]), LINKS, []),
    "its link missing": (layout([ALL]), layout(STEPS), LINKS[:1], []),
    "its link by a stranger": (
        layout([ALL]), layout(STEPS), [LINKS[0], (PACKED, BOB, f"pack.{CARL.keyid[:8]}.link")], []
    ),
    "the rules above": (layout([step("all", products=["DISALLOW *"])]), layout(STEPS), LINKS, []),
    "beside a link": (layout([TWO]), layout(STEPS), LINKS, [(ALIKE, CARL)]),
    "beside another link": (layout([TWO]), layout(STEPS), LINKS, [(OTHER, CARL)]),
}  # fmt: skip


def expect_same_story(mine: Ran, theirs: Ran) -> None:
    """The same lines; the last may go on where theirs ends."""
    assert mine.err.splitlines()[:-1] == theirs.err.splitlines()[:-1]
    expect_same_verdict(mine, theirs)


@pytest.mark.parametrize("form", ["metablock", "dsse"])
@pytest.mark.parametrize("case", SUBLAYOUTS)
def test_the_stages_of_a_sublayout_are_told_as_3_1_0_tells_them(ours, upstream, tmp_path, case, form):
    above, below, inner, outer = SUBLAYOUTS[case]
    folder = write(tmp_path / "work", above, outer, form)
    name = f"all.{BOB.keyid[:8]}"
    (folder / f"{name}.link").write_bytes(seal(Layout.from_json(below), BOB, form=form))
    (folder / name).mkdir()
    for body, signer, *names in inner:
        file = names[0] if names else f"{body['name']}.{signer.keyid[:8]}.link"
        (folder / name / file).write_bytes(seal(Link.from_json(body), signer, form=form))
    ((mine, theirs),) = both(ours, upstream, folder, TELL)
    assert theirs.err.count("Verifying layout expiration...") == 2
    expect_same_story(mine, theirs)


# --- links that are skipped ----------------------------------------------------------------------------------------

COPY = f"build.{CARL.keyid[:8]}.link"
UNKNOWN = "ab" * 32


def with_unknown_key(described: dict[str, object]) -> dict[str, object]:
    changed = json.loads(json.dumps(described))
    changed["steps"][0]["pubkeys"].insert(0, UNKNOWN)
    return changed


SKIPPED = {
    "a copy": (layout([step("build", by=(BOB, CARL))]), [(BUILT, BOB), (BUILT, BOB, COPY)], CARL.keyid),
    "too few": (
        layout([step("build", by=(CARL, BOB), threshold=2)]), [(BUILT, BOB), (BUILT, BOB, COPY)], CARL.keyid
    ),
    "too few, by another": (
        layout([step("build", by=(CARL, BOB), threshold=2)]), [(BUILT, BOB), (link("build"), BOB, COPY)], CARL.keyid
    ),
    "no such key": (
        with_unknown_key(layout([step("build")])), [(BUILT, BOB), (BUILT, BOB, "build.abababab.link")], UNKNOWN
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", ["metablock", "dsse"])
@pytest.mark.parametrize("case", SKIPPED)
def test_a_link_that_is_skipped_is_named_as_3_1_0_names_it(ours, upstream, tmp_path, case, form):
    described, links, keyid = SKIPPED[case]
    ((mine, theirs),) = both(ours, upstream, write(tmp_path / "work", described, links, form), TELL)
    (line,) = (line for line in theirs.err.splitlines() if line.startswith("Skipping link."))
    assert keyid in line
    expect_same_story(mine, theirs)
    if mine.code:
        assert COPY in mine.err.splitlines()[-1]


def test_a_broken_signature_is_told_as_3_1_0_tells_it_and_the_file_named_in_the_error(ours, upstream, tmp_path):
    folder = write(tmp_path / "work", layout([step("build")]), [(BUILT, BOB)], "metablock")
    (path,) = folder.glob("*.link")
    path.write_bytes(path.read_bytes().replace(b'"src/a"', b'"src/b"'))
    ((mine, theirs),) = both(ours, upstream, folder, TELL)
    assert f"Skipping link. Broken link signature with keyid '{BOB.keyid}' for step 'build'" in theirs.err
    expect_same_story(mine, theirs)
    assert path.name in mine.err.splitlines()[-1]


def test_what_upstream_does_not_look_at_is_told_too(ours, tmp_path):
    wanted = layout([step("build")])
    written = [(BUILT, BOB), (BUILT, CARL), (link("other"), BOB, f"build.{BOB.keyid[:7]}x.link")]
    folder = write(tmp_path / "work", wanted, written, "metablock")
    (folder / f"build.{BOB.keyid[:7]}y.link").write_text("{")
    ((mine, _),) = both(ours, ours, folder, TELL)
    assert mine.code == 0
    assert f"Skipping link. 'build.{CARL.keyid[:8]}.link' is signed by" in mine.err


def test_a_link_of_another_step_is_told_and_named(ours, tmp_path):
    written = [(link("other"), BOB, f"build.{BOB.keyid[:8]}.link")]
    folder = write(tmp_path / "work", layout([step("build")], expires=LATER), written, "metablock")
    ((mine, _),) = both(ours, ours, folder, TELL)
    text = f"'build.{BOB.keyid[:8]}.link' is signed for another step, \"other\""
    assert mine.code == 1
    assert f"Skipping link. {text}" in mine.err
    assert text in mine.err.splitlines()[-1]


@pytest.mark.parametrize("loud", [True, False])
def test_another_command_is_warned_of_where_3_1_0_warns_of_it(ours, upstream, tmp_path: Path, loud):
    wanted = layout([step("build", command=["make"]), step("pack", by=(CARL,))])
    folder = write(tmp_path / "work", wanted, [(link("build", command=["gcc"]), BOB), (PACKED, CARL)], "metablock")
    ((mine, theirs),) = both(ours, upstream, folder, TELL if loud else VERIFY)
    assert "Run command '['gcc']' differs from expected command '['make']'" in theirs.err
    assert mine == theirs
