"""An image in a registry on the command line: judged by reference, its chain pushed, pulled, listed and copied."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cosign_layer import attach_layers
from tests.image_builder import docker_entries, tar_of
from tests.image_chain import layout, links, write_chain

from navicert.cli.main import main
from navicert.dataclass import replace
from navicert.envelope.document import seal
from navicert.model.link import Link
from navicert.oci.access import Access
from navicert.oci.docker import open_docker_archive
from navicert.oci.image import Image
from navicert.oci.manifest import Descriptor, Platform
from navicert.oci.reference import Reference
from navicert.oci.registry import Registry
from navicert.oci.remote import Resolved, resolve_reference
from navicert.resolve.image import image_artifacts
from navicert.testing import fault, signer
from navicert.testing.registry import Behaviour, Login, LoopbackRegistry

DSSE = "application/vnd.dsse.envelope.v1+json"
SIGSTORE = "application/vnd.dev.sigstore.bundle.v0.3+json"
SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"
AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")


@pytest.fixture(params=[Behaviour(), Behaviour(referrers=False, subject=False)], ids=["referrers API", "without"])
def server(request: pytest.FixtureRequest) -> Iterator[LoopbackRegistry]:
    with LoopbackRegistry(request.param) as registry:
        yield registry


@pytest.fixture
def complete() -> Iterator[LoopbackRegistry]:
    with LoopbackRegistry() as registry:
        yield registry


@pytest.fixture
def mirror() -> Iterator[LoopbackRegistry]:
    with LoopbackRegistry(Behaviour(referrers=False, subject=False)) as registry:
        yield registry


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's credentials, and a folder that holds nothing."""
    (tmp_path / "clean").mkdir()
    monkeypatch.chdir(tmp_path / "clean")
    (tmp_path / "auth.json").write_text("{}")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """Where `built` writes the chain."""
    return tmp_path / "chain"


def resolve(server: LoopbackRegistry, reference: str) -> tuple[Resolved, Image]:
    with Registry(server.name, Access(insecure=True)) as registry:
        found = resolve_reference(registry, Reference.parse(reference))
        return found, found.image()


def root_of(server: LoopbackRegistry, reference: str) -> Descriptor:
    return resolve(server, reference)[0].root


def built(server: LoopbackRegistry, folder: Path, steps: int = 2, **more: Any) -> str:
    """The reference to an image, whose chain is then in `folder`."""
    server.add_image("app", "1.4")
    reference = f"{server.name}/app:1.4"
    write_chain(folder, resolve(server, reference)[1], steps, **more)
    return reference


def push(reference: str, chain: Path, *more: str) -> int:
    words = ["evidence", "push", reference, "--layout", f"{chain}/root.layout", "--owner", f"{chain}/owner.pub"]
    return main([*words, "--store", f"{chain}/evidence", "--insecure", *more])


def verify(reference: str, chain: Path, *more: str) -> int:
    return main(["verify", "--owner", f"{chain}/owner.pub", "--insecure", *more, reference])


def verdict(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(capsys.readouterr().out)
    return read


def checks(read: dict[str, Any], id: str) -> list[dict[str, Any]]:
    return [check for check in read["checks"] if check["id"] == id]


# --- verified by reference ------------------------------------------------------------------------------------------


def test_a_pushed_image_verifies_by_its_reference_with_the_owners_key_alone(
    server: LoopbackRegistry, chain: Path, capsys: pytest.CaptureFixture[str]
):
    reference = built(server, chain)
    assert push(reference, chain) == 0
    shutil.rmtree(chain / "evidence")
    capsys.readouterr()
    assert verify(reference, chain) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"PASS  image {reference}@sha256:")


def test_the_layout_on_disk_stands_before_the_attached_one(
    complete: LoopbackRegistry, chain: Path, capsys: pytest.CaptureFixture[str]
):
    reference = built(complete, chain)
    push(reference, chain)
    capsys.readouterr()
    other = chain / "other.layout"
    other.write_bytes(seal(layout(3), signer("owner")))
    assert verify(reference, chain, "--layout", str(other), "--json") == 1
    (signature,) = checks(verdict(capsys), "layout.signature")
    assert signature["subject"] == str(other)


def test_the_layout_comes_from_the_registry_by_name(complete: LoopbackRegistry, chain: Path):
    reference = built(complete, chain)
    push(reference, chain)
    assert verify(reference, chain, "--layout", f"registry:{reference}") == 0


def test_a_link_of_a_local_store_counts_beside_what_is_attached(complete: LoopbackRegistry, chain: Path):
    reference = built(complete, chain)
    named = ["--layout", f"{chain}/root.layout"]
    assert verify(reference, chain, *named) == 1
    assert verify(reference, chain, *named, "--store", f"{chain}/evidence") == 0
    assert verify(reference, chain, *named, "--evidence-from", f"{chain}/evidence") == 0


def test_evidence_comes_from_a_layout_folder_too(complete: LoopbackRegistry, chain: Path, tmp_path: Path):
    reference = built(complete, chain)
    push(reference, chain)
    assert main(["evidence", "copy", "--insecure", reference, f"oci:{tmp_path}/image:1.4"]) == 0
    held = complete.contents["app"]
    held.tags = {"1.4": held.tags["1.4"]}
    for digest in [digest for digest, (_, raw) in held.manifests.items() if b'"subject"' in raw]:
        del held.manifests[digest]
    named = ["--layout", f"{chain}/root.layout"]
    assert verify(reference, chain, *named) == 1
    assert verify(reference, chain, *named, "--evidence-from", f"oci:{tmp_path}/image:1.4") == 0


@pytest.mark.parametrize("shape", ["dsse", "lines", "sigstore", "att"])
def test_links_count_in_every_shape_that_they_are_attached_in(complete: LoopbackRegistry, chain: Path, shape: str):
    reference = built(complete, chain)
    subject = root_of(complete, reference)
    envelopes = [json.dumps(json.loads(path.read_bytes())).encode() for path in (chain / "evidence").iterdir()]
    if shape == "lines":
        complete.add_artifact("app", b"\n".join(envelopes) + b"\n", "application/vnd.in-toto.bundle", subject=subject)
    for raw in envelopes:
        if shape == "dsse":
            complete.add_artifact("app", raw, DSSE, subject=subject)
        if shape == "sigstore":
            bundle = {"mediaType": SIGSTORE, "verificationMaterial": {"publicKey": {}}, "dsseEnvelope": json.loads(raw)}
            complete.add_artifact("app", json.dumps(bundle).encode(), SIGSTORE, subject=subject)
    if shape == "att":
        attach_layers(complete, subject.digest, *((raw, {}) for raw in envelopes))
    assert verify(reference, chain, "--layout", f"{chain}/root.layout") == 0


def test_a_file_of_that_name_is_taken_before_the_reference(
    complete: LoopbackRegistry, chain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    reference = built(complete, chain)
    push(reference, chain)
    place = tmp_path / "clean" / complete.name
    place.mkdir()
    (place / "app:1.4").write_text("a file")
    capsys.readouterr()
    complete.forget()
    assert verify(reference, chain, "--layout", f"{chain}/root.layout", "--json") == 1
    assert complete.seen == ()
    assert checks(verdict(capsys), "target.bound")[0]["facts"]["kind"] == "file"


def test_what_has_no_host_is_no_reference_unless_it_says_so(chain: Path, capsys: pytest.CaptureFixture[str]):
    chain.mkdir()
    (chain / "owner.pub").write_bytes(signer("owner").key.public_pem())
    (chain / "root.layout").write_bytes(seal(layout(), signer("owner")))
    assert verify("app:1.4", chain, "--layout", f"{chain}/root.layout") == 2
    assert "registry:REF" in capsys.readouterr().err


def test_layers_are_read_where_that_is_asked_for(complete: LoopbackRegistry, chain: Path):
    reference = built(complete, chain)
    push(reference, chain)
    layer = json.loads(complete.contents["app"].manifests[str(root_of(complete, reference).digest)][1])["layers"][0]
    complete.contents["app"].blobs[layer["digest"]] = b"x" * layer["size"]
    assert verify(reference, chain) == 0
    assert verify(reference, chain, "--check-layers") == 3


@pytest.mark.parametrize("option", [["--platform-scope", "index"], ["--check-layers"]])
def test_what_is_about_images_is_refused_for_a_file(
    chain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: list[str]
):
    chain.mkdir()
    (chain / "owner.pub").write_bytes(signer("owner").key.public_pem())
    (chain / "root.layout").write_bytes(seal(layout(), signer("owner")))
    assert verify(str(chain / "root.layout"), chain, "--layout", f"{chain}/root.layout", *option) == 2
    assert option[0] in capsys.readouterr().err


# --- nothing found, near misses, and not found out ------------------------------------------------------------------


def test_an_image_without_evidence_fails_and_every_place_is_named(
    server: LoopbackRegistry, chain: Path, capsys: pytest.CaptureFixture[str]
):
    reference = built(server, chain)
    assert verify(reference, chain, "--layout", f"{chain}/root.layout", "--json") == 1
    captured = capsys.readouterr()
    read = json.loads(captured.out)
    (found,) = checks(read, "evidence.found")
    asked = {one["place"]: one["answer"] for one in found["facts"]["asked"]}
    assert any("referrers API" in place for place in asked)
    assert any("(tags sha256-" in place for place in asked)
    assert asked["."] == "none"
    for place, answer in asked.items():
        assert f"asked {place}: {answer}" in captured.err
    assert "navicert evidence copy" in captured.err


def test_an_image_without_evidence_and_without_layout_does_not_pass_for_want_of_a_policy(
    server: LoopbackRegistry, chain: Path, capsys: pytest.CaptureFixture[str]
):
    reference = built(server, chain)
    assert verify(reference, chain, "--json") == 1
    captured = capsys.readouterr()
    read = json.loads(captured.out)
    assert (read["passed"], checks(read, "layout.none")[0]["outcome"]) == (False, "fail")
    assert "asked" in captured.err


def test_everything_attached_that_does_not_count_is_said_with_its_reason(
    complete: LoopbackRegistry, chain: Path, capsys: pytest.CaptureFixture[str]
):
    reference = built(complete, chain)
    subject = root_of(complete, reference)
    stranger = seal(Link("build", (), {}, {}, {}, {}), signer("eve"))
    statement = b'{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x","predicate":{}}'
    complete.add_artifact("app", stranger, DSSE, subject=subject)
    complete.add_artifact("app", statement, "application/vnd.in-toto+json", subject=subject)
    complete.add_artifact("app", b"{}", "application/spdx+json", subject=subject)
    complete.add_artifact("app", b"not json", DSSE, subject=subject)
    complete.add_artifact("app", b"not a tar", "application/vnd.navicert.pack.v1+tar", subject=subject)
    assert verify(reference, chain, "--layout", f"{chain}/root.layout", "--json") == 1
    reasons = " | ".join(check["reason"] for check in checks(verdict(capsys), "evidence.near-miss"))
    for reason in ("no valid signature", "unsigned", "not a type of evidence", "JSON", "tar"):
        assert reason in reasons


def test_a_registry_that_cannot_be_asked_is_not_an_image_without_evidence(
    complete: LoopbackRegistry, chain: Path, capsys: pytest.CaptureFixture[str]
):
    reference = built(complete, chain)
    push(reference, chain)
    complete.fault("GET", "/referrers/", fault.status(503))
    assert verify(reference, chain) == 3
    assert complete.name in capsys.readouterr().err


@pytest.mark.parametrize("code", [401, 403])
def test_denied_access_is_not_an_image_without_evidence(
    complete: LoopbackRegistry, chain: Path, capsys: pytest.CaptureFixture[str], code: int
):
    reference = built(complete, chain)
    push(reference, chain)
    capsys.readouterr()
    complete.fault("GET", "/referrers/", fault.status(code))
    assert verify(reference, chain) == 2
    captured = capsys.readouterr()
    assert "login" in captured.err
    assert captured.out == ""


def test_a_password_is_asked_for_with_the_remedy_and_taken_from_the_usual_file(
    chain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with LoopbackRegistry() as server:
        reference = built(server, chain)
        server.login = Login({"user": "hunter2"})
        assert verify(reference, chain, "--layout", f"{chain}/root.layout") == 2
        assert "login" in capsys.readouterr().err
        auth = {"auths": {server.name: {"username": "user", "password": "hunter2"}}}
        (tmp_path / "auth.json").write_text(json.dumps(auth))
        assert push(reference, chain) == 0
        assert verify(reference, chain) == 0


# --- platforms ------------------------------------------------------------------------------------------------------


def two_platforms(server: LoopbackRegistry) -> str:
    children = {
        platform: server.add_image("app", "", {"app": str(platform).encode()}, platform) for platform in (AMD64, ARM64)
    }
    server.add_index("app", children, tag="1.4")
    return f"{server.name}/app:1.4"


@pytest.mark.parametrize("scope", ["index", "every-platform", "either"])
@pytest.mark.parametrize("keep", ["index", "/content", "/manifest"])
def test_the_scope_says_what_of_an_image_must_be_bound(complete: LoopbackRegistry, chain: Path, keep: str, scope: str):
    reference = two_platforms(complete)
    write_chain(chain, resolve(complete, reference)[1], keep=keep)
    named = ["--layout", f"{chain}/root.layout", "--store", f"{chain}/evidence", "--platform-scope", scope]
    passing = {"index", "either"} if keep == "index" else {"every-platform", "either"}
    assert verify(reference, chain, *named) == (0 if scope in passing else 1)


def test_the_platform_without_evidence_is_named(
    complete: LoopbackRegistry, chain: Path, capsys: pytest.CaptureFixture[str]
):
    reference = two_platforms(complete)
    write_chain(chain, resolve(complete, reference)[1], keep="amd64/content")
    assert verify(reference, chain, "--layout", f"{chain}/root.layout", "--store", f"{chain}/evidence", "--json") == 1
    reasons = [check["reason"] for check in checks(verdict(capsys), "target.digest")]
    assert reasons == ["no product has the digest of linux/arm64"]


# --- one piece, however many steps ----------------------------------------------------------------------------------


def test_a_chain_of_fifty_steps_takes_as_many_requests_as_one_of_five(server: LoopbackRegistry, tmp_path: Path):
    requests = []
    for steps in (5, 50):
        server.contents.clear()
        folder = tmp_path / str(steps)
        reference = built(server, folder, steps)
        assert push(reference, folder) == 0
        server.forget()
        assert verify(reference, folder) == 0
        requests.append(len(server.seen))
    assert requests[0] == requests[1] == (6 if server.behaviour.referrers else 7)


def test_a_tag_is_looked_up_once(complete: LoopbackRegistry, chain: Path):
    reference = built(complete, chain)
    push(reference, chain)
    complete.forget()
    verify(reference, chain)
    assert complete.count("", "/manifests/1.4$") == 1


def test_pushing_again_changes_nothing(server: LoopbackRegistry, chain: Path):
    reference = built(server, chain)
    push(reference, chain)
    before = dict(server.contents["app"].manifests), dict(server.contents["app"].tags)
    assert push(reference, chain) == 0
    assert (dict(server.contents["app"].manifests), dict(server.contents["app"].tags)) == before


# --- list, pull, copy -----------------------------------------------------------------------------------------------


def test_list_shows_what_is_attached(server: LoopbackRegistry, chain: Path, capsys: pytest.CaptureFixture[str]):
    reference = built(server, chain)
    assert main(["evidence", "list", "--insecure", reference]) == 0
    assert "asked" in capsys.readouterr().err
    push(reference, chain)
    capsys.readouterr()
    assert main(["evidence", "list", "--insecure", "--json", reference]) == 0
    assert {one["step"] for one in verdict(capsys)["documents"]} == {"step00", "build"}


def test_what_is_pulled_verifies_without_the_registry(server: LoopbackRegistry, chain: Path, tmp_path: Path):
    reference = built(server, chain)
    assert main(["evidence", "pull", "--insecure", reference, "--store", f"sqlite:{tmp_path}/e.db"]) == 1
    push(reference, chain)
    assert main(["evidence", "pull", "--insecure", reference, "--store", f"sqlite:{tmp_path}/e.db"]) == 0
    assert main(["evidence", "pull", "--insecure", reference, "-o", f"{tmp_path}/app.pack"]) == 0
    assert main(["evidence", "copy", "--insecure", reference, f"oci:{tmp_path}/image"]) == 0
    owner = ["--owner", f"{chain}/owner.pub"]
    assert main(["verify", *owner, "--evidence-from", f"{tmp_path}/app.pack", f"oci:{tmp_path}/image"]) == 0
    named = ["--layout", f"{chain}/root.layout", "--store", f"sqlite:{tmp_path}/e.db"]
    assert main(["verify", *owner, *named, f"oci:{tmp_path}/image"]) == 0


def test_a_copy_brings_all_evidence_and_is_judged(
    complete: LoopbackRegistry, mirror: LoopbackRegistry, chain: Path, capsys: pytest.CaptureFixture[str]
):
    reference = built(complete, chain)
    push(reference, chain)
    subject = root_of(complete, reference)
    tag = f"sha256-{subject.digest.hex}.sig"
    complete.add_artifact("app", b'{"spdx": 1}', "application/spdx+json", subject=subject, artifact_type="x/sbom")
    complete.add_artifact("app", b"sig", SIMPLE, tag=tag)
    capsys.readouterr()
    words = ["evidence", "copy", "--insecure", "--owner", f"{chain}/owner.pub", "--json"]
    there = f"{mirror.name}/team/app:2.0"
    assert main([*words, reference, there]) == 0
    read = verdict(capsys)
    assert read["verdict"]["passed"] is True
    assert len(read["attached"]) == 3
    assert set(read["attached"]) <= set(mirror.contents["team/app"].manifests)
    assert tag in mirror.contents["team/app"].tags
    assert verify(there, chain) == 0
    mirror.forget()
    assert main([*words, reference, there]) == 0
    assert mirror.count("POST|PATCH") == 0


@pytest.mark.parametrize("medium", ["oci", "oci-archive"])
def test_a_copy_through_a_layout_loses_nothing(
    complete: LoopbackRegistry, mirror: LoopbackRegistry, chain: Path, tmp_path: Path, medium: str
):
    reference = built(complete, chain)
    push(reference, chain)
    place = f"{medium}:{tmp_path}/carried:1.4"
    assert main(["evidence", "copy", "--insecure", "--owner", f"{chain}/owner.pub", reference, place]) == 0
    assert main(["evidence", "copy", "--insecure", place, f"{mirror.name}/app:1.4"]) == 0
    assert verify(f"{mirror.name}/app:1.4", chain) == 0


def test_what_is_attached_in_a_layout_is_not_taken_for_another_image(
    complete: LoopbackRegistry, chain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """cosign's tags name manifests with the config of an image."""
    reference = built(complete, chain)
    push(reference, chain)
    layer = complete.add_blob("app", b"{}", DSSE).to_json()
    config = complete.add_blob("app", b"{}", "application/vnd.oci.image.config.v1+json").to_json()
    body = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"}
    tag = f"sha256-{root_of(complete, reference).digest.hex}.att"
    complete.add_manifest("app", body | {"config": config, "layers": [layer]}, tag=tag)
    assert main(["evidence", "copy", "--insecure", reference, f"oci:{tmp_path}/image"]) == 0
    capsys.readouterr()
    named = ["--layout", f"{chain}/root.layout", "--evidence-from", f"oci:{tmp_path}/image"]
    assert main(["verify", "--owner", f"{chain}/owner.pub", *named, f"oci:{tmp_path}/image"]) == 0


def test_a_manifest_that_is_listed_and_gone_is_no_reason_to_copy_the_rest_silently(
    complete: LoopbackRegistry, mirror: LoopbackRegistry, chain: Path, capsys: pytest.CaptureFixture[str]
):
    reference = built(complete, chain)
    push(reference, chain)
    complete.fault("GET", f"/manifests/{tagged(complete)}", fault.status(404))
    assert main(["evidence", "copy", "--insecure", reference, f"{mirror.name}/app:1.4"]) == 3
    assert "listed, and not there" in capsys.readouterr().err
    assert "1.4" not in mirror.repository("app").tags


def tagged(server: LoopbackRegistry) -> str:
    """The digest of the one manifest of ours that is attached."""
    (digest,) = [digest for tag, digest in server.contents["app"].tags.items() if ".nav-" in tag]
    return digest


def test_what_docker_saved_is_copied_to_a_registry_and_gets_its_evidence_there(
    server: LoopbackRegistry, chain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    saved = tar_of(docker_entries([{"a": b"1"}, {"b": b"2"}]), tmp_path / "saved.tar")
    write_chain(chain, open_docker_archive(saved))
    there = f"{server.name}/app:1.4"
    assert main(["evidence", "copy", "--insecure", f"docker-archive:{saved}", there]) == 0
    assert "0 attached manifests" in capsys.readouterr().out
    assert verify(there, chain) == 1
    assert push(there, chain) == 0
    assert verify(there, chain, "--check-layers") == 0
    server.forget()
    assert main(["evidence", "copy", "--insecure", f"docker-archive:{saved}:app:latest", there]) == 0
    assert server.count("POST|PATCH") == 0
    assert main(["evidence", "copy", f"docker-archive:{saved}", f"oci:{tmp_path}/image:1"]) == 0
    named = ["--layout", f"{chain}/root.layout", "--store", f"{chain}/evidence"]
    assert main(["verify", "--owner", f"{chain}/owner.pub", *named, f"oci:{tmp_path}/image:1"]) == 0


def test_a_docker_archive_takes_no_copy_because_the_evidence_would_be_lost(
    complete: LoopbackRegistry, chain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    reference = built(complete, chain)
    assert main(["evidence", "copy", "--insecure", reference, f"docker-archive:{tmp_path}/a.tar"]) == 2
    assert "no place for evidence" in capsys.readouterr().err
    assert main(["evidence", "list", f"docker-archive:{tmp_path}/a.tar"]) == 2


def test_people_see_how_far_a_transfer_has_come_and_programs_do_not(
    complete: LoopbackRegistry, chain: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    reference = built(complete, chain)
    monkeypatch.setattr("navicert.cli.meter._PATIENCE", -1.0)
    monkeypatch.setattr("navicert.cli.meter.is_terminal", lambda stream: True)
    assert push(reference, chain) == 0
    assert "\rsending: 0/" in capsys.readouterr().err
    assert verify(reference, chain) == 0
    err = capsys.readouterr().err
    assert "\rfetching evidence: 1 attached, " in err
    assert err.endswith("\r\x1b[K")
    assert main(["evidence", "copy", "--insecure", reference, f"{complete.name}/other:1"]) == 0
    assert " blobs, " in capsys.readouterr().err
    assert verify(reference, chain, "--json") == 0
    assert capsys.readouterr().err == ""


def test_a_copy_that_does_not_pass_says_so(complete: LoopbackRegistry, mirror: LoopbackRegistry, chain: Path):
    reference = built(complete, chain)
    owner = ["--owner", f"{chain}/owner.pub"]
    assert main(["evidence", "copy", "--insecure", *owner, reference, f"{mirror.name}/app:1.4"]) == 1


def test_a_copy_that_lost_something_on_the_way_is_not_reported_as_done(
    complete: LoopbackRegistry, mirror: LoopbackRegistry, chain: Path, capsys: pytest.CaptureFixture[str]
):
    """The destination acknowledges the tag of the evidence and does not keep it."""
    reference = built(complete, chain)
    push(reference, chain)
    mirror.fault("PUT", r"/manifests/sha256-", fault.Instead(fault.Response(201)))
    assert main(["evidence", "copy", "--insecure", reference, f"{mirror.name}/app:1.4"]) == 3
    assert "not found again" in capsys.readouterr().err


def test_a_chain_that_does_not_hold_is_not_pushed(complete: LoopbackRegistry, chain: Path):
    reference = built(complete, chain)
    before = len(complete.contents["app"].manifests)
    next((chain / "evidence").glob("build.*")).unlink()
    assert push(reference, chain) == 1
    assert len(complete.contents["app"].manifests) == before


def test_recording_beside_an_image_that_is_not_there_yet_is_refused_with_the_remedy(
    complete: LoopbackRegistry, chain: Path, capsys: pytest.CaptureFixture[str]
):
    built(complete, chain)
    assert main(["run", "build", "--key", f"{chain}/bob", "--store", "oci:x", "--", "true"]) == 125
    assert "evidence push" in capsys.readouterr().err


def test_a_chain_with_a_sublayout_is_pushed_whole(complete: LoopbackRegistry, chain: Path):
    """What the folder of a sublayout says about where its links lie is kept on the way."""
    reference = built(complete, chain)
    bob, carol = signer("bob"), signer("carol")
    whole, inner = layout(2), layout(1)
    (build,) = links(image_artifacts("app", resolve(complete, reference)[1]), 1)
    first, second = whole.steps
    second = replace(second, pubkeys=(carol.keyid,))
    keys = {**whole.keys, carol.keyid: carol.key.to_json()}
    (chain / "root.layout").write_bytes(seal(replace(whole, steps=(first, second), keys=keys), signer("owner")))
    next((chain / "evidence").glob("build.*")).unlink()
    (chain / "evidence" / f"build.{carol.key.short}.link").write_bytes(seal(inner, carol))
    folder = chain / "evidence" / f"build.{carol.key.short}"
    folder.mkdir()
    (folder / f"build.{bob.key.short}.link").write_bytes(seal(build, bob))
    assert push(reference, chain) == 0
    assert verify(reference, chain) == 0


def test_what_is_no_evidence_is_listed_with_its_reason_and_is_no_failure(
    complete: LoopbackRegistry, chain: Path, capsys: pytest.CaptureFixture[str]
):
    reference = built(complete, chain)
    push(reference, chain)
    complete.add_artifact("app", b"{}", "application/spdx+json", subject=root_of(complete, reference))
    capsys.readouterr()
    assert main(["evidence", "list", "--insecure", reference]) == 0
    assert "not a type of evidence" in capsys.readouterr().err
