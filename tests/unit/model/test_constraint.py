from __future__ import annotations

import pytest

from navicert.errors import LimitExceeded, Malformed
from navicert.model.constraint import CertificateConstraint, HolderNames

NAMES = HolderNames(("cn",), ("dns",), ("e@x",), ("org",), ("uri:x",))
EXACT = {
    "common_name": "cn",
    "dns_names": ["dns"],
    "emails": ["e@x"],
    "organizations": ["org"],
    "uris": ["uri:x"],
    "roots": ["r"],
}


def objection(document, names=NAMES, root="r"):
    return CertificateConstraint.from_json(document, "/c").objection(names, root)


def test_all_that_it_names_and_nothing_else():
    assert objection(EXACT) == ""
    for name in EXACT:
        assert objection({**EXACT, name: "other" if name == "common_name" else ["other"]})
        assert objection({**EXACT, name: "" if name == "common_name" else []})
        assert objection({key: value for key, value in EXACT.items() if key != name})
        assert objection({**EXACT, name: "*" if name == "common_name" else ["*"]}) == ""


def test_the_order_of_names_does_not_matter():
    names = HolderNames(("cn",), ("a", "b"))
    constraint = {"common_name": "cn", "dns_names": ["b", "a", "b"], "roots": ["*"]}
    assert objection(constraint, names) == ""
    assert (
        objection(constraint, HolderNames(("cn",), ("a", "b", "b")))
        == 'its DNS names: "a", "b", "b", not "b", "a", "b"'
    )


@pytest.mark.parametrize("empty", [[], [""], None])
def test_an_empty_list_accepts_a_certificate_that_has_none(empty):
    constraint = {"common_name": "cn", "dns_names": empty, "roots": ["*"]}
    assert objection(constraint, HolderNames(("cn",))) == ""
    assert objection(constraint, HolderNames(("cn",), ("dns",))) == 'its DNS names: "dns", not none'


def test_attack_a_star_among_others_is_a_wildcard():
    assert objection({**EXACT, "dns_names": ["*", "dns"]})
    assert objection({**EXACT, "roots": ["*", "other"]})
    assert objection({**EXACT, "common_name": "c*"})


def test_what_is_written_is_what_was_read():
    document = {**EXACT, "extra": 1}
    constraint = CertificateConstraint.from_json(document, "/c")
    assert constraint.to_json() == document
    assert not constraint.accepts_anybody
    everybody = {name: "*" if name == "common_name" else ["*"] for name in EXACT}
    assert CertificateConstraint.from_json(everybody, "").accepts_anybody
    assert str(CertificateConstraint.from_json(everybody, "")) == "certificate"
    assert str(constraint) == "certificate with CN=cn; DNS=dns; e-mail=e@x; O=org; URI=uri:x"


@pytest.mark.parametrize(
    "document", [[], {"common_name": ["cn"]}, {"common_name": None}, {"uris": "uri"}, {"uris": [1]}, {"roots": {}}]
)
def test_something_else_is_malformed(document):
    with pytest.raises(Malformed, match="/c"):
        CertificateConstraint.from_json(document, "/c")
    with pytest.raises(LimitExceeded):
        CertificateConstraint.from_json({"uris": ["u"] * 1000}, "/c")


def test_a_holder_is_called_by_what_tells_most():
    assert str(NAMES) == "uri:x"
    assert str(HolderNames(("cn",), (), ("e@x",))) == "e@x"
    assert str(HolderNames()) == ""
    assert HolderNames(("b", "a")).to_json() == HolderNames(("a", "b")).to_json()
