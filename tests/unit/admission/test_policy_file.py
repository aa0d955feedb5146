"""Policy documents: read strictly from files, and what they say about images."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.certificate_authority import new_root
from tests.image_chain import layout

from navicert.admission.images import ImageUse
from navicert.admission.policy import Facet, Mode, PolicyDocument, PolicySet
from navicert.admission.policy_file import load_policies
from navicert.admission.policy_reader import Reading, read_document
from navicert.authoring.yaml import read_yaml
from navicert.digest import Digest
from navicert.envelope.document import seal
from navicert.errors import Malformed
from navicert.oci.reference import Reference
from navicert.testing import signer
from navicert.testing.sigstore import PrivateSigstore
from navicert.timestamp import parse_timestamp

DIGEST = "sha256:" + "a" * 64


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "owner.pub").write_bytes(signer("owner").key.public_pem())
    (tmp_path / "root.layout").write_bytes(seal(layout(), signer("owner")))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def policy(
    kind: str = "ClusterSupplyChainPolicy", name: str = "all", namespace: str = "", **spec: Any
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "images": ["r.example/**"],
        "layout": {"file": "root.layout"},
        "owners": {"keys": [{"file": "owner.pub"}]},
    }
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    fields = {name: value for name, value in (body | spec).items() if value is not None}
    return {"apiVersion": "navicert.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": fields}


def team(name: str = "team", namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    return policy("SupplyChainPolicy", name, namespace, **spec)


def exception(namespace: str = "navicert", **spec: Any) -> dict[str, Any]:
    body = {"digest": DIGEST, "reason": "rollback of 3 May", "owner": "jane", "notAfter": "2026-06-01T00:00:00Z"} | spec
    return {
        "apiVersion": "navicert.dev/v1alpha1",
        "kind": "SupplyChainException",
        "metadata": {"name": "one", "namespace": namespace},
        "spec": {name: value for name, value in body.items() if value is not None},
    }


def load(*documents: dict[str, Any]) -> PolicySet:
    Path("policy.yaml").write_text("---\n".join(yaml.safe_dump(one) for one in documents))
    return load_policies(["policy.yaml"])


def only(**spec: Any) -> PolicyDocument:
    (found,) = load(policy(**spec)).policies
    return found


def use(text: str, role: str = "container") -> ImageUse:
    return ImageUse(role, "app", "/spec/containers/0/image", text, Reference.parse(text))


def test_a_policy_with_everything():
    found = only(
        mode="warn",
        namespaces=["prod-*"],
        roles=["container", "init"],
        owners={"keys": [{"pem": signer("owner").key.public_pem().decode()}, {"file": "owner.pub"}], "threshold": 1},
        evidence=[{"attached": True}, {"repository": "r.example/evidence"}, {"store": "sqlite:links.db"}],
        parameters={"image": {"from": "image.digest"}, "team": {"value": "shop"}},
        parameterPatterns={"files": {"value": "src/*"}},
        targetStep="build",
        platformScope="every-platform",
        strict=True,
        minLayoutVersion=3,
        revocations={"digests": [DIGEST], "keys": ["ab" * 32], "identities": ["eve"]},
        expiresGrace="36h",
        onRegistryError="allowVerifiedBefore",
        credentials={"imagePullSecrets": True},
        breakGlass={"groups": ["sre"]},
        customKinds=[{"group": "argoproj.io", "kind": "Rollout", "podSpecs": ["$.spec.template.spec"]}],
    )
    assert found.mode is Mode.WARN
    assert found.parameters == {"image": Facet.DIGEST, "team": "shop", "files": "src/*"}
    assert found.patterns == {"files"}
    assert (found.strict, found.min_version, found.target_step) == (True, 3, "build")
    assert found.expires_grace == timedelta(hours=36)
    assert found.allow_verified_before
    assert found.pull_secrets
    assert found.break_glass == {"sre"}
    assert found.evidence[1].repository == "r.example/evidence"
    assert found.evidence[2].store.endswith("/links.db")
    assert found.custom_kinds[0].name == "Rollout"
    assert found.layout.raw == Path("root.layout").read_bytes()


def test_what_is_left_out_takes_the_strict_value():
    found = only()
    assert found.mode is Mode.ENFORCE
    assert found.threshold is None
    assert not found.allow_verified_before
    assert not found.pull_secrets
    assert found.expires_grace == timedelta(0)


def test_the_layout_may_stand_in_the_document_a_config_map_or_an_artifact():
    text = Path("root.layout").read_text()
    assert only(layout={"inline": text}).layout.raw == text.encode()
    pinned = only(layout={"image": f"r.example/layouts@{DIGEST}"}).layout
    assert pinned.image is not None
    assert only(layout={"attached": True}).layout.raw is None
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "l", "namespace": "shop"},
        "data": {"a": text},
    }
    found = load(team(layout={"configMap": {"name": "l", "key": "a"}}), config).policies[0]
    assert (found.layout.raw, found.layout.origin) == (text.encode(), "configmap:shop/l/a")
    with pytest.raises(Malformed, match="another namespace"):
        load(team(namespace="b", layout={"configMap": {"namespace": "shop", "name": "l", "key": "a"}}), config)
    with pytest.raises(Malformed, match="there is no ConfigMap shop/l"):
        load(team(layout={"configMap": {"name": "l", "key": "b"}}), config)


@pytest.mark.parametrize(
    ("spec", "where"),
    [
        ({"image": ["x"]}, "/spec/image"),
        ({"slsa": {"level": 3}}, "/spec/slsa/level"),
        ({"owners": {"keys": [{"file": "owner.pub"}], "identities": [{}]}}, "/spec/owners/identities/0"),
        ({"owners": {"identities": [{"identity": "a", "issuer": ""}]}}, "/spec/owners/identities/0/issuer"),
        ({"trustedRoot": {"inline": "{}", "file": "x"}}, "/spec/trustedRoot"),
        ({"timestampAuthorities": [{"pem": "x", "url": "y"}]}, "/spec/timestampAuthorities/0/url"),
        ({"owners": {"keys": []}}, "/spec/owners/keys"),
        ({"owners": {}}, "/spec/owners"),
        ({"owners": None}, "/spec"),
        ({"owners": {"keys": [{"file": "owner.pub"}], "threshold": 2}}, "/spec/owners/threshold"),
        ({"owners": {"keys": [{"file": "owner.pub"}], "threshold": 0}}, "/spec/owners/threshold"),
        (
            {"owners": {"keys": [{"file": "owner.pub"}, {"file": "./owner.pub"}], "threshold": 2}},
            "/spec/owners/threshold",
        ),
        ({"owners": {"keys": [{"file": "owner.pub", "pem": "x"}]}}, "/spec/owners/keys/0"),
        ({"images": []}, "/spec/images"),
        ({"images": None}, "/spec"),
        ({"images": ["r.example/app:1"]}, "/spec/images/0"),
        ({"mode": "off"}, "/spec/mode"),
        ({"mode": None, "namespaces": []}, "/spec/namespaces"),
        ({"namespaces": ["Prod"]}, "/spec/namespaces/0"),
        ({"roles": ["sidecar"]}, "/spec/roles/0"),
        ({"layout": None}, "/spec"),
        ({"layout": {}}, "/spec/layout"),
        ({"layout": {"attached": False}}, "/spec/layout/attached"),
        ({"layout": {"attached": True, "file": "root.layout"}}, "/spec/layout"),
        ({"layout": {"image": "r.example/layouts:1"}}, "/spec/layout/image"),
        ({"layout": {"configMap": {"name": "a", "key": "b"}}}, "/spec/layout/configMap"),
        ({"evidence": []}, "/spec/evidence"),
        ({"evidence": [{"attached": False}]}, "/spec/evidence/0"),
        ({"evidence": [{"repository": "r.example/a:1"}]}, "/spec/evidence/0/repository"),
        ({"parameters": {"a": {"from": "image.tag"}}}, "/spec/parameters/a/from"),
        ({"parameters": {"a": "b"}}, "/spec/parameters/a"),
        (
            {"parameters": {"a": {"value": "x"}}, "parameterPatterns": {"a": {"value": "*"}}},
            "/spec/parameterPatterns/a",
        ),
        ({"parameters": {"a b": {"value": "x"}}}, "/spec/parameters/a b"),
        ({"minLayoutVersion": 0}, "/spec/minLayoutVersion"),
        ({"minLayoutVersion": "3"}, "/spec/minLayoutVersion"),
        ({"revocations": {"digests": ["sha256:12"]}}, "/spec/revocations"),
        ({"revocations": {"keys": ["nothex"]}}, "/spec/revocations"),
        ({"expiresGrace": "15d"}, "/spec/expiresGrace"),
        ({"expiresGrace": "forever"}, "/spec/expiresGrace"),
        ({"onRegistryError": "allow"}, "/spec/onRegistryError"),
        ({"strict": "yes"}, "/spec/strict"),
        ({"strict": "true"}, "/spec/strict"),
        ({"platformScope": "any"}, "/spec/platformScope"),
        ({"credentials": {"secret": "x"}}, "/spec/credentials/secret"),
        ({"breakGlass": {"groups": []}}, "/spec/breakGlass/groups"),
        ({"breakGlass": {"groups": ["system:authenticated"]}}, "/spec/breakGlass"),
        ({"delegate": True}, "/spec/layout"),
        ({"customKinds": [{"group": "a", "kind": "B"}]}, "/spec/customKinds/0"),
        ({"customKinds": [{"group": "a", "kind": "B", "images": ["$..image"]}]}, "/spec/customKinds/0/images/0"),
    ],
)
def test_whatever_is_not_understood_entirely_is_refused(spec: dict[str, Any], where: str):
    with pytest.raises(Malformed) as caught:
        load(policy(**spec))
    assert caught.value.pointer == where
    assert caught.value.path.startswith("policy.yaml:")


@pytest.mark.parametrize("name", ["delegate", "breakGlass", "customKinds"])
def test_a_namespace_cannot_say_what_is_the_clusters(name: str):
    value: Any = {name: {"delegate": True, "breakGlass": {"groups": ["sre"]}, "customKinds": []}[name]}
    with pytest.raises(Malformed, match=f'no field "{name}"'):
        load(team(**value))


def test_a_policy_is_where_its_kind_belongs():
    with pytest.raises(Malformed, match="is in no namespace"):
        load(policy(namespace="shop"))
    with pytest.raises(Malformed, match="names no namespace"):
        load(policy("SupplyChainPolicy"))


@pytest.mark.parametrize(
    "change", [{"kind": "Policy"}, {"apiVersion": "navicert.dev/v9"}, {"extra": 1}, {"spec": None}]
)
def test_another_document_is_refused(change: dict[str, Any]):
    with pytest.raises(Malformed):
        load(policy() | change)


def test_what_kubernetes_writes_into_objects_is_passed_over():
    document = policy() | {"status": {"conditions": []}}
    document["metadata"] |= {"uid": "x", "resourceVersion": "1", "managedFields": [{"f": {}}], "generation": 2}
    assert load(document).policies[0].name == "all"
    document["metadata"]["color"] = "red"
    with pytest.raises(Malformed, match="color"):
        load(document)


def test_objects_of_the_cluster_name_no_files():
    """A policy written by whoever may write to a namespace must not read the files of the webhook."""
    changes: list[dict[str, Any]] = [{}, {"owners": {"keys": [{"file": "owner.pub"}]}, "layout": {"attached": True}}]
    for change in changes:
        node = read_yaml(yaml.safe_dump(policy(**change)).encode())
        with pytest.raises(Malformed, match="names no files"):
            read_document(node, Reading())
    pem = {"keys": [{"pem": signer("owner").key.public_pem().decode()}]}
    stored = policy(owners=pem, layout={"attached": True}, evidence=[{"store": "dir:/etc"}])
    with pytest.raises(Malformed, match="names no stores"):
        read_document(read_yaml(yaml.safe_dump(stored).encode()), Reading())


def test_exceptions_are_made_in_the_namespace_of_the_administrators_only():
    found = load(policy(), exception()).exceptions[0]
    assert (found.digest, found.reason, found.owner) == (Digest.parse(DIGEST), "rollback of 3 May", "jane")
    with pytest.raises(Malformed, match="administrators only"):
        load(policy(), exception("shop"))
    for name in ("digest", "reason", "owner", "notAfter"):
        absent: Any = {name: None}
        with pytest.raises(Malformed, match=f'"{name}" is missing'):
            load(policy(), exception(**absent))


def test_an_exception_ends_and_covers_one_digest():
    policies = load(policy(), exception(namespaces=["shop"]))
    digest, at = Digest.parse(DIGEST), parse_timestamp("2026-05-01T00:00:00Z")
    assert policies.exception(digest, "shop", at) is not None
    assert policies.exception(digest, "other", at) is None
    assert policies.exception(Digest.parse("sha256:" + "b" * 64), "shop", at) is None
    assert policies.exception(digest, "shop", parse_timestamp("2026-06-01T00:00:00Z")) is None
    assert policies.exception(digest, "shop", parse_timestamp("2024-01-01T00:00:00Z")) is None, "ends too far ahead"


def test_all_policies_that_speak_about_an_image_count():
    policies = load(policy(), policy(name="nginx", images=["r.example/nginx"]), team(), team(namespace="other"))
    assert [one.label for one in policies.about(use("r.example/nginx"), "shop")] == ["all", "nginx", "shop/team"]
    assert [one.label for one in policies.about(use("r.example/app"), "prod")] == ["all"]
    assert policies.about(use("q.example/app"), "shop") == ()


def test_a_namespace_lets_in_nothing_that_the_cluster_says_nothing_about():
    weak = team(images=["**"])
    assert load(policy(), weak).about(use("evil.example/app"), "shop") == ()
    assert [one.label for one in load(weak).about(use("evil.example/app"), "shop")] == ["shop/team"]


def test_a_cluster_may_leave_the_judgement_to_the_namespace_if_that_has_one():
    leave = policy(name="teams", images=["r.example/teams/**"], delegate=True, layout=None, owners=None)
    own = team(images=["r.example/teams/shop/**"])
    policies = load(policy(images=["r.example/base/**"]), leave, own)
    assert [one.label for one in policies.about(use("r.example/teams/shop/api"), "shop")] == ["shop/team"]
    assert policies.about(use("r.example/teams/shop/api"), "other") == ()
    assert policies.about(use("r.example/teams/pay/api"), "shop") == ()


def test_roles_and_namespaces_narrow_a_policy():
    policies = load(policy(roles=["volume"], namespaces=["prod-*"]))
    assert policies.about(use("r.example/model", "volume"), "prod-eu")
    assert not policies.about(use("r.example/model"), "prod-eu")
    assert not policies.about(use("r.example/model", "volume"), "dev")


def test_what_is_no_reference_concerns_every_policy():
    bad = ImageUse("container", "a", "/spec", "UPPER", None, "no reference")
    assert load(policy()).about(bad, "shop")


def test_a_folder_is_read_with_everything_in_it(folder: Path):
    place = folder / "policies"
    place.mkdir()
    beside: Any = {"layout": {"file": "../root.layout"}, "owners": {"keys": [{"file": "../owner.pub"}]}}
    (place / "a.yaml").write_text(f"# one\n---\n{yaml.safe_dump(policy(**beside))}")
    (place / "b.json").write_text(json.dumps(team("b", "c", strict=True, **beside)))
    (place / "notes.txt").write_text("no policy")
    (place / "..data").mkdir()
    assert [one.label for one in load_policies([str(place)]).policies] == ["all", "c/b"]
    (place / "c.yaml").write_text("nonsense: [")
    with pytest.raises(Malformed, match=r"c\.yaml"):
        load_policies([str(place)])


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n---\n", "[]", "kind: x"])
def test_a_file_without_policies_is_no_policy(text: str):
    Path("policy.yaml").write_text(text)
    with pytest.raises(Malformed):
        load_policies(["policy.yaml"])


def test_nothing_is_loaded_from_nowhere(folder: Path):
    (folder / "empty").mkdir()
    for path in ("missing.yaml", "empty"):
        with pytest.raises(Malformed):
            load_policies([path])
    with pytest.raises(Malformed, match="no policy"):
        load(exception())


def test_two_documents_of_one_name_are_refused():
    with pytest.raises(Malformed, match="second document"):
        load(policy(), policy())


def test_a_refusal_names_the_line_in_a_file_of_many_documents():
    with pytest.raises(Malformed) as caught:
        load(policy(), policy(name="b", mode="never"))
    line = int(caught.value.path.partition(":")[2])
    assert Path("policy.yaml").read_text().splitlines()[line - 1].strip() == "mode: never"


def test_the_digest_of_a_policy_covers_all_that_decides():
    base = only()
    changes: list[dict[str, Any]] = [
        {"owners": {"keys": [{"pem": signer("eve").key.public_pem().decode()}]}},
        {"owners": {"keys": [{"file": "owner.pub"}], "threshold": 1}},
        {"layout": {"attached": True}},
        {"layout": {"image": f"r.example/l@{DIGEST}"}},
        {"evidence": [{"repository": "r.example/e"}]},
        {"parameters": {"a": {"value": "image.digest"}}},
        {"parameters": {"a": {"from": "image.digest"}}},
        {"parameterPatterns": {"a": {"value": "image.digest"}}},
        {"targetStep": "build"},
        {"platformScope": "index"},
        {"strict": True},
        {"minLayoutVersion": 1},
        {"revocations": {"digests": [DIGEST]}},
        {"revocations": {"keys": ["ab" * 32]}},
        {"revocations": {"identities": ["eve"]}},
        {"expiresGrace": "1h"},
        {"credentials": {"imagePullSecrets": True}},
        {"slsa": {"require": {"build": 1}}},
        {"slsa": {"require": {"build": 2}}},
        {"owners": {"identities": [{"identity": "a", "issuer": "b"}]}},
        {"owners": {"identities": [{"identityMatching": "a", "issuer": "b"}]}},
        {"owners": {"keys": [{"file": "owner.pub"}], "identities": [{"identity": "a", "issuer": "b"}]}},
        {"trustedRoot": {"inline": PrivateSigstore().root_bytes().decode()}},
        {"trustedRoot": {"inline": PrivateSigstore("other").root_bytes().decode()}},
        {"timestampAuthorities": [{"pem": new_root("TSA root").pem}]},
    ]
    digests = [base.digest, *(only(**change).digest for change in changes)]
    assert len(set(digests)) == len(digests)
    assert only(mode="warn", images=["**"]).digest == base.digest
