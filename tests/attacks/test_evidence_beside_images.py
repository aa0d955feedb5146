"""Attacks on the evidence beside an image: each test is one, made by somebody who may push to the registry, or is it.

The victim has the owner's public key, and asks on the command line. Nothing of this may pass, and what could not be
found out is never taken for an answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.image_chain import layout, links

from navicert.cli.main import main
from navicert.crypto.signer import private_pem
from navicert.envelope.document import seal
from navicert.model.link import Link
from navicert.oci.access import Access
from navicert.oci.attachment import PACK
from navicert.oci.image import Image
from navicert.oci.manifest import Descriptor
from navicert.oci.reference import Reference
from navicert.oci.registry import Registry
from navicert.oci.remote import resolve_reference
from navicert.resolve.image import image_artifacts
from navicert.store import Filing
from navicert.store.pack import Pack, write_pack
from navicert.testing import fault, signer
from navicert.testing.fault import Request, Response
from navicert.testing.registry import LoopbackRegistry

DSSE = "application/vnd.dsse.envelope.v1+json"


@pytest.fixture
def server() -> Iterator[LoopbackRegistry]:
    with LoopbackRegistry() as registry:
        yield registry


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "clean"
    folder.mkdir()
    (folder / "owner.pub").write_bytes(signer("owner").key.public_pem())
    (folder / "root.layout").write_bytes(seal(layout(), signer("owner")))
    monkeypatch.chdir(folder)
    (tmp_path / "auth.json").write_text("{}")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    return folder


def image(server: LoopbackRegistry, tag: str, content: bytes = b"good") -> tuple[str, Descriptor, Image]:
    """An image with this content: its reference, what it is, and how it reads."""
    root = server.add_image("app", tag, {"app": content})
    reference = f"{server.name}/app:{tag}"
    with Registry(server.name, Access(insecure=True)) as registry:
        return reference, root, resolve_reference(registry, Reference.parse(reference)).image()


def chain_of(image: Image, *, by: str = "bob") -> list[bytes]:
    return [seal(link, signer(by)) for link in links(image_artifacts("app", image))]


def pack_of(image: Image, *, owner: str = "owner", by: str = "bob", version: int = 1) -> bytes:
    """A whole chain, as `evidence push` attaches it."""
    keyid = signer(by).keyid
    steps = [link.name for link in links({})]
    filings = [Filing(step, keyid, raw) for step, raw in zip(steps, chain_of(image, by=by), strict=True)]
    return write_pack(Pack(seal(layout(version=version), signer(owner)), tuple(filings)))


def verify(reference: str, *more: str) -> int:
    return main(["verify", "--owner", "owner.pub", "--insecure", *more, reference])


def judged(reference: str, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    """The verdict, which must be against it."""
    capsys.readouterr()
    assert verify(reference, "--json", *more) == 1
    read: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert read["passed"] is False
    return read


def failed(read: dict[str, Any]) -> set[str]:
    return {check["id"] for check in read["checks"] if check["outcome"] in ("fail", "error")}


def test_the_same_image_with_its_own_evidence_passes(server: LoopbackRegistry):
    """What all attacks below are made from."""
    reference, root, found = image(server, "1.0")
    server.add_artifact("app", pack_of(found), PACK, subject=root)
    assert verify(reference) == 0
    assert verify(reference, "--layout", "root.layout") == 0


# --- evidence that belongs to something else ------------------------------------------------------------------------


def test_genuine_evidence_attached_to_an_image_that_no_link_produced(
    server: LoopbackRegistry, capsys: pytest.CaptureFixture[str]
):
    """The chain of the good image, pushed as that of another one: being found beside it binds nothing."""
    _, _, good = image(server, "1.0")
    evil, root, _ = image(server, "evil", b"evil")
    server.add_artifact("app", pack_of(good), PACK, subject=root)
    assert failed(judged(evil, capsys)) >= {"target.bound"}
    assert failed(judged(evil, capsys, "--layout", "root.layout")) >= {"target.bound"}


def test_genuine_evidence_under_the_tags_of_another_image(server: LoopbackRegistry, capsys: pytest.CaptureFixture[str]):
    _, _, good = image(server, "1.0")
    evil, root, _ = image(server, "evil", b"evil")
    for number, raw in enumerate(chain_of(good)):
        server.add_artifact("app", raw, DSSE, tag=f"sha256-{root.digest.hex}.nav-{number:016}")
    assert failed(judged(evil, capsys, "--layout", "root.layout")) >= {"target.bound"}


def test_a_tag_moved_to_another_image_takes_no_evidence_along(
    server: LoopbackRegistry, capsys: pytest.CaptureFixture[str]
):
    reference, root, good = image(server, "1.0")
    server.add_artifact("app", pack_of(good), PACK, subject=root)
    assert verify(reference) == 0
    image(server, "1.0", b"evil")
    assert failed(judged(reference, capsys)) == {"verdict", "evidence", "layout.none"} & failed(
        judged(reference, capsys)
    )


def test_an_index_that_adds_a_platform_nobody_built(server: LoopbackRegistry, capsys: pytest.CaptureFixture[str]):
    """One platform has evidence, the other was slipped in: every platform must be bound, or the index itself."""
    from navicert.oci.manifest import Platform

    amd64, arm64 = Platform("linux", "amd64"), Platform("linux", "arm64")
    _, child, good = image(server, "1.0")
    evil = server.add_image("app", "", {"app": b"evil"}, arm64)
    index = server.add_index("app", {amd64: child, arm64: evil}, tag="both")
    server.add_artifact("app", pack_of(good), PACK, subject=index)
    read = judged(f"{server.name}/app:both", capsys)
    assert "target.bound" in failed(read)
    assert any("linux/arm64" in check["reason"] for check in read["checks"] if check["id"] == "target.digest")


# --- evidence by nobody who may -------------------------------------------------------------------------------------


def test_a_layout_of_the_attackers_own_attached_with_a_chain_that_fits_it(
    server: LoopbackRegistry, capsys: pytest.CaptureFixture[str]
):
    """Who takes a layout from the registry must not trust it for that: the owner's key decides."""
    reference, root, found = image(server, "evil", b"evil")
    server.add_artifact("app", pack_of(found, owner="eve"), PACK, subject=root)
    assert "layout.signature" in failed(judged(reference, capsys))
    assert "layout.signature" in failed(judged(reference, capsys, "--layout", f"registry:{reference}"))


def test_the_owners_layout_with_links_that_a_stranger_signed(
    server: LoopbackRegistry, capsys: pytest.CaptureFixture[str]
):
    reference, root, found = image(server, "evil", b"evil")
    server.add_artifact("app", pack_of(found, by="eve"), PACK, subject=root)
    read = judged(reference, capsys)
    assert {"evidence.found", "step.threshold"} <= failed(read)
    assert any(
        "no valid signature" in check["reason"] for check in read["checks"] if check["id"] == "evidence.near-miss"
    )


def test_a_hundred_packs_of_strangers_beside_the_genuine_one(
    server: LoopbackRegistry, capsys: pytest.CaptureFixture[str]
):
    """Neither hidden nor made slow by what others attach: layouts that no owner signed are not judged by."""
    reference, root, found = image(server, "1.0")
    for number in range(100):
        server.add_artifact("app", pack_of(found, owner="eve", version=number + 1), PACK, subject=root)
    server.add_artifact("app", pack_of(found), PACK, subject=root)
    assert verify(reference) == 0
    read = judged(reference, capsys, "--revoke", signer("bob").keyid)
    assert len([check for check in read["checks"] if check["id"] == "layout.signature"]) == 1


def test_rubbish_beside_the_genuine_evidence_hides_nothing(server: LoopbackRegistry):
    reference, root, found = image(server, "1.0")
    for number, (raw, kind) in enumerate(
        [(b"\0" * 99, PACK), (b"{" * 999, DSSE), (b"", DSSE), (b"[]", DSSE), (b"1\n2", DSSE)]
    ):
        server.add_artifact("app", raw, kind, subject=root, annotations={"n": str(number)})
    server.add_artifact("app", b"{}", DSSE, tag=f"sha256-{root.digest.hex}")
    server.add_artifact("app", pack_of(found), PACK, subject=root)
    assert verify(reference) == 0


def test_an_older_layout_that_the_owner_once_signed_is_refused_where_a_newer_one_was_seen(
    server: LoopbackRegistry, capsys: pytest.CaptureFixture[str]
):
    reference, root, found = image(server, "1.0")
    held = server.contents["app"].manifests
    new = server.add_artifact("app", pack_of(found, version=2), PACK, subject=root)
    state = ["--trust-state", "state.json"]
    assert verify(reference, *state) == 0
    del held[str(new.digest)]
    server.add_artifact("app", pack_of(found, version=1), PACK, subject=root)
    assert verify(reference) == 0  # nobody told, nobody knows
    assert "layout.version" in failed(judged(reference, capsys, *state))


def test_a_pack_whose_names_climb_out_of_the_store(server: LoopbackRegistry, clean: Path):
    """`evidence pull` writes nothing but what a store of its own would have called so."""
    reference, root, found = image(server, "1.0")
    evil = write_pack(Pack(b"{}", (Filing("build", signer("bob").keyid, chain_of(found)[-1]),)))
    server.add_artifact("app", evil.replace(b"evidence/build", b"../../../build"), PACK, subject=root)
    before = sorted(clean.parent.rglob("*"))
    assert main(["evidence", "pull", "--insecure", reference, "--store", "store"]) == 1
    assert sorted(clean.parent.rglob("*")) == before


# --- a registry that lies -------------------------------------------------------------------------------------------


def test_other_bytes_for_the_evidence(server: LoopbackRegistry, capsys: pytest.CaptureFixture[str]):
    """A damaged piece does not count, and is named: it was found out that this is not what was attached."""
    reference, root, found = image(server, "1.0")
    raw = pack_of(found)
    server.add_artifact("app", raw, PACK, subject=root)
    digest = next(digest for digest, held in server.contents["app"].blobs.items() if held == raw)
    server.fault("GET", f"/blobs/{digest}", fault.other_bytes(raw[:-1] + b"x"))
    read = judged(reference, capsys, "--layout", "root.layout")
    misses = [check for check in read["checks"] if check["id"] == "evidence.near-miss"]
    assert any("digest" in check["reason"] for check in misses)


def test_another_image_at_the_second_question(server: LoopbackRegistry):
    """The tag names the good image once, and the evil one from then on: it is asked once."""
    reference, root, found = image(server, "1.0")
    server.add_artifact("app", pack_of(found), PACK, subject=root)
    _, evil, _ = image(server, "evil", b"evil")
    media_type, raw = server.contents["app"].manifests[str(evil.digest)]

    def other(request: Request, right: Response) -> Response:
        return Response(200, {"Content-Type": media_type}, raw)

    server.fault("GET", "/manifests/1.0$", other, after=1)
    server.forget()
    assert verify(reference) == 0
    assert server.count("", "/manifests/1.0$") == 1


@pytest.mark.parametrize(
    ("where", "lie", "code"),
    [
        ("/manifests/1.0", fault.status(500), 3),
        ("/manifests/1.0", fault.status(401), 2),
        ("/manifests/1.0", fault.dropped(), 3),
        ("/manifests/1.0", fault.redirect_loop(), 3),
        ("/referrers/", fault.status(500), 3),
        ("/referrers/", fault.status(403), 2),
        ("/referrers/", fault.other_bytes(b"<html>"), 3),
        ("/tags/list", fault.status(502), 3),
        ("/blobs/", fault.status(503), 3),
    ],
    ids=["500", "401", "dropped", "loop", "list 500", "list 403", "list is a page", "tags 502", "blob 503"],
)
def test_what_a_registry_does_not_answer_is_never_no_evidence_and_never_a_pass(
    server: LoopbackRegistry, capsys: pytest.CaptureFixture[str], where: str, lie: fault.Fault, code: int
):
    reference, root, found = image(server, "1.0")
    server.add_artifact("app", pack_of(found), PACK, subject=root)
    server.fault("GET", where, lie)
    assert verify(reference) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert server.name in captured.err


def test_a_layer_that_is_not_what_the_config_states_is_not_recorded(
    server: LoopbackRegistry, capsys: pytest.CaptureFixture[str], clean: Path
):
    """The manifest names another layer than the config: whoever recorded by that would vouch for what never ran."""
    reference, root, _ = image(server, "1.0")
    body = json.loads(server.contents["app"].manifests[str(root.digest)][1])
    body["layers"] = [server.add_blob("app", b"another layer" * 99, body["layers"][0]["mediaType"]).to_json()]
    server.add_manifest("app", body, tag="1.0")
    (clean / "bob").write_bytes(private_pem(signer("bob"), None))
    (clean / "bob").chmod(0o600)
    words = ["run", "build", "--key", "bob", "--insecure", "-p", f"app=registry:{reference}", "--", "true"]
    assert main(words) == 125
    assert "does not unpack to what the config states" in capsys.readouterr().err
    assert list(clean.glob("*.link")) == []


def test_a_copy_from_a_registry_that_lies_leaves_no_image_with_a_name(server: LoopbackRegistry):
    reference, root, found = image(server, "1.0")
    server.add_artifact("app", pack_of(found), PACK, subject=root)
    server.fault("GET", "/blobs/", fault.other_bytes(b"other bytes"))
    with LoopbackRegistry() as mirror:
        assert main(["evidence", "copy", "--insecure", reference, f"{mirror.name}/app:1.0"]) != 0
        assert "1.0" not in mirror.contents["app"].tags if "app" in mirror.contents else True
    assert main(["evidence", "copy", "--insecure", reference, "oci:there"]) != 0
    assert not Path("there").exists()
    assert sorted(Path().glob(".there*")) == []


def test_evidence_that_names_terminal_sequences_shows_none(
    server: LoopbackRegistry, capsys: pytest.CaptureFixture[str]
):
    reference, root, _ = image(server, "1.0")
    link = seal(Link("\x1b[2Jbuild", (), {}, {}, {}, {}), signer("eve"))
    server.add_artifact("app", link, DSSE, subject=root)
    server.add_artifact("app", b"\x1b]0;x\x07", PACK, subject=root)
    capsys.readouterr()
    assert verify(reference, "-v", "--layout", "root.layout") == 1
    assert main(["evidence", "list", "--insecure", reference]) in (0, 3)
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err


def test_an_insecure_registry_elsewhere_is_not_asked(capsys: pytest.CaptureFixture[str]):
    """`--insecure` is for this machine: nobody on the network may play the registry."""
    assert main(["verify", "--owner", "owner.pub", "--insecure", "registry.invalid/app:1.0"]) != 0
    assert "PASS" not in capsys.readouterr().out
