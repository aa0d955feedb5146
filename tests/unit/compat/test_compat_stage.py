"""The stages of `verifylib`, the single rules and the helpers of models, as a script calls them: good and refused."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from navicert.compat.shim.in_toto import rulelib, verifylib
from navicert.compat.shim.in_toto.exceptions import (
    BadReturnValueError,
    LayoutExpiredError,
    LinkNotFoundError,
    PrefixError,
    RuleVerificationError,
    SignatureVerificationError,
    ThresholdVerificationError,
)
from navicert.compat.shim.in_toto.models.layout import Inspection, Layout, Step
from navicert.compat.shim.in_toto.models.link import Link
from navicert.compat.shim.in_toto.models.metadata import Metablock
from navicert.compat.shim.securesystemslib.exceptions import CryptoError, Error, FormatError
from navicert.compat.shim.securesystemslib.interface import (
    generate_and_write_unencrypted_ed25519_keypair,
    import_ed25519_publickey_from_file,
)
from navicert.compat.shim.securesystemslib.signer import CryptoSigner
from navicert.compat.shim.translation import translate, translated
from navicert.errors import Malformed, Unavailable
from navicert.record.process import CommandNotExecutable, CommandNotFound
from navicert.resolve.artifact import NameConflict


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("owner", "bob", "carl"):
        generate_and_write_unencrypted_ed25519_keypair(name)
    return tmp_path


def public(name: str) -> dict[str, Any]:
    return import_ed25519_publickey_from_file(f"{name}.pub")


def signed(what: Any, by: str) -> Metablock:
    document = Metablock(signed=what)
    document.create_signature(CryptoSigner.from_priv_key_uri(f"file:{by}"))
    return document


def layout(*who: str, **fields: Any) -> Layout:
    keys = {key["keyid"]: key for key in map(public, who)}
    return Layout(keys=keys, steps=[Step(name="build", pubkeys=list(keys), **fields)])


DIGEST, OTHER = {"sha256": "ab"}, {"sha256": "cd"}


# --- stages --------------------------------------------------------------------------------------------------------


def test_signatures_of_a_layout(work):
    document = signed(layout("bob"), "owner")
    owner, carl = public("owner"), public("carl")
    verifylib.verify_metadata_signatures(document, {owner["keyid"]: owner})
    with pytest.raises(SignatureVerificationError, match=f"No signature found for key '{carl['keyid']}'"):
        verifylib.verify_metadata_signatures(document, {owner["keyid"]: owner, carl["keyid"]: carl})
    with pytest.raises(FormatError):
        verifylib.verify_metadata_signatures(document, {"not hex": owner})


def test_expiration():
    good = Layout()
    verifylib.verify_layout_expiration(good)
    good.expires = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with pytest.raises(LayoutExpiredError, match=f"was valid until {good.expires}"):
        verifylib.verify_layout_expiration(good)


def test_parameters():
    made = Layout(
        steps=[Step(name="a", expected_command=["{x}", "{{y}}"], expected_materials=[["ALLOW", "{x}*"]])],
        inspect=[
            Inspection(name="i", run=["{x}"], expected_products=[["MATCH", "*", "WITH", "PRODUCTS", "FROM", "{x}"]])
        ],
    )
    verifylib.substitute_parameters(made, {"x": "a"})
    assert made.steps[0].expected_command == ["a", "{y}"]
    assert made.steps[0].expected_materials == [["ALLOW", "a*"]]
    assert made.inspect[0].run == ["a"]
    assert made.inspect[0].expected_products[0][-1] == "a"
    wrong: list[Any] = [{"x y": "1"}, {"x": 1}, []]
    for bad in wrong:
        with pytest.raises(FormatError):
            verifylib.substitute_parameters(made, bad)
    with pytest.raises(ValueError, match="'a'"):
        verifylib.substitute_parameters(Layout(steps=[Step(name="a", expected_command=["{x!r}"])]), {"x": "1"})


def test_links_are_loaded_by_key_and_too_few_are_refused(work):
    made = layout("bob", "carl")
    for name in ("bob", "carl"):
        signed(Link(name="build"), name).dump(f"build.{public(name)['keyid'][:8]}.link")
    assert list(verifylib.load_links_for_layout(made, ".")["build"]) == [public(n)["keyid"] for n in ("bob", "carl")]
    with pytest.raises(LinkNotFoundError, match="requires '1' link metadata file"):
        verifylib.load_links_for_layout(made, "none")
    Path(f"build.{public('carl')['keyid'][:8]}.link").write_text("{")
    assert list(verifylib.load_links_for_layout(made, ".")["build"]) == [public("bob")["keyid"]]
    made.steps[0].threshold = 2
    with pytest.raises(LinkNotFoundError, match=r"found '1'\. Not counted: .*cannot be read"):
        verifylib.load_links_for_layout(made, ".")


def test_signature_thresholds(work):
    made = layout("bob", "carl", threshold=2)
    found = {"build": {public(name)["keyid"]: signed(Link(name="build"), name) for name in ("bob", "carl")}}
    assert verifylib.verify_link_signature_thresholds(made, found) == found
    del found["build"][public("carl")["keyid"]]
    with pytest.raises(ThresholdVerificationError, match="Only found '1'"):
        verifylib.verify_link_signature_thresholds(made, found)


def test_a_sublayout_becomes_its_summary(work):
    inner = layout("carl")
    inner.steps[0].name = "inner"
    folder = work / f"build.{public('bob')['keyid'][:8]}"
    folder.mkdir()
    link = signed(Link(name="inner", products={"x": DIGEST}), "carl")
    link.dump(folder / f"inner.{public('carl')['keyid'][:8]}.link")
    found = {"build": {public("bob")["keyid"]: signed(inner, "bob")}}
    chain = verifylib.verify_sublayouts(layout("bob"), found, ".", 10)
    assert chain["build"][public("bob")["keyid"]].products == {"x": DIGEST}
    (folder / f"inner.{public('carl')['keyid'][:8]}.link").unlink()
    with pytest.raises(LinkNotFoundError):
        verifylib.verify_sublayouts(layout("bob"), found, ".", 10)


def test_links_of_one_step_must_agree():
    step = Step(name="build", threshold=2)
    alike = {"build": {"aa" * 4: Link(products={"x": DIGEST}), "bb" * 4: Link(products={"x": DIGEST})}}
    verifylib.verify_threshold_constraints(Layout(steps=[step]), alike)
    alike["build"]["bb" * 4].products = {"x": OTHER}
    with pytest.raises(ThresholdVerificationError, match=r"Links 'build\.aaaaaaaa\.link' and 'build\.bbbbbbbb\.link'"):
        verifylib.verify_threshold_constraints(Layout(steps=[step]), alike)
    with pytest.raises(ThresholdVerificationError, match="not performed by enough"):
        verifylib.verify_threshold_constraints(Layout(steps=[step]), {"build": {"aa": Link()}})


def test_reduction_takes_the_first():
    first, second = Link(name="1"), Link(name="2")
    assert verifylib.reduce_chain_links({"s": {"a": first, "b": second}}) == {"s": first}


def test_rules_of_items():
    links = {"s": Link(materials={"a": DIGEST}, products={"b": DIGEST})}
    step = Step(name="s", expected_materials=[["ALLOW", "a"], ["DISALLOW", "*"]])
    verifylib.verify_all_item_rules([step], links)
    step.expected_products = [["DISALLOW", "*"]]
    with pytest.raises(RuleVerificationError, match=r"matched the following artifacts: \['b'\]"):
        verifylib.verify_all_item_rules([step], links)
    with pytest.raises(FormatError, match="materials"):
        verifylib.verify_item_rules("s", "byproducts", [], links)
    with pytest.raises(FormatError):
        verifylib.verify_item_rules("s", "materials", [["FROB", "*"]], links)


def test_inspections_run_here_and_leave_their_link(work):
    made = Layout(inspect=[Inspection(name="look", run=["true"])])
    assert verifylib.run_all_inspections(made, True)["look"].byproducts["return-value"] == 0
    assert Path("look.link").exists()
    for command, words in ((["false"], "non-zero return value '1' from command"), ([], "non-int return value 'None'")):
        made.inspect[0].run = command
        with pytest.raises(BadReturnValueError, match=words):
            verifylib.run_all_inspections(made, False)


def test_the_summary_is_of_the_first_and_the_last_step():
    made = Layout(steps=[Step(name="a"), Step(name="b")])
    links = {"a": Link(materials={"m": DIGEST}), "b": Link(products={"p": DIGEST}, command=["x"])}
    summary = verifylib.get_summary_link(made, links, "all")
    assert (summary.name, summary.materials, summary.products) == ("all", {"m": DIGEST}, {"p": DIGEST})
    assert summary.command == ["x"]
    assert verifylib.get_summary_link(Layout(), {}, "all") == Link()


# --- rules ---------------------------------------------------------------------------------------------------------


def test_each_rule_consumes_what_it_names():
    queue, before, after = {"a", "b", "c"}, {"a": DIGEST, "b": DIGEST}, {"b": OTHER, "c": DIGEST}
    assert verifylib.verify_create_rule("*", queue, set(before), set(after)) == {"c"}
    assert verifylib.verify_delete_rule("*", queue, set(before), set(after)) == {"a"}
    assert verifylib.verify_modify_rule("*", queue, before, after) == {"b"}
    assert verifylib.verify_allow_rule("[ab]", queue) == {"a", "b"}
    rule = rulelib.unpack_rule(["MATCH", "a", "WITH", "PRODUCTS", "FROM", "s"])
    assert verifylib.verify_match_rule(rule, queue, {**before, **after}, {"s": Link(products={"a": DIGEST})}) == {"a"}
    assert verifylib.verify_match_rule(rule, queue, {**before, **after}, {"s": Link(products={"a": OTHER})}) == set()
    assert verifylib.verify_match_rule(rule, queue, {**before, **after}, {}) == set()


def test_disallow_and_require_raise():
    verifylib.verify_disallow_rule("x", {"a"})
    verifylib.verify_require_rule("a", {"a"})
    with pytest.raises(RuleVerificationError, match=r"'DISALLOW a' matched the following artifacts: \['a'\]"):
        verifylib.verify_disallow_rule("a", {"a"})
    with pytest.raises(RuleVerificationError, match="'REQUIRE x' did not find x in"):
        verifylib.verify_require_rule("x", {"a"})


RULES = [
    *([kind, "*"] for kind in ("CREATE", "DELETE", "MODIFY", "ALLOW", "DISALLOW", "REQUIRE")),
    ["MATCH", "*", "WITH", "MATERIALS", "FROM", "s"],
    ["MATCH", "*", "IN", "a", "WITH", "PRODUCTS", "FROM", "s"],
    ["MATCH", "*", "WITH", "PRODUCTS", "IN", "b", "FROM", "s"],
    ["MATCH", "*", "IN", "a", "WITH", "PRODUCTS", "IN", "b", "FROM", "s"],
]


@pytest.mark.parametrize("rule", RULES, ids=" ".join)
def test_a_rule_is_unpacked_and_packed_again(rule):
    assert rulelib.pack_rule_data(rulelib.unpack_rule(rule)) == rule
    assert rulelib.unpack_rule([word.lower() if word.isupper() else word for word in rule]) == rulelib.unpack_rule(rule)


@pytest.mark.parametrize("kind", ["create", "delete", "modify", "allow", "disallow", "require"])
def test_a_rule_of_each_kind_is_packed(kind):
    assert getattr(rulelib, f"pack_{kind}_rule")("x") == [kind.upper(), "x"]


@pytest.mark.parametrize("rule", [[], ["ALLOW"], ["FROB", "x"], ["MATCH", "x"], ["ALLOW", 1], "ALLOW x", None])
def test_what_is_no_rule_is_refused(rule):
    with pytest.raises(FormatError):
        rulelib.unpack_rule(rule)


@pytest.mark.parametrize(
    "arguments",
    [
        {"rule_type": "frob"},
        {"rule_type": "match"},
        {"rule_type": "match", "dest_type": "byproducts", "dest_name": "s"},
        {"rule_type": "match", "dest_type": "products"},
        {"rule_type": "match", "dest_type": "products", "dest_name": 1},
        {"rule_type": "match", "dest_type": "products", "dest_name": "s", "source_prefix": 1},
        {"rule_type": 1},
    ],
)
def test_what_makes_no_rule_is_refused(arguments):
    with pytest.raises(FormatError):
        rulelib.pack_rule(pattern="x", **arguments)


# --- layouts -------------------------------------------------------------------------------------------------------


def test_items_are_found_and_removed_by_name():
    made = Layout(steps=[Step(name="a"), Step(name="b")], inspect=[Inspection(name="i")])
    assert (made.get_step_name_list(), made.get_inspection_name_list()) == (["a", "b"], ["i"])
    assert made.get_step_by_name("b") is made.steps[1]
    assert made.get_inspection_by_name("i") is made.inspect[0]
    assert made.get_step_by_name("i") is made.get_inspection_by_name("a") is None
    made.remove_step_by_name("a")
    made.remove_step_by_name("none")
    made.remove_inspection_by_name("i")
    assert (made.get_step_name_list(), made.get_inspection_name_list()) == (["b"], [])
    for find in (made.get_step_by_name, made.remove_inspection_by_name):
        with pytest.raises(FormatError):
            find(1)  # type: ignore[arg-type]  # that is the point


def test_keys_are_added(work):
    made = Layout()
    assert made.add_functionary_key(public("bob"))["keyid"] == public("bob")["keyid"]
    added = made.add_functionary_keys_from_paths(["carl.pub", "owner.pub"])
    assert made.get_functionary_key_id_list() == [public("bob")["keyid"], *added]
    for bad in ({}, {"keyid": "ab"}, None):
        with pytest.raises((FormatError, KeyError, ValueError)):
            made.add_functionary_key(bad)  # type: ignore[arg-type]  # that is the point
    with pytest.raises((FormatError, OSError)):
        made.add_functionary_key_from_path("none")


def test_commands_and_rules_from_one_line():
    step, look = Step(name="a"), Inspection(name="i")
    step.set_expected_command_from_string("make 'the app'")
    step.add_material_rule_from_string("ALLOW 'a b'")
    step.add_product_rule_from_string("MATCH * WITH PRODUCTS FROM b")
    look.set_run_from_string("sh -c 'exit 1'")
    assert step.expected_command == ["make", "the app"]
    assert step.expected_materials == [["ALLOW", "a b"]]
    assert look.run == ["sh", "-c", "exit 1"]
    with pytest.raises(FormatError):
        step.add_material_rule_from_string("FROB *")


@pytest.mark.parametrize(
    "fields",
    [
        {"expires": "tomorrow"},
        {"readme": 1},
        {"keys": {"zz": {}}},
        {"steps": {}},
        {"steps": ["a"]},
        {"inspect": [Step(name="a")]},
        {"steps": [Step(name="a"), Step(name="a")]},
        {"steps": [Step(name="a")], "inspect": [Inspection(name="a")]},
    ],
)
def test_what_is_no_layout_is_refused(fields):
    with pytest.raises(FormatError):
        Layout(**fields)


def test_expiry_by_the_calendar():
    made = Layout()
    made.set_relative_expiration(years=1)
    assert made.expires[:4] == str(datetime.datetime.now(datetime.UTC).year + 1)
    with pytest.raises(FormatError):
        made.set_relative_expiration(months="6")  # type: ignore[arg-type]  # that is the point


# --- exceptions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (Malformed("bad"), FormatError, "bad"),
        (CommandNotFound("no", path="make"), FileNotFoundError, "make"),
        (CommandNotExecutable("no", path="make"), PermissionError, "make"),
        (NameConflict("two files of one name"), PrefixError, "two files"),
        (Malformed("the key is encrypted, and no password was given", path="k"), TypeError, "('k')"),
        (Malformed("wrong password", path="k"), ValueError, "Incorrect password"),
        (Unavailable("cannot be read"), Error, "cannot be read"),
    ],
)
def test_errors_are_said_in_the_exceptions_of_upstream(error, kind, text):
    found = translate(error)
    assert type(found) is kind
    assert text in str(found)


def test_what_the_system_said_stays_what_it_said():
    error = Unavailable("cannot be read", path="none")
    error.__cause__ = FileNotFoundError(2, "No such file or directory", "none")
    with pytest.raises(FileNotFoundError) as raised, translated():
        raise error
    assert raised.value.filename == "none"


def test_passwords_are_the_matter_of_crypto_errors_before_1_0():
    found = translate(Malformed("wrong password", path="k"), CryptoError)
    assert type(found) is CryptoError
    assert str(found) == "wrong password ('k')"
