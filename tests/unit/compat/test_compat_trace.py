"""The trace of a rule that failed: upstream's to the letter, shortened where it would be without end."""

from __future__ import annotations

import re

import pytest

from navicert.compat.shim.in_toto.trace import Course
from navicert.limits import LOCAL
from navicert.model.rule import Side

MANY = tuple(f"src/{number:05}.py" for number in range(4000))


def course(rules: int, last: str = "DISALLOW *", paths: tuple[str, ...] = MANY, consumes: int = 1) -> Course:
    told = [(f"ALLOW {path}", (path,) * consumes) for path in MANY[:rules]]
    return Course("build", Side.MATERIALS, paths, paths[:3], (*told, (last, ())), rules)


def test_a_short_trace_is_told_in_full() -> None:
    text = str(course(2, paths=("a", "b")))
    assert text.startswith("'DISALLOW *' matched the following artifacts: ['a', 'b']\n")
    assert "Queue after 'ALLOW src/00001.py':\n['a', 'b']\n" in text


@pytest.mark.parametrize(
    "last", ["DISALLOW *", "REQUIRE missing", "DISALLOW " + "x*" * 50_000, "REQUIRE " + "x" * 90_000]
)
@pytest.mark.parametrize("rules", [0, 1, 50, 3999])
def test_a_long_trace_stays_below_its_limit_and_says_how_much_is_left_out(rules: int, last: str) -> None:
    paths = MANY * 1 if rules else tuple(f"{path}/{'x' * 40}" for path in MANY)
    text = str(course(rules, last, paths))
    assert len(text) <= LOCAL.trace_bytes
    assert re.search(r"and \d,\d{3} more", text)
    assert text.startswith(f"'{last.partition(' ')[0]} ")
    assert (
        "Full trace for 'expected_materials' of item 'build':\nAvailable materials (used for queue):\n['src/00000"
        in text
    )
    assert text.endswith("\n")


def test_the_queue_of_a_shortened_trace_shrinks_rule_by_rule() -> None:
    text = str(course(50))
    assert "Queue after 'ALLOW src/00000.py':\n['src/00001.py', 'src/00002.py'" in text
    assert "Queue after 'ALLOW src/00049.py':\n['src/00050.py', 'src/00051.py'" in text
    assert text.startswith("'DISALLOW *' matched the following artifacts: ['src/00050.py', ")
    (first,) = re.findall(r"matched .*and ([\d,]+) more\]\n", text)
    shown = text.partition("\n")[0].count("src/")
    assert int(first.replace(",", "")) + shown == 3950


def test_of_many_rules_the_last_are_told() -> None:
    text = str(course(3999))
    assert "(and 3,899 rules before these)\nQueue after 'ALLOW src/03899.py':" in text
    assert "Queue after 'ALLOW src/03998.py':\n['src/03999.py']\n" in text
