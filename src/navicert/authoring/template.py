"""A first layout to go on from: complete, commented, and without a finding once its key files exist."""

from __future__ import annotations

import json

from navicert.authoring.sentence import rule_text
from navicert.errors import Malformed
from navicert.model.field import as_name
from navicert.model.rule import Rule, RuleKind, Side

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HEAD = """\
# The policy of one supply chain: which steps there are, who performs them, and what each may use and make.
# Check it with   navicert layout lint FILE
# Sign it with    navicert layout sign FILE --key OWNER -o root.layout
# All fields are described in docs/reference/layout-yaml.md.
"""
_RELEASE = """
# Count the version up with every change: verifiers can then refuse an older layout.
version: 1
# From the signing on: "90 days", "6 months", "1 year"; or a date such as 2031-05-01.
expires: 6 months
"""
_FUNCTIONARIES = """
# Who performs steps: a name, and the file of a public key or a list of files. Several keys of one person count once.
functionaries:
"""
_TYPE = """
# A policy document: it can require attestations, and only Navicert reads it. Without this line it would be a layout.
type: policy
"""
_PREDICATES = """\
    # What has to be attested of this step: signed by whom, about what it used or made, saying what.
    # All fields are described in docs/reference/policy-document.md.
    predicates:
      - name: tests
        type: test-result
        by: {by}
        attributes:
          - predicate.result == "PASSED"
"""
_RULES = """
# The rules of a list are applied in order, and what a rule takes is gone for the rules after it:
#   MATCH pattern WITH PRODUCTS FROM step   takes what that step made, if the content is the same
#   CREATE, MODIFY, DELETE pattern          take what this step made, changed or removed
#   ALLOW pattern                           takes it whatever it is
#   REQUIRE path                            fails unless it is there; put it first
#   DISALLOW *                              at the end of each list: nothing else
# * matches / as well, so src/* means everything below src. Narrow the patterns to what your steps really touch.
steps:
"""
_INSPECTIONS = """
# What the verifier itself looks at, once everything else holds.
# inspections:
#   - name: no-critical-flaw
#     run: navicert inspect json-none report.json --preset trivy --severity CRITICAL
#     materials:
#       - REQUIRE report.json
#       - MATCH report.json WITH PRODUCTS FROM scan
#       - DISALLOW report.json
"""


def first_layout(
    name: str, steps: Sequence[str], functionaries: Mapping[str, Sequence[str]], *, policy: bool = False
) -> str:
    """The text of a layout called `name` with these steps, each of which uses what the one before it made.

    `functionaries` maps names to key files. The last of them perform a step each, the first all the others; where
    there are more persons than steps, the last step may be performed by any of those left. A `policy` is our own
    document, and requires a test result of the last step but one. Raises `Malformed` for names that are not usable,
    doubled steps, and where there is no step or nobody.
    """
    for step in steps:
        as_name(step, "--step")
    if len(set(steps)) < len(steps) or not steps or not functionaries:
        raise Malformed("a layout needs steps of different names, and somebody to perform them")
    head = _HEAD + _TYPE if policy else _HEAD
    parts = [head, f"name: {_word(name)}\n", _RELEASE, _FUNCTIONARIES]
    for person, files in functionaries.items():
        value = _word(files[0]) if len(files) == 1 else f"[{', '.join(_word(file) for file in files)}]"
        parts.append(f"  {_word(person)}: {value}\n")
    parts.append(_RULES)
    texts = [_step(steps, i, tuple(functionaries)) for i in range(len(steps))]
    if policy:
        texts[max(0, len(steps) - 2)] += _PREDICATES.format(by=_word(list(functionaries)[-1]))
    parts.append("\n".join(texts))
    parts.append(_INSPECTIONS)
    return "".join(parts)


def _step(steps: Sequence[str], index: int, people: Sequence[str]) -> str:
    first = max(0, index - max(0, len(steps) - len(people)))
    able = people[first:] if index == len(steps) - 1 else people[first : first + 1]
    by = _word(able[0]) if len(able) == 1 else f"[{', '.join(_word(person) for person in able)}]"
    nothing_else = Rule(RuleKind.DISALLOW, "*")
    materials = [nothing_else]
    if index:
        materials.insert(0, Rule(RuleKind.MATCH, "*", dest_type=Side.PRODUCTS, step=steps[index - 1]))
    elif len(steps) == 1:
        # Nothing is recorded before the only step: what it starts from is allowed, not tied to anything.
        materials.insert(0, Rule(RuleKind.ALLOW, "src/*"))
    products = [Rule(RuleKind.CREATE, "*"), nothing_else]
    lines = [f"  - name: {_word(steps[index])}", f"    by: {by}"]
    for label, rules in (("materials", materials), ("products", products)):
        lines += [f"    {label}:", *(f"      - {_rule(rule)}" for rule in rules)]
    return "\n".join(lines) + "\n"


def _rule(rule: Rule) -> str:
    text = rule_text(rule)
    return text if text.startswith("[") else _word(text)


def _word(text: str) -> str:
    """`text` as YAML: bare where that is safe, else in double quotes."""
    plain = text[:1].isalnum() and all(c.isascii() and (c.isalnum() or c in " ./*_-") for c in text)
    return text if plain and text == text.strip() else json.dumps(text)
