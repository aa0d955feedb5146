from __future__ import annotations

from textwrap import indent
from typing import Any

import pytest
from tests.certificate_authority import NOW, new_root
from tests.certified_chain import by, judge
from tests.checks import misses

from navicert.authoring.policy import read_policy
from navicert.crypto.signer import generate
from navicert.errors import Malformed
from navicert.model.layout import Layout

ROOT, OTHER = new_root(), new_root("other")
ISSUING = ROOT.authority()
KEY = generate().key

HEAD = f"""
name: app
version: 1
expires: 2099-01-01
authorities:
  corp: |
{indent(ROOT.pem, "    ")}
  other: |
{indent(OTHER.pem, "    ")}
intermediates:
  issuing: |
{indent(ISSUING.pem, "    ")}
steps:
  - name: build
    materials: [DISALLOW *]
    products: [ALLOW *]
"""
STEP = """    certificates:
      common name: builder
      organisations: [Example]
      uris: spiffe://example.com/build
      roots: corp
"""


def layout_of(text: str) -> Layout:
    return read_policy(text.encode(), lambda _: KEY, NOW, path="f.yaml").finished()


@pytest.mark.parametrize("own", ["", "type: policy\n"])
def test_a_step_is_for_holders_of_certificates(own):
    layout = layout_of(own + HEAD + STEP)
    names: Any = {"organizations": ["Example"], "uris": ["spiffe://example.com/build"]}
    assert judge(layout, by(ROOT.issue(**names), form="dsse")).passed
    assert judge(layout, by(ISSUING.issue(**names), form="dsse")).passed
    verdict = judge(layout, by(OTHER.issue(**names), form="dsse"))
    assert any("it comes from the root" in reason for reason in misses(verdict))
    assert not judge(layout, by(ROOT.issue(**{**names, "uris": []}), form="dsse")).passed
    assert not judge(layout, by(ROOT.issue("eve", **names), form="dsse")).passed


def test_without_roots_all_authorities_of_the_file_are_meant():
    layout = layout_of(HEAD + "    certificates: [{common name: builder}, {common name: tester}]\n")
    for root in (ROOT, OTHER):
        for name in ("builder", "tester"):
            assert judge(layout, by(root.issue(name))).passed
    assert not judge(layout, by(ROOT.issue("eve"))).passed
    assert not judge(layout, by(new_root().issue("builder"))).passed


def test_keys_and_certificates_stand_beside_each_other():
    layout = layout_of(HEAD + "    by: bob\n" + STEP + "functionaries: {bob: bob.pub}\n")
    assert layout.steps[0].pubkeys == (KEY.id,)
    assert len(layout.steps[0].certificates) == 1
    assert Layout.from_json(layout.to_json()) == layout


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (HEAD, "nobody performs step"),
        (HEAD + STEP.replace("roots: corp", "roots: nowhere"), 'no authority "nowhere"'),
        (HEAD + STEP.replace("uris:", "url:"), 'no field "url"'),
        (HEAD + "    certificates: []\n", "no certificate is described"),
        (HEAD + "    certificates: builder\n", "wrong type"),
        (HEAD.replace("authorities", "inspections", 1) + STEP, "."),
        (HEAD.replace("-----BEGIN CERTIFICATE-----", "text", 1) + STEP, "certificate"),
        (HEAD.replace("  corp: |\n", f"  corp: |\n{indent(OTHER.pem, '    ')}\n") + STEP, "several certificates"),
    ],
)
def test_attack_what_does_not_say_whose_certificate(text, why):
    with pytest.raises(Malformed, match=why):
        layout_of(text)


def test_attack_certificates_without_an_authority():
    text = HEAD[: HEAD.index("authorities:")] + HEAD[HEAD.index("steps:") :] + STEP
    with pytest.raises(Malformed, match="nobody vouches for certificates"):
        layout_of(text)
