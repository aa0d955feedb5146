"""Credentials as the tools of the field leave them; helpers as programs that really run."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from navicert.errors import LimitExceeded, Malformed, Unavailable
from navicert.limits import LOCAL
from navicert.oci.credential import Anonymous, Credential, CredentialFiles, Single

HUB = "https://index.docker.io/v1/"


def auth(user: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def keychain(folder: Path, body: Any, **fields: Any) -> CredentialFiles:
    path = folder / "config.json"
    path.write_text(body if isinstance(body, str) else json.dumps(body))
    return CredentialFiles((path,), **fields)


def helper(folder: Path, name: str, script: str) -> str:
    """A credential helper; the search path that finds it."""
    (folder / "bin").mkdir(exist_ok=True)
    program = folder / "bin" / f"docker-credential-{name}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(folder / "bin")


@pytest.mark.parametrize(
    ("key", "registry"),
    [
        ("r.example", "r.example"),
        ("R.Example", "r.example"),
        ("https://r.example", "r.example"),
        ("https://r.example/", "r.example"),
        ("https://r.example/v1/", "r.example"),
        ("https://r.example/v2/", "r.example"),
        ("http://r.example", "r.example"),
        ("r.example:5000", "r.example:5000"),
        ("[::1]:5000", "[::1]:5000"),
        (HUB, "docker.io"),
        ("docker.io", "docker.io"),
        ("index.docker.io", "docker.io"),
    ],
)
def test_a_registry_is_found_under_every_name_that_tools_write(tmp_path: Path, key: str, registry: str):
    found = keychain(tmp_path, {"auths": {key: auth("user", "pass:word")}}).find(registry, "team/app")
    assert found == Credential("user", "pass:word")


@pytest.mark.parametrize(
    "key",
    [
        "r.example.evil", "evilr.example", "sub.r.example", "example", "r.example:5000", "https://r.example:443x",
        "r.example/team/other", "r.example/te", "ftp://r.example", "r.example@evil", "", "*", "r.*",
    ],
)  # fmt: skip
def test_a_credential_is_for_one_host_and_nothing_like_it(tmp_path: Path, key: str):
    assert keychain(tmp_path, {"auths": {key: auth("user", "pass")}}).find("r.example", "team/app") is None


def test_the_most_particular_entry_counts(tmp_path: Path):
    auths = {name: auth(name, "x") for name in ("r.example", "r.example/team", "r.example/team/app", "r.example/t")}
    chain = keychain(tmp_path, {"auths": auths})
    for repository, name in [
        ("team/app", "r.example/team/app"),
        ("team/app/sub", "r.example/team/app"),
        ("team/other", "r.example/team"),
        ("team-x/app", "r.example"),
        ("other", "r.example"),
    ]:
        assert chain.find("r.example", repository) == Credential(name, "x")


@pytest.mark.parametrize(
    ("entry", "credential"),
    [
        ({"username": "user", "password": "pass"}, Credential("user", "pass")),
        (auth("user", "pass") | {"identitytoken": "refresh"}, Credential(identity_token="refresh")),
        ({"identitytoken": "refresh"}, Credential(identity_token="refresh")),
        (auth("<token>", "refresh"), Credential(identity_token="refresh")),
        (
            auth("00000000-0000-0000-0000-000000000000", "acr"),
            Credential("0" * 8 + "-0000" * 3 + "-" + "0" * 12, "acr"),
        ),
        (auth("user", "pass\0\0"), Credential("user", "pass")),
        ({}, None),
    ],
)
def test_every_form_of_entry_is_read(tmp_path: Path, entry: dict[str, str], credential: Credential | None):
    assert keychain(tmp_path, {"auths": {"r.example": entry}}).find("r.example", "app") == credential


@pytest.mark.parametrize(
    "body",
    ["[]", "{", '{"auths": []}', '{"auths": {"r.example": 1}}', '{"auths": {"r.example": {"auth": "%%%"}}}',
     '{"auths": {"r.example": {"auth": "bm9jb2xvbg=="}}}', '{"credsStore": "../../bin/sh"}', '{"credsStore": 1}',
     '{"credHelpers": {"r.example": "a/b"}}', '{"auths": {}, "auths": {}}'],
)  # fmt: skip
def test_a_file_that_cannot_be_understood_is_named(tmp_path: Path, body: str):
    with pytest.raises(Malformed) as caught:
        keychain(tmp_path, body, search_path="/bin").find("r.example", "app")
    assert caught.value.path == str(tmp_path / "config.json")


def test_no_secret_is_shown(tmp_path: Path):
    credential = Credential("user", "hunter2", "refresh")
    assert "hunter2" not in repr(credential)
    assert "refresh" not in repr(credential)
    assert "hunter2" not in repr(Single("r.example", credential))
    broken = {"auths": {"r.example": {"auth": base64.b64encode(b"hunter2").decode()}}}
    with pytest.raises(Malformed) as caught:
        keychain(tmp_path, broken).find("r.example", "app")
    assert "hunter2" not in str(caught.value)
    assert base64.b64encode(b"hunter2").decode() not in str(caught.value)


def test_a_huge_file_is_refused(tmp_path: Path):
    with pytest.raises(LimitExceeded, match="limit credential_bytes"):
        keychain(tmp_path, " " * (LOCAL.credential_bytes + 1)).find("r.example", "app")


def test_an_empty_file_and_none_at_all_know_nothing(tmp_path: Path):
    assert keychain(tmp_path, "").find("r.example", "app") is None
    assert CredentialFiles((tmp_path / "nothing.json",)).find("r.example", "app") is None
    assert Anonymous().find("r.example", "app") is None
    assert Single("r.example", Credential("u", "p")).find("r.example:5000", "app") is None


def test_a_file_that_may_not_be_seen_is_not_one_that_is_not_there(tmp_path: Path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(Unavailable, match="cannot be read"):
        CredentialFiles((tmp_path / "loop" / "config.json",)).find("r.example", "app")


def test_a_pipe_in_place_of_a_file_does_not_hang(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Malformed, match="not a regular file"):
        CredentialFiles((tmp_path / "pipe",)).find("r.example", "app")


# --- which files ------------------------------------------------------------------------------------------------------


def test_the_files_are_those_of_docker_podman_and_skopeo(tmp_path: Path):
    home = str(tmp_path)
    found = CredentialFiles.from_environment({"HOME": home, "XDG_RUNTIME_DIR": "/run/user/1", "DOCKER_CONFIG": "/dc"})
    assert [str(path) for path in found.files] == [
        "/dc/config.json",
        "/run/user/1/containers/auth.json",
        f"{home}/.config/containers/auth.json",
        f"{home}/.docker/config.json",
    ]


def test_a_file_that_is_asked_for_is_the_only_one_and_must_be_there(tmp_path: Path):
    found = CredentialFiles.from_environment({"HOME": "/root", "REGISTRY_AUTH_FILE": str(tmp_path / "auth.json")})
    assert [str(path) for path in found.files] == [str(tmp_path / "auth.json")]
    with pytest.raises(Malformed, match="no such file"):
        found.find("r.example", "app")


def test_nothing_is_taken_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(json.dumps({"auths": {"r.example": auth("evil", "x")}}))
    for environment in ({}, {"HOME": ""}, {"HOME": "."}, {"DOCKER_CONFIG": ".docker"}, {"XDG_RUNTIME_DIR": "."}):
        assert CredentialFiles.from_environment(environment).find("r.example", "app") is None


def test_the_first_file_that_knows_decides(tmp_path: Path):
    (tmp_path / "first").write_text(json.dumps({"auths": {"other.example": auth("no", "x")}}))
    (tmp_path / "second").write_text(json.dumps({"auths": {"r.example": auth("second", "x")}}))
    (tmp_path / "third").write_text(json.dumps({"auths": {"r.example": auth("third", "x")}}))
    found = CredentialFiles(tuple(tmp_path / name for name in ("first", "second", "third"))).find("r.example", "app")
    assert found == Credential("second", "x")


# --- helpers ----------------------------------------------------------------------------------------------------------


def test_a_helper_is_asked_for_its_registry(tmp_path: Path):
    path = helper(tmp_path, "ecr-login", 'read server; echo "{\\"Username\\":\\"AWS\\",\\"Secret\\":\\"$1 $server\\"}"')
    body = {"credHelpers": {"1.dkr.ecr.eu-west-1.amazonaws.com": "ecr-login"}, "credsStore": "unused"}
    found = keychain(tmp_path, body, search_path=path).find("1.dkr.ecr.eu-west-1.amazonaws.com", "app")
    assert found == Credential("AWS", "get 1.dkr.ecr.eu-west-1.amazonaws.com")


def test_a_store_is_asked_for_docker_hub_by_the_name_that_docker_uses(tmp_path: Path):
    path = helper(tmp_path, "store", 'read server; echo "{\\"Username\\":\\"u\\",\\"Secret\\":\\"$server\\"}"')
    assert keychain(tmp_path, {"credsStore": "store"}, search_path=path).find("docker.io", "x") == Credential("u", HUB)


def test_a_helper_may_give_an_identity_token(tmp_path: Path):
    path = helper(tmp_path, "acr", 'echo "{\\"Username\\":\\"<token>\\",\\"Secret\\":\\"refresh\\"}"')
    found = keychain(tmp_path, {"credsStore": "acr"}, search_path=path).find("x.azurecr.io", "app")
    assert found == Credential(identity_token="refresh")


def test_a_helper_that_knows_nothing_leaves_it_to_the_file(tmp_path: Path):
    path = helper(tmp_path, "store", "echo credentials not found in native keychain; exit 1")
    body = {"credsStore": "store", "auths": {"r.example": auth("user", "pass")}}
    assert keychain(tmp_path, body, search_path=path).find("r.example", "app") == Credential("user", "pass")
    assert keychain(tmp_path, {"credsStore": "store"}, search_path=path).find("r.example", "app") is None


@pytest.mark.parametrize("script", ["echo cloud is down; exit 1", "exit 3", "kill -9 $$"])
def test_a_helper_that_fails_is_not_one_that_knows_nothing(tmp_path: Path, script: str):
    path = helper(tmp_path, "store", script)
    with pytest.raises(Unavailable, match="credential helper failed") as caught:
        keychain(tmp_path, {"credsStore": "store"}, search_path=path).find("r.example", "app")
    assert caught.value.path == "docker-credential-store"


@pytest.mark.parametrize("answer", ["", "no JSON", "[]", '{\\"Username\\": 1}'])
def test_a_helper_that_answers_nonsense_is_named(tmp_path: Path, answer: str):
    path = helper(tmp_path, "store", f'echo "{answer}"')
    with pytest.raises(Malformed) as caught:
        keychain(tmp_path, {"credsStore": "store"}, search_path=path).find("r.example", "app")
    assert "docker-credential-store" in caught.value.path


def test_a_helper_that_talks_without_end_is_stopped(tmp_path: Path):
    path = helper(tmp_path, "store", "cat /dev/zero")
    with pytest.raises(LimitExceeded, match="limit credential_bytes"):
        keychain(tmp_path, {"credsStore": "store"}, search_path=path).find("r.example", "app")


@pytest.mark.parametrize("script", ["sleep 600", "sleep 600 &\nexit 0", "trap '' TERM; sleep 600"])
def test_a_helper_that_never_ends_is_stopped_with_what_it_started(tmp_path: Path, script: str):
    path = helper(tmp_path, "store", script)
    limits = replace(LOCAL, credential_seconds=1)
    with pytest.raises(Unavailable, match="limit credential_seconds"):
        keychain(tmp_path, {"credsStore": "store"}, search_path=path, limits=limits).find("r.example", "app")


def test_a_helper_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(Unavailable, match="docker-credential-store is not there"):
        keychain(tmp_path, {"credsStore": "store"}, search_path="/nowhere").find("r.example", "app")


@pytest.mark.parametrize("path", ["", ".", "bin", ":", ".:bin", "::bin:"])
def test_a_helper_in_the_working_directory_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str):
    helper(tmp_path, "store", f"touch {tmp_path}/run; echo {{}}")
    (tmp_path / "docker-credential-store").symlink_to(tmp_path / "bin" / "docker-credential-store")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Unavailable, match="is not there"):
        keychain(tmp_path, {"credsStore": "store"}, search_path=path).find("r.example", "app")
    assert not (tmp_path / "run").exists()
