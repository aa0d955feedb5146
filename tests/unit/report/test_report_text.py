"""The verdict as text: one screen, the cause in its first line, and nothing that moves a terminal."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sample_chain import SampleChain, digests

from navicert.digest import sha256
from navicert.model.layout import Inspection
from navicert.report.text import render_text
from navicert.verdict import Check, Outcome, Verdict, all_of, at_least, broke, failed, note, passed, warned

SCREEN = 24


def verdict(*children: Check, reason: str = "") -> Verdict:
    return Verdict(all_of("verdict", "", children, reason), datetime(2026, 1, 1, tzinfo=UTC), sha256(b"policy"))


def lines(judged: Verdict, width: int = 100, **more: bool) -> list[str]:
    return render_text(judged, width=width, **more).splitlines()


def squeezed(judged: Verdict, width: int = 200, **more: bool) -> str:
    """The report with its white space squeezed, so that line breaks do not matter."""
    return " ".join(render_text(judged, width=width, **more).split())


# --- what passed ---------------------------------------------------------------------------------------------------


def test_a_pass_says_what_was_bound_by_which_layout_and_who_did_each_step() -> None:
    chain = SampleChain()
    judged = chain.verdict()
    expected = [
        r"PASS  file app is what the chain produced",
        rf"      layout  root\.layout: .* \({chain.owner.key.short}\)",
        rf"      policy  sha256:{judged.policy.hex[:12]}, judged for 2026-10-01T00:00:00Z",
        r"pass  layout\.expired: valid until 2099-01-01T00:00:00Z",
        r"pass  step step00: performed by bob; .* 0 materials; .* 4 products",
        r"pass  step step01: performed by bob; .* 4 materials; .* 4 products",
        r"pass  step step02: performed by bob; .* 4 materials; .* 5 products",
        r"(\d+) checks: \1 passed",
    ]
    for line, form in zip(lines(judged), expected, strict=True):
        assert re.fullmatch(form, line)


def test_a_pass_without_a_target_says_so_in_its_first_line_and_in_a_note() -> None:
    shown = lines(SampleChain().verdict(target=None))
    assert shown[0] == "PASS  the chain holds; no target was given"
    assert "note  no target was given: the chain is judged, and nothing is bound to it" in shown


def test_a_pass_shows_its_warnings() -> None:
    shown = lines(SampleChain(failing=[1]).verdict())
    assert any(line.startswith("warn  link.return-value: ") and line.endswith("returned 3") for line in shown)
    assert shown[-1].endswith("passed, 1 with a warning")


def test_a_long_chain_that_passed_fits_one_screen_and_says_how_much_is_left_out() -> None:
    shown = lines(SampleChain(steps=40).verdict())
    assert len(shown) < SCREEN
    assert any(re.fullmatch(r" +… \d+ more \(--verbose shows all\)", line) for line in shown)


def test_many_warnings_are_counted_and_leave_room_for_the_rest() -> None:
    shown = lines(SampleChain(steps=20, failing=range(20)).verdict())
    assert len(shown) < SCREEN
    assert any(re.search(r"… \d+ more warnings \(--verbose shows all\)", line) for line in shown)


def test_warnings_that_find_no_room_are_counted() -> None:
    chain = SampleChain(steps=20, tampered=[3, 9], stranger=[5], missing=[11], failing=[1, 2], smuggled="evil")
    assert "… 2 warnings (--verbose shows all)" in squeezed(chain.verdict(), 80)


# --- what did not --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize(
    "chain",
    [
        SampleChain(steps=20, tampered=[7]),
        SampleChain(steps=20, missing=[7]),
        SampleChain(steps=20, stranger=[7]),
        SampleChain(steps=20, missing=range(20)),
        SampleChain(steps=20, stranger=range(20)),
        SampleChain(steps=20, tampered=range(1, 20), failing=range(20)),
        SampleChain(steps=20, tampered=[3, 9], stranger=[5], missing=[11], failing=[1, 2], smuggled="evil"),
    ],
    ids=["changed", "missing", "stranger", "nothing", "all-strangers", "all-changed", "everything"],
)
def test_a_broken_chain_of_20_steps_fits_one_screen(chain: SampleChain, width: int) -> None:
    shown = lines(chain.verdict(), width)
    assert len(shown) < SCREEN
    assert max(map(len, shown)) <= width


def test_the_first_line_is_the_cause() -> None:
    text = squeezed(SampleChain(steps=20, tampered=[7]).verdict())
    cause = (
        'FAIL rule.match-unsatisfied in step step07, materials: "src/1.py" differs from the products of step "step06" '
    )
    assert text.startswith(cause)


def test_the_first_line_names_the_near_miss_where_there_is_one() -> None:
    chain = SampleChain(stranger=[1])
    text = squeezed(chain.verdict())
    assert re.match(r"FAIL step\.threshold: .*step01.* – \./step01\.", text)
    assert f"near miss: ./step01.{chain.eve.key.short}.link: no valid signature by a key of the layout" in text


def test_a_changed_artifact_is_shown_with_both_digests_and_who_had_it_last() -> None:
    expected, actual = digests(b"1"), digests(b"something else, put there by 2")
    text = squeezed(SampleChain(tampered=[2]).verdict())
    assert "rule 1: MATCH * WITH PRODUCTS FROM step01 src/1.py" in text
    assert f"expected sha256:{expected[0][1][:12]} last agreed: step step01 (bob)" in text
    assert f"actual sha256:{actual[0][1][:12]} changed between step step01 (bob) and step step02 (bob)" in text


def test_digests_are_whole_with_verbose() -> None:
    assert f"expected {digests(b'1')}" in squeezed(SampleChain(tampered=[2]).verdict(), verbose=True)


def test_a_digest_is_never_broken_over_two_lines_with_verbose() -> None:
    assert any(f"{digests(b'1')}" in line for line in lines(SampleChain(tampered=[2]).verdict(), 60, verbose=True))


def test_a_smuggled_artifact_is_named_with_its_digest() -> None:
    text = squeezed(SampleChain(smuggled="evil.so").verdict())
    assert text.startswith('FAIL rule.disallow in step step02, materials: "evil.so": no rule allows it')
    assert f"rule 2: DISALLOW * evil.so sha256:{digests(b'smuggled')[0][1][:12]}" in text


def test_consequences_are_folded_into_a_count() -> None:
    text = squeezed(SampleChain(missing=[0]).verdict())
    assert "… 3 checks follow from this" in text
    assert " 2. " not in text


def test_a_single_consequence_is_counted_in_the_singular() -> None:
    follower = replace(failed("y", "", "too"), cause="verdict/x")
    assert "… 1 check follows from this" in squeezed(verdict(failed("x", "", "broken"), follower))


def test_an_unbound_target_says_what_was_looked_for() -> None:
    text = squeezed(SampleChain().verdict(target=b"another application\n"))
    assert text.startswith("FAIL target.bound: file app is not among the products of step step02")
    assert "FAIL: step step02: no product has the digest of app" in text


def test_what_could_not_be_judged_is_an_error_and_no_failure() -> None:
    text = squeezed(SampleChain(inspections=(Inspection("look", ("true",)),)).verdict())
    assert text.startswith("ERROR inspection.run in inspection look: no place to run it")
    assert "1 could not be judged" in text


def test_an_inspection_that_passed_is_shown_with_what_it_ran() -> None:
    inspection = all_of("inspection", "look", (passed("inspection.run", "test -f app", "returned 0"),))
    assert "pass inspection look: test -f app: returned 0" in squeezed(verdict(inspection))


def test_the_last_line_says_how_to_learn_more() -> None:
    assert lines(SampleChain(missing=[1]).verdict())[-1] == "what to do: navicert explain step.threshold"


def test_several_layouts_are_shown_each_with_its_own_cause() -> None:
    trees = (
        all_of("verdict", "a.layout", (failed("layout.expired", "", "expired"),)),
        all_of("verdict", "b.layout", (failed("layout.owner", "0a1b2c3d", "no valid signature"),)),
    )
    root = at_least(1, "policy.any", "", trees, "none of 2 layouts passes")
    judged = Verdict(root, datetime(2026, 1, 1, tzinfo=UTC), sha256(b""))
    text = squeezed(judged)
    assert text.startswith("FAIL policy.any: none of 2 layouts passes – expired")
    assert "FAIL: a.layout: expired FAIL: b.layout: 0a1b2c3d: no valid signature" in text
    assert text.endswith("navicert explain layout.expired")


def test_more_causes_than_fit_are_counted_and_all_shown_with_verbose() -> None:
    judged = SampleChain(steps=40, stranger=range(40)).verdict()
    assert any(re.search(r"… \d+ more causes", line) for line in lines(judged))
    assert sum(bool(re.match(r" +\d+\. ", line)) for line in lines(judged, verbose=True)) == 40


def test_near_misses_are_bounded_unless_verbose() -> None:
    misses = tuple(note("evidence.near-miss", f"{i}.link", "wrong key") for i in range(9))
    judged = verdict(at_least(1, "step.threshold", "a", misses, "0 of 1"))
    assert "… 5 more near misses" in squeezed(judged)
    assert squeezed(judged, verbose=True).count("near miss: ") == 9


def test_a_note_beside_a_cause_is_shown_with_it() -> None:
    group = all_of("step", "a", (failed("x", "a", "broken"), note("hint", "", "look there")))
    assert "note: look there" in squeezed(verdict(group))


# --- whatever the facts are ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ({}, "broken"),
        ({"rule": "ALLOW *", "artifacts": None, "more": None}, "rule 3: ALLOW *"),
        ({"rule": "ALLOW *", "artifacts": "none", "more": "some"}, "rule 3: ALLOW *"),
        ({"artifacts": [1, "a", None]}, "broken"),
        ({"artifacts": [{}]}, "(no path) (not there)"),
        ({"artifacts": [{"path": "a", "actual": ""}]}, "a (not there)"),
        ({"artifacts": [{"path": "a", "expected": {"sha256": "ab" * 32}}]}, "expected sha256:abababababab"),
        ({"artifacts": [{"path": "a", "agreed": "step b", "actual": {}}]}, "expected (nothing) last agreed: step b"),
        ({"artifacts": [{"path": "a", "changed": "by c", "actual": ["x", "y"]}]}, "actual x, y changed by c"),
        ({"artifacts": [{"path": "a", "actual": "x", "near": 'step b has "A"'}]}, 'near miss: step b has "A"'),
        ({"artifacts": [{"path": str(i)} for i in range(5)], "more": 7}, "… 9 more artifacts"),
        ({"artifacts": [{"path": "a"}], "more": 1}, "… 1 more artifact 1"),
        ({"artifacts": [{"path": "a", "actual": {"sha256": {}, "md5": "x"}}]}, "sha256:{} md5:x"),
    ],
)
def test_missing_or_odd_facts_never_stop_a_report(facts: dict[str, object], shown: str) -> None:
    assert shown in squeezed(verdict(failed("rule.allow", "3 ALLOW *", "broken", facts=facts)))


def test_a_root_without_children_fails_by_itself() -> None:
    assert squeezed(verdict(reason="nothing was judged")).startswith("FAIL verdict: nothing was judged")


def test_a_verdict_that_waits_is_no_pass() -> None:
    pending = Check("inspection.run", "true", "has not been run", leaf=Outcome.PENDING)
    assert squeezed(verdict(passed("x", ""), pending)).startswith("FAIL inspection.run: true: has not been run")


# --- how it looks --------------------------------------------------------------------------------------------------


def test_colour_is_asked_for_and_stands_around_words_only() -> None:
    judged = SampleChain(tampered=[1]).verdict()
    plain, coloured = render_text(judged), render_text(judged, colour=True)
    assert "\x1b" not in plain
    assert coloured.startswith("\x1b[1;31mFAIL\x1b[0m ")
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_verbose_shows_the_whole_tree() -> None:
    judged = SampleChain().verdict()
    text = squeezed(judged, verbose=True)
    for _, check in judged.root.walk():
        assert f" {check.id} " in text
    assert "[§5.2 (1)]" in text


def test_an_alternative_that_was_not_needed_is_no_failure_in_the_tree() -> None:
    text = squeezed(verdict(at_least(1, "target.bound", "", (passed("a", "x"), failed("b", "y", "no")))), verbose=True)
    assert "miss b y: no" in text
    assert "FAIL" not in text


def test_notes_and_errors_have_their_own_word_in_the_tree() -> None:
    judged = verdict(note("n", "", "by the way"), broke("e", "", "unreachable"), warned("w", "", "hm"))
    text = squeezed(judged, verbose=True)
    assert "note n by the way" in text
    assert "ERROR e unreachable" in text
    assert "warn w hm" in text


_names = st.text(st.characters(codec=None), max_size=30)


@given(_names, _names, _names, st.integers(20, 130))
def test_no_name_reaches_the_terminal_as_it_is(subject: str, reason: str, path: str, width: int) -> None:
    facts = {"rule": path, "artifacts": [{"path": path, "actual": reason, "changed": subject, "near": reason}]}
    hostile = (
        failed("rule.allow", subject, reason, facts=facts),
        all_of("step", subject, (warned("w", subject, reason), note("evidence.near-miss", subject, reason))),
        at_least(1, "step.threshold", subject, (note("evidence.near-miss", path, reason),), reason),
        all_of("layout.signature", subject, (passed("layout.owner", path),), reason),
        note("n", subject, reason),
    )
    for verbose in (False, True):
        text = render_text(verdict(*hostile), width=width, verbose=verbose)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    assert len(render_text(verdict(*hostile), width=100).splitlines()) < SCREEN
