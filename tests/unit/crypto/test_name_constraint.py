from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from cryptography import x509
from tests.certificate_authority import name_of, new_root

from navicert.crypto.certificate import Certificate
from navicert.crypto.name_constraint import objection

ROOT = new_root()
NET = ipaddress.ip_network("10.1.0.0/16")


def read(holder: Any) -> Certificate:
    return Certificate.read_pem(holder.pem)[0]


def judged(permitted: Any = None, excluded: Any = None, names: Any = (), **holder: Any) -> bool:
    """Whether an authority with these constraints may give out these names."""
    constraints = x509.NameConstraints(permitted, excluded)
    issuing = ROOT.authority(extensions=[(constraints, True)])
    extensions = [(x509.SubjectAlternativeName(list(names)), False)] if names else []
    leaf = issuing.issue(extensions=extensions, **holder)
    return not objection([read(leaf), read(issuing), read(ROOT)])


DNS, URI, MAIL, IP = x509.DNSName, x509.UniformResourceIdentifier, x509.RFC822Name, x509.IPAddress


@pytest.mark.parametrize(
    ("subtree", "name", "inside"),
    [
        (DNS("example.com"), DNS("example.com"), True),
        (DNS("example.com"), DNS("a.b.EXAMPLE.com"), True),
        (DNS("example.com"), DNS("notexample.com"), False),
        (DNS(".example.com"), DNS("a.example.com"), True),
        (DNS(".example.com"), DNS("example.com"), False),
        (DNS(""), DNS("anything"), True),
        (MAIL("jane@example.com"), MAIL("jane@EXAMPLE.com"), True),
        (MAIL("jane@example.com"), MAIL("Jane@example.com"), False),
        (MAIL("example.com"), MAIL("jane@example.com"), True),
        (MAIL("example.com"), MAIL("jane@a.example.com"), False),
        (MAIL(".example.com"), MAIL("jane@a.example.com"), True),
        (URI("example.com"), URI("spiffe://example.com/a"), True),
        (URI("example.com"), URI("https://user@example.com:8080/a"), True),
        (URI("example.com"), URI("https://example.com@evil.com/a"), False),
        (URI("example.com"), URI("https://a.example.com"), False),
        (URI(".example.com"), URI("https://a.example.com?q"), True),
        (IP(NET), IP(ipaddress.ip_address("10.1.2.3")), True),
        (IP(NET), IP(ipaddress.ip_address("10.2.2.3")), False),
        (IP(NET), IP(ipaddress.ip_address("::1")), False),
    ],
)
def test_a_name_lies_in_a_subtree_or_outside(subtree, name, inside):
    assert judged([subtree], None, [name]) is inside
    assert judged(None, [subtree], [name]) is not inside


@pytest.mark.parametrize("uri", ["urn:a:b", "spiffe:///a", "https://10.1.2.3/", "https://[::1]/"])
def test_attack_a_uri_whose_host_cannot_be_told(uri):
    """It might be what was excluded, and is not what was permitted."""
    assert not judged([URI("example.com")], None, [URI(uri)])
    assert not judged(None, [URI("example.com")], [URI(uri)])


def test_names_of_other_kinds_are_free():
    assert judged([DNS("example.com")], None, [MAIL("jane@evil.com")])
    assert judged(None, [DNS("example.com")], [MAIL("jane@example.com")])


def test_a_distinguished_name_begins_as_it_is_permitted():
    inside = x509.DirectoryName(name_of("", ["Example"]))
    assert judged([inside], None, organizations=["Example"])
    assert not judged([inside], None, organizations=["Other"])
    assert not judged(None, [inside], organizations=["Example"])


def test_attack_an_e_mail_address_in_the_distinguished_name():
    evil = x509.Name([x509.NameAttribute(x509.NameOID.EMAIL_ADDRESS, "jane@evil.com")])
    assert not judged([MAIL("example.com")], None, subject=evil)
    assert judged([MAIL("evil.com")], None, subject=evil)


def test_nothing_is_wrong_without_constraints():
    assert objection([read(ROOT.issue()), read(ROOT)]) == ""
