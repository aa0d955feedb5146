"""Secrets are kept out of evidence."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navicert.errors import Malformed
from navicert.record import redaction as shapes
from navicert.record.redaction import REDACTED, Redaction


@pytest.mark.parametrize(
    "name",
    [
        "GITHUB_TOKEN", "API_KEY", "MY_APIKEY", "DB_PASSWORD", "db_password", "AWS_SECRET_ACCESS_KEY", "NPM_AUTH",
        "SECRET", "SIGNING_KEY_PEM", "CI_DEPLOY_PASSWORD", "VAULT_TOKEN_2", "PGPASSWORD", "REGISTRY_CREDENTIALS",
        "COSIGN_PASSPHRASE", "AZURE_PAT", "SSH_KEY",
    ],
)  # fmt: skip
def test_values_under_secret_names_are_removed(name):
    assert Redaction({name: "hunter2!"})("login hunter2! done") == f"login {REDACTED} done"


@pytest.mark.parametrize("name", ["PATH", "PWD", "OLDPWD", "HOME", "SSH_AUTH_SOCK", "KEYBOARD", "TOKENIZERS_MODE"])
def test_values_under_innocent_names_stay(name):
    assert Redaction({name: "/usr/bin"})("in /usr/bin now") == "in /usr/bin now"


def test_short_values_stay():
    assert Redaction({"USE_TOKEN": "true"})("it is true") == "it is true"


def test_the_longest_value_goes_first():
    redaction = Redaction({"A_TOKEN": "secret", "B_TOKEN": "secret-and-more"})
    assert redaction("secret-and-more secret") == f"{REDACTED} {REDACTED}"
    assert redaction.count == 2


def test_every_line_of_a_value_is_removed():
    redaction = Redaction({"SIGNING_KEY": "first line\nsecond line\n"})
    assert redaction("only second line here") == f"only {REDACTED} here"


SHAPES = [
    "ghp_" + "a" * 36,
    "github_pat_" + "a" * 30,
    "glpat-" + "a" * 20,
    "AKIA" + "A" * 16,
    "xoxb-123456789012-abc",
    "AIza" + "a" * 35,
    "npm_" + "a" * 36,
    "pypi-" + "a" * 60,
    "dckr_pat_" + "a" * 24,
    "hvs." + "a" * 24,
    "sk-" + "a" * 40,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcdefghijkl",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nAAAA\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nMIIE and the end is cut off",
]


@pytest.mark.parametrize("token", SHAPES)
def test_tokens_of_known_shapes_are_removed(token):
    text = Redaction()(f"before {token}")
    assert text == f"before {REDACTED}"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("curl -H 'Authorization: Bearer abcdefgh12345'", f"curl -H 'Authorization: Bearer {REDACTED}'"),
        ("authorization: basic dXNlcjpwYXNz", f"authorization: basic {REDACTED}"),
        ("git clone https://user:pa55@host/x", f"git clone https://user:{REDACTED}@host/x"),
        ("postgres://:pw@db", f"postgres://:{REDACTED}@db"),
    ],
)
def test_only_the_secret_part_is_removed(text, redacted):
    redaction = Redaction()
    assert redaction(text) == redacted
    assert redaction.count == 1


@pytest.mark.parametrize(
    "text",
    [
        "make -C task-list-of-something-long all",
        "ssh://git@github.com/a/b",
        "sha256:" + "a" * 64,
        "basic authentication and internationalization",
        "docker run -p 127.0.0.1:8080:80 image@sha256:" + "b" * 64,
        "https://host:8080/path",
        "-----BEGIN CERTIFICATE-----",
    ],
)
def test_ordinary_text_stays(text):
    assert Redaction()(text) == text


def test_patterns_of_the_caller_are_removed():
    redaction = Redaction(patterns=["cust-[0-9]+", "x*"])
    assert redaction("id cust-42 y") == f"id {REDACTED} y"
    assert redaction.count == 1


def test_a_pattern_that_is_none_is_refused():
    with pytest.raises(Malformed, match="not a regular expression"):
        Redaction(patterns=["("])


# What secret names are, in one expression: slow to compile, and so only here.
SECRET_NAME = re.compile(
    r"(?:^|_)(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|PAT|CREDENTIALS?|AUTH|BEARER|"
    r"(?:API|ACCESS|PRIVATE|SECRET|SIGNING|ENCRYPTION|ACCOUNT|DEPLOY|LICENSE|MASTER|SSH)_?KEY|APIKEY)"
    r"(?:_?(?:[0-9]+|KEY|VALUE|BASE64|B64|TOKEN|PEM|HEX|JSON))?$"
    r"|^(?:PGPASSWORD|MYSQL_PWD|RESTIC_PASSWORD|SSHPASS)$",
    re.IGNORECASE,
)
WORDS = (
    "TOKEN SECRET PASSWORD PASS PWD PAT CREDENTIAL CREDENTIALS AUTH API ACCESS KEY APIKEY SSH PG MYSQL VALUE B64 HEX "
    "JSON PGPASSWORD SSHPASS OLD key Token x 0 12 _ _ _ _"
).split()


@given(st.lists(st.sampled_from(WORDS), max_size=7).map("".join))
def test_secret_names_are_those_of_the_expression(name):
    secret = SECRET_NAME.search(name) is not None and name not in ("PWD", "OLDPWD")
    assert (Redaction({name: "hunter2!"})("hunter2!") == REDACTED) == secret


@given(st.data())
@pytest.mark.parametrize(("signs", "shape"), shapes._SHAPES, ids=lambda part: part[0] if type(part) is tuple else "")
def test_attack_a_secret_of_a_known_shape_is_not_looked_at(signs, shape, data):
    text = data.draw(st.from_regex(shape))
    assert any(sign in text for sign in signs)


@given(st.data())
@pytest.mark.parametrize(("sign", "shape"), shapes._WITHIN, ids=lambda part: part[:6])
def test_attack_a_secret_after_a_known_word_is_not_looked_at(sign, shape, data):
    assert sign in data.draw(st.from_regex(shape)).lower()


@pytest.mark.parametrize("word", ["authorization", "AUTHORIZATION", "author\u0131zation", "Author\u0130zation"])
def test_letters_that_are_the_same_in_another_case_do_not_hide_a_secret(word):
    assert Redaction()(f"{word}: bearer abcdefgh12345678") == f"{word}: bearer {REDACTED}"
