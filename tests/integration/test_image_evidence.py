"""An image with its evidence, through real tools: built by buildah, recorded, pushed, tagged anew, copied and judged.

Where it is judged there is the owner's public key and nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Component
from tests.docker_daemon import docker_daemon
from tests.image_chain import SOURCE, layout
from tests.registry_server import docker_registry, make_certificates

from navicert.cli.main import main
from navicert.crypto.signer import private_pem
from navicert.digest import sha256
from navicert.envelope.document import open_document, peek, seal
from navicert.model.link import Link
from navicert.oci.access import Access
from navicert.oci.reference import Reference
from navicert.oci.registry import Registry
from navicert.oci.remote import Resolved, resolve_reference
from navicert.store.sighting import Sighting
from navicert.store.sqlite import SqliteStore
from navicert.testing import signer
from navicert.testing.registry import LoopbackRegistry

DOCKERFILE = 'FROM scratch\nCOPY main.c /main.c\nENV MODE=production\nENTRYPOINT ["/main"]\n'


@dataclass(frozen=True)
class Harbour:
    """A running registry: its name, what our commands and what skopeo need to reach it, and how a client trusts it."""

    name: str
    options: tuple[str, ...] = ("--insecure",)


@pytest.fixture(scope="module")
def harbours(component: Component, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Harbour]]:
    """Registries of every kind."""
    folder = tmp_path_factory.mktemp("registries")
    tls = make_certificates(folder / "tls")
    program = component("docker-registry")
    with ExitStack() as stack:
        plain = stack.enter_context(docker_registry(program, folder / "plain"))
        other = stack.enter_context(docker_registry(program, folder / "other"))
        secret = stack.enter_context(
            docker_registry(program, folder / "secret", tls=tls, user="user", password="secret")
        )
        ours = stack.enter_context(LoopbackRegistry())
        yield {
            "plain": Harbour(plain.name),
            "other": Harbour(other.name),
            "secret": Harbour(secret.name, ("--ca-file", str(tls.authority))),
            "ours": Harbour(ours.name),
        }


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, harbours: dict[str, Harbour], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the owner's public key, in which everything is judged; and the password of one registry."""
    folder = tmp_path / "clean"
    folder.mkdir()
    (folder / "owner.pub").write_bytes(signer("owner").key.public_pem())
    auth = {"auths": {harbours["secret"].name: {"auth": "dXNlcjpzZWNyZXQ="}}}
    (tmp_path / "auth.json").write_text(json.dumps(auth))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    monkeypatch.chdir(folder)
    return folder


class Tools:
    """buildah and skopeo, with all of their state in one folder."""

    def __init__(self, folder: Path, buildah: Path, skopeo: Path) -> None:
        self.folder = folder
        self._buildah = [str(buildah), "--storage-driver", "vfs", "--root", f"{folder}/root"]
        self._buildah += ["--runroot", f"{folder}/runroot"]
        self._skopeo = skopeo

    def write_script(self) -> None:
        """Writes the command of the step `build`."""
        start = " ".join(self._buildah)
        options = "--format oci --isolation chroot --timestamp 0"
        (self.folder / "build.sh").write_text(
            f"set -eu\n{start} bud {options} -t localhost/app src\n{start} push localhost/app oci:image:1.0\n"
        )

    def copy(self, source: str, to: str, *options: str) -> None:
        """What skopeo makes of a copy."""
        words = [self._skopeo, "copy", "--src-tls-verify=false", "--dest-tls-verify=false", *options, source, to]
        subprocess.run([str(word) for word in words], cwd=self.folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def work(component: Component, tmp_path_factory: pytest.TempPathFactory) -> Tools:
    """A folder in which an image was built by buildah, every step recorded."""
    folder = tmp_path_factory.mktemp("work")
    tools = Tools(folder, component("buildah"), component("skopeo"))
    tools.write_script()
    (folder / "src").mkdir()
    for name in ("owner", "bob"):
        (folder / name).write_bytes(private_pem(signer(name), None))
        (folder / name).chmod(0o600)
        (folder / f"{name}.pub").write_bytes(signer(name).key.public_pem())
    (folder / "root.layout").write_bytes(seal(layout(), signer("owner")))
    for name, content in {**SOURCE, "src/Dockerfile": DOCKERFILE.encode()}.items():
        (folder / name).write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        words = ["--key", "bob", "--store", "evidence", "-q"]
        assert main(["run", "step00", *words, "-p", "src", "--", "true"]) == 0
        assert main(["run", "build", *words, "-m", "src", "-p", "app=oci:image:1.0", "--", "sh", "build.sh"]) == 0
    return tools


def push(work: Tools, there: Harbour, name: str) -> str:
    """Pushes the image by skopeo and its chain by us; the reference to it."""
    reference = f"{there.name}/{name}:1.0"
    work.copy("oci:image:1.0", f"docker://{reference}")
    at = work.folder
    words = ["--layout", f"{at}/root.layout", "--owner", f"{at}/owner.pub", "--store", f"{at}/evidence"]
    assert main(["evidence", "push", reference, *words, *there.options]) == 0
    return reference


def verify(reference: str, *more: str) -> int:
    return main(["verify", "--owner", "owner.pub", *more, reference])


def resolved(reference: str) -> Resolved:
    """What a reference names, in a registry without passwords."""
    found = Reference.parse(reference)
    with Registry(found.registry, Access(insecure=True)) as registry:
        return resolve_reference(registry, found)


def read(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


# --- from the build to a clean machine ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["plain", "secret", "ours"])
def test_what_buildah_built_verifies_by_its_reference_where_only_the_owners_key_is(
    work: Tools, harbours: dict[str, Harbour], name: str
):
    there = harbours[name]
    assert verify(push(work, there, "built/app"), *there.options) == 0


def test_a_password_or_an_authority_that_is_not_known_is_no_verdict(work: Tools, harbours: dict[str, Harbour],
                                                                    monkeypatch: pytest.MonkeyPatch):  # fmt: skip
    there = harbours["secret"]
    reference = push(work, there, "denied/app")
    assert verify(reference) == 3  # a certificate that nobody known has signed
    monkeypatch.setenv("REGISTRY_AUTH_FILE", os.devnull)
    assert verify(reference, *there.options) in (2, 3)


@pytest.mark.parametrize(
    ("source", "to"), [("plain", "secret"), ("secret", "ours"), ("ours", "plain"), ("plain", "other")]
)
def test_a_copy_between_two_registries_verifies_under_its_new_name(
    work: Tools, harbours: dict[str, Harbour], source: str, to: str
):
    reference = push(work, harbours[source], f"copied/{to}")
    there = f"{harbours[to].name}/mirror/of-{source}:2.0"
    options = list(dict.fromkeys((*harbours[source].options, *harbours[to].options)))
    assert main(["evidence", "copy", reference, there, "--owner", "owner.pub", *options]) == 0
    assert verify(there, *harbours[to].options) == 0


def test_tagged_anew_it_still_verifies(work: Tools, harbours: dict[str, Harbour]):
    reference = push(work, harbours["plain"], "tagged/app")
    work.copy(f"docker://{reference}", f"docker://{reference[:-3]}latest", "--preserve-digests")
    assert verify(f"{reference[:-3]}latest", "--insecure") == 0


def test_copied_by_skopeo_alone_it_fails_and_the_message_says_what_to_do(
    work: Tools, harbours: dict[str, Harbour], capsys: pytest.CaptureFixture[str]
):
    reference = push(work, harbours["plain"], "alone/app")
    there = f"{harbours['other'].name}/alone/app:1.0"
    work.copy(f"docker://{reference}", f"docker://{there}")
    capsys.readouterr()
    assert verify(there, "--insecure", "--layout", f"{work.folder}/root.layout", "--json") == 1
    captured = capsys.readouterr()
    asked = [
        one["place"]
        for check in json.loads(captured.out)["checks"]
        if check["id"] == "evidence.found"
        for one in check["facts"]["asked"]
    ]
    assert len(asked) >= 3
    for place in asked:
        assert f"asked {place}: " in captured.err
    assert "navicert evidence copy" in captured.err
    assert verify(there, "--insecure", "--evidence-from", f"registry:{reference}") == 0


def asked_memory(err: str) -> str:
    """What the message says that the memory of a store answered."""
    return next(line for line in err.splitlines() if "(memory): " in line).partition("(memory): ")[2]


@pytest.mark.parametrize("how", ["pushed", "pulled"])
def test_a_store_remembers_where_there_was_evidence_and_the_copy_it_suggests_makes_it_pass(
    work: Tools, harbours: dict[str, Harbour], capsys: pytest.CaptureFixture[str], how: str
):
    """Copied by skopeo alone; the store here holds no evidence, and knows where there is some."""
    name = f"remembered/{how}"
    reference = push(work, harbours["plain"], name)
    here = ["--store", "sqlite:here.db"]
    if how == "pulled":
        assert main(["evidence", "pull", reference, *here, "--insecure"]) == 0
        with closing(SqliteStore("here.db")) as store:
            store.remove(list(store.pieces()))
    else:
        with closing(SqliteStore("here.db")) as store:
            store.prepare()
        at = work.folder
        words = ["--layout", f"{at}/root.layout", "--owner", f"{at}/owner.pub", "--store", f"{at}/evidence"]
        assert main(["evidence", "push", reference, *words, *here, "--insecure"]) == 0
    digest = str(resolved(reference).root.digest)
    there = f"{harbours['other'].name}/{name}:1.0"
    work.copy(f"docker://{reference}", f"docker://{there}")
    for target in (there, f"{there[:-3]}repacked"):
        if target != there:  # other digests, the same content
            work.copy(f"docker://{reference}", f"docker://{target}", "--format", "v2s2")
        capsys.readouterr()
        assert verify(target, *here, "--insecure") == 1
        err = capsys.readouterr().err
        assert asked_memory(err).startswith(f"seen at {reference}@{digest} on 20")
        suggested = f"navicert evidence copy {reference}@{digest} {target}"
        if target != there:
            suggested = f"navicert verify --evidence-from registry:{reference}@{digest} reads it there"
        assert f"it was seen elsewhere – {suggested}" in err
        if target != there:
            policy = ["--layout", f"{work.folder}/root.layout", "--evidence-from", f"registry:{reference}@{digest}"]
            assert verify(target, *policy, "--insecure") == 0
    assert main(["evidence", "copy", "--insecure", f"{reference}@{digest}", there]) == 0
    assert verify(there, *here, "--insecure") == 0
    asked = capsys.readouterr().err
    assert "seen elsewhere" not in asked


def test_what_a_store_remembers_counts_for_nothing_and_asks_nobody(
    work: Tools, harbours: dict[str, Harbour], capsys: pytest.CaptureFixture[str]
):
    """A store of a stranger says that there is evidence at a registry which would only like to be asked."""
    reference = push(work, harbours["plain"], "hinted/app")
    there = f"{harbours['other'].name}/hinted/app:1.0"
    work.copy(f"docker://{reference}", f"docker://{there}")
    digest = str(resolved(there).root.digest)
    with LoopbackRegistry() as lure, closing(SqliteStore("here.db")) as store:
        places = [f"{lure.name}/app@{digest}", f"evil\x1b[2J.example/app@{digest}", f"x; rm -rf ~ @{digest}", ""]
        store.remember([Sighting(digest, place, datetime.now(UTC)) for place in places])
        capsys.readouterr()
        assert verify(there, "--store", "sqlite:here.db", "--insecure") == 1
        assert lure.seen == ()
    err = capsys.readouterr().err
    assert asked_memory(err).startswith(f"seen at {lure.name}/app@")
    assert "rm -rf" not in err
    assert "\x1b" not in err


def test_no_copy_of_another_image_over_the_one_that_was_meant_is_suggested(
    work: Tools, harbours: dict[str, Harbour], capsys: pytest.CaptureFixture[str]
):
    """A store of a stranger says that the evidence for this image lies beside another one."""
    reference = push(work, harbours["plain"], "swapped/app")
    there = f"{harbours['other'].name}/swapped/app:1.0"
    work.copy(f"docker://{reference}", f"docker://{there}")
    evil = f"{harbours['plain'].name}/evil@sha256:{'e' * 64}"
    with closing(SqliteStore("here.db")) as store:
        store.remember([Sighting(str(resolved(there).root.digest), evil, datetime.now(UTC))])
    capsys.readouterr()
    assert verify(there, "--store", "sqlite:here.db", "--insecure") == 1
    err = capsys.readouterr().err
    assert f"seen at {evil}" in err
    assert f"evidence copy {evil}" not in err


def test_a_store_that_cannot_remember_hinders_nothing(
    work: Tools, harbours: dict[str, Harbour], capsys: pytest.CaptureFixture[str]
):
    reference = push(work, harbours["plain"], "forgetful/app")
    Path("folder").mkdir()
    Path("folder/.images.link-seen").write_text("{}")
    capsys.readouterr()
    assert main(["evidence", "pull", reference, "--store", "folder", "--insecure"]) == 0
    assert "not remembered where the evidence is" in capsys.readouterr().err
    there = f"{harbours['other'].name}/forgetful/app:1.0"
    work.copy(f"docker://{reference}", f"docker://{there}")
    for file in Path("folder").glob("*.link"):
        file.unlink()
    assert verify(there, "--store", "folder", "--insecure") == 1
    assert asked_memory(capsys.readouterr().err).startswith("cannot be read: ")


def test_recompressed_it_verifies_by_its_content(
    work: Tools, harbours: dict[str, Harbour], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """Packed anew on its way, the image has another manifest; what runs is the same."""
    reference = push(work, harbours["plain"], "packed/app")
    there = f"{harbours['other'].name}/packed/app:1.0"
    work.copy(f"docker://{reference}", f"dir:{tmp_path}/loose", "--dest-decompress")
    work.copy(f"dir:{tmp_path}/loose", f"oci:{tmp_path}/packed:1.0", "--dest-compress", "--dest-compress-level", "1")
    work.copy(f"oci:{tmp_path}/packed:1.0", f"docker://{there}", "--preserve-digests")
    at = work.folder
    words = ["--layout", f"{at}/root.layout", "--store", f"{at}/evidence", "--check-layers", "--json", "--insecure"]
    capsys.readouterr()
    assert verify(there, *words) == 0
    reasons = [check["reason"] for check in read(capsys)["checks"] if check["id"] == "target.digest"]
    assert "recorded as app/linux/amd64/content" in reasons or "recorded as app/linux/amd64/config" in reasons


def test_built_recorded_pushed_tagged_anew_recompressed_and_copied_it_verifies_on_a_clean_machine(
    work: Tools, harbours: dict[str, Harbour], tmp_path: Path
):
    """Packed anew it is another manifest, to which nothing is attached: its chain is pushed again, because it holds for
    the content, and from then on travels with it."""
    reference = push(work, harbours["plain"], "whole/app")
    work.copy(f"docker://{reference}", f"docker://{reference[:-3]}tagged", "--preserve-digests")
    work.copy(f"docker://{reference[:-3]}tagged", f"dir:{tmp_path}/loose", "--dest-decompress")
    work.copy(f"dir:{tmp_path}/loose", f"oci:{tmp_path}/packed:1.0", "--dest-compress", "--dest-compress-level", "1")
    packed = f"{harbours['plain'].name}/whole/packed:1.0"
    work.copy(f"oci:{tmp_path}/packed:1.0", f"docker://{packed}", "--preserve-digests")
    assert verify(packed, "--insecure", "--layout", f"{work.folder}/root.layout") == 1
    at = work.folder
    words = ["--layout", f"{at}/root.layout", "--owner", f"{at}/owner.pub", "--store", f"{at}/evidence"]
    assert main(["evidence", "push", packed, *words, "--insecure"]) == 0
    for there in (harbours["other"], harbours["ours"]):
        copy = f"{there.name}/whole/copy:2.0"
        assert main(["evidence", "copy", packed, copy, "--owner", "owner.pub", *there.options]) == 0
        assert verify(copy, *there.options) == 0
    secret = harbours["secret"]
    options = [*secret.options, *harbours["plain"].options]
    copy = f"{secret.name}/whole/copy:2.0"
    assert main(["evidence", "copy", packed, copy, "--owner", "owner.pub", *options]) == 0
    assert verify(copy, *secret.options) == 0


# --- recorded from a registry and from engines ----------------------------------------------------------------------


def products(folder: Path) -> dict[str, str]:
    (path,) = folder.glob("build.*.link")
    body = peek(open_document(path.read_bytes())).body
    assert isinstance(body, Link)
    return {name.rpartition("/")[2]: str(digests) for name, digests in body.products.items()}


def record(work: Tools, spec: str, *more: str) -> dict[str, str]:
    assert main(["run", "build", "--key", f"{work.folder}/bob", "-q", "-p", f"app={spec}", *more, "--", "true"]) == 0
    return products(Path())


def built(work: Tools) -> dict[str, str]:
    body = peek(open_document(next((work.folder / "evidence").glob("build.*")).read_bytes())).body
    assert isinstance(body, Link)
    return {name.rpartition("/")[2]: str(digests) for name, digests in body.products.items()}


def test_an_image_in_a_registry_is_recorded_as_what_was_pushed(work: Tools, harbours: dict[str, Harbour]):
    there = harbours["secret"]
    reference = push(work, there, "recorded/app")
    assert record(work, f"registry:{reference}", *there.options) == built(work)


def test_an_image_that_podman_has_is_recorded_like_the_one_that_buildah_pushed(
    work: Tools, component: Component, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    component("podman")
    storage = tmp_path / "storage.conf"
    storage.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{tmp_path}/g"\nrunroot = "{tmp_path}/r"\n')
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(storage))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody")
    subprocess.run(["podman", "pull", "-q", f"oci:{work.folder}/image:1.0"], check=True, capture_output=True)
    image = subprocess.run(["podman", "images", "-q", "--no-trunc"], check=True, capture_output=True, text=True).stdout
    subprocess.run(["podman", "tag", image.strip(), "localhost/app:1.0"], check=True, capture_output=True)
    found = record(work, "image:localhost/app:1.0")
    assert {name: found[name] for name in ("config", "layers", "content")} == {
        name: value for name, value in built(work).items() if name != "manifest"
    }


def test_an_image_that_docker_has_is_recorded_with_the_same_content(
    work: Tools, component: Component, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    work.copy("oci:image:1.0", f"docker-archive:{tmp_path}/app.tar:app:1.0")
    with docker_daemon(component("dockerd")) as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        subprocess.run(["docker", "load", "-i", f"{tmp_path}/app.tar"], check=True, capture_output=True)
        found = record(work, "image:app:1.0")
    assert (found["content"], found["layers"]) == (built(work)["content"], built(work)["layers"])


def test_an_image_that_no_engine_has_is_not_recorded(work: Tools, capsys: pytest.CaptureFixture[str], clean: Path):
    words = ["run", "build", "--key", f"{work.folder}/bob", "-p", "app=image:nobody/has-it:1", "--", "true"]
    assert main(words) == 125
    assert "no container engine has the image" in capsys.readouterr().err
    assert not list(clean.glob("*.link"))


def test_an_image_name_that_looks_like_an_option_is_refused(work: Tools, capsys: pytest.CaptureFixture[str]):
    words = ["run", "build", "--key", f"{work.folder}/bob", "-p", "app=image:--output=/tmp/x", "--", "true"]
    assert main(words) == 125
    assert "not the name of an image" in capsys.readouterr().err


def test_two_engines_that_disagree_about_a_name_are_not_chosen_from(
    work: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for program, text in (("docker", "a"), ("podman", "b")):
        (tmp_path / program).write_text(f"#!/bin/sh\necho {sha256(text.encode()).hex}\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + os.environ["PATH"])
    words = ["run", "build", "--key", f"{work.folder}/bob", "-p", "app=image:app:1", "--", "true"]
    assert main(words) == 125
    assert "docker and podman hold different images" in capsys.readouterr().err
