"""What is installed: settings, the two forms of one tree, and what every object must have."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest
import yaml

from navicert.admission import arming
from navicert.admission.deployment import value
from navicert.admission.deployment.disk import disk
from navicert.admission.deployment.document import read_documents
from navicert.admission.deployment.manifest import manifests
from navicert.admission.deployment.node import Document, Each, Joined, Json, Ref, Release, When, resolve, text
from navicert.admission.deployment.template import plain, template
from navicert.admission.rotation import Holding, renewed
from navicert.cli.main import main
from navicert.errors import Malformed

ROOT = Path(__file__).resolve().parents[3]
IMAGE = "registry.example/navicert@sha256:" + "a" * 64
RELEASE = Release("security")


def objects(**values: object) -> list[Mapping[str, object]]:
    return manifests(value.merged({"image": IMAGE, **values}), RELEASE)


def pods(**values: object) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Every Pod spec that is installed."""
    for one in objects(**values):
        spec = one.get("spec")
        if not isinstance(spec, dict):
            continue
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield str(one["metadata"]["name"]), spec["template"]["spec"]  # type: ignore[index]


def in_shop(**values: object) -> list[Any]:
    """What is installed into the namespace `shop`."""
    return [one for one in cast("list[Any]", objects(**values)) if one["metadata"].get("namespace") == "shop"]


def rules(name: str, **values: object) -> Iterator[Mapping[str, list[str]]]:
    for one in objects(**values):
        if one["kind"] in ("Role", "ClusterRole") and one["metadata"]["name"] == name:  # type: ignore[index]
            yield from one["rules"]  # type: ignore[misc]


def test_what_is_in_deploy_is_what_the_sources_write() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "deployment.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"run scripts/deployment.py: {done.stderr}"


class TestConfinement:
    @pytest.mark.parametrize("kind", ["navicert-webhook", "navicert-keeper", "navicert-install-1", "navicert-scan"])
    def test_every_process_may_do_nothing_but_run(self, kind: str) -> None:
        spec = dict(pods(scan={"enabled": True}))[kind]
        assert spec["securityContext"]["runAsNonRoot"] is True  # type: ignore[index]
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}  # type: ignore[index]
        for one in spec["containers"]:  # type: ignore[attr-defined]
            assert one["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }

    def test_the_webhook_does_not_get_the_key_of_the_authority(self) -> None:
        (tls,) = [one for one in dict(pods())["navicert-webhook"]["volumes"] if one["name"] == "tls"]  # type: ignore[attr-defined]
        assert [item["key"] for item in tls["secret"]["items"]] == ["tls.crt", "tls.key"]

    def test_the_keeper_may_change_named_objects_and_no_more(self) -> None:
        for rule in rules("navicert-keeper"):
            assert set(rule["verbs"]) <= {"get", "patch"}
            assert rule["resourceNames"]

    def test_the_webhook_may_change_nothing_but_the_status_of_policies_and_see_no_secret(self) -> None:
        for rule in rules("navicert-webhook"):
            if "patch" in rule["verbs"]:
                assert rule["verbs"] == ["patch"]
                assert [one.partition("/")[2] for one in rule["resources"]] == ["status", "status"]
                continue
            assert set(rule["verbs"]) <= {"get", "list", "watch"}
            assert "secrets" not in rule["resources"]
        assert list(rules("navicert-webhook", fromCluster=False)) == []

    @pytest.mark.parametrize("workloads", [True, False])
    def test_glass_broken_in_templates_counts_only_where_templates_are_reviewed(self, workloads: bool) -> None:
        spec = dict(pods(webhook={**value.defaults()["webhook"], "workloads": workloads}))["navicert-webhook"]  # type: ignore[dict-item]
        assert ("--break-glass-in-templates" in spec["containers"][0]["args"]) is workloads  # type: ignore[index]

    @pytest.mark.parametrize("workloads", [True, False])
    def test_sets_are_looked_up_only_where_the_webhook_is_asked_about_them_anyway(self, workloads: bool) -> None:
        webhook = {**value.defaults()["webhook"], "workloads": workloads}  # type: ignore[dict-item]
        found = [rule for rule in rules("navicert-webhook", webhook=webhook) if rule["apiGroups"] == ["apps"]]
        looked_up = {"apiGroups": ["apps"], "resources": ["daemonsets", "statefulsets"], "verbs": ["get"]}
        assert found == ([looked_up] if workloads else [])

    def test_the_scan_is_there_only_where_it_was_asked_for(self) -> None:
        assert [one for one in objects() if one["metadata"]["name"] == "navicert-scan"] == []  # type: ignore[index]

    def test_the_scan_may_change_its_own_reports_and_nothing_else(self) -> None:
        for rule in rules("navicert-scan", scan={"enabled": True}, configMaps=True):
            if set(rule["verbs"]) <= {"get", "list"}:
                assert "secrets" not in rule["resources"]
                continue
            assert rule["apiGroups"] == ["wgpolicyk8s.io"]
            assert set(rule["verbs"]) <= {"list", "create"} or rule["resourceNames"] == ["navicert"]

    def test_what_passed_is_kept_in_one_object_that_the_webhook_may_change(self) -> None:
        assert list(rules("navicert-passed")) == []
        (rule,) = rules("navicert-passed", memory={"keySecret": "key"})
        assert (rule["resources"], rule["resourceNames"], rule["verbs"]) == (
            ["configmaps"],
            ["navicert-passed"],
            ["get", "patch"],
        )

    def test_pull_secrets_are_read_only_where_somebody_says_so(self) -> None:
        assert list(rules("navicert-pull-secrets")) == []
        bound = [one for one in objects(pullSecrets=True) if str(one["kind"]).endswith("Binding")]
        assert list(rules("navicert-pull-secrets", pullSecrets=True))
        assert [one for one in bound if one.get("roleRef", {}).get("name") == "navicert-pull-secrets"] == []  # type: ignore[attr-defined]

    def test_pull_secrets_that_are_named_are_all_that_may_be_read_and_where_they_are(self) -> None:
        place = {"namespace": "shop", "secrets": ["regcred"], "serviceAccounts": ["default", "deployer"]}
        role, binding = in_shop(pullSecrets=True, pullSecretsIn=[place])
        assert role["rules"] == [
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": ["regcred"]},
            {
                "apiGroups": [""],
                "resources": ["serviceaccounts"],
                "verbs": ["get"],
                "resourceNames": place["serviceAccounts"],
            },
        ]
        assert [one["name"] for one in binding["subjects"]] == ["navicert-webhook"]
        assert binding["roleRef"]["kind"] == "Role"
        assert in_shop(pullSecretsIn=[place]) == []

    def test_the_scan_reads_the_same_pull_secrets_where_there_is_one(self) -> None:
        place = {"namespace": "shop", "secrets": ["regcred"], "serviceAccounts": ["default"]}
        _, binding = in_shop(pullSecrets=True, pullSecretsIn=[place], scan={"enabled": True})
        assert [one["name"] for one in binding["subjects"]] == ["navicert-webhook", "navicert-scan"]

    @pytest.mark.parametrize(
        "place",
        [
            {"namespace": "shop", "secrets": [], "serviceAccounts": ["default"]},
            {"namespace": "shop", "secrets": ["regcred"], "serviceAccounts": []},
            {"namespace": "shop", "serviceAccounts": ["default"]},
            {"namespace": "shop", "secrets": ["*"], "serviceAccounts": ["default"]},
            {"namespace": "shop", "secrets": ["regcred"], "serviceAccounts": ["default"], "all": True},
            {"secrets": ["regcred"], "serviceAccounts": ["default"]},
        ],
    )
    def test_a_list_of_no_names_does_not_open_all_secrets(self, place: dict[str, object]) -> None:
        """RBAC takes an empty `resourceNames` for every name that there is."""
        with pytest.raises(Malformed):
            objects(pullSecrets=True, pullSecretsIn=[place])

    def test_a_namespace_that_is_named_twice_is_refused(self) -> None:
        """Two Roles of one name are one: the right that was meant would be missing, without a word."""
        place = {"namespace": "shop", "secrets": ["regcred"], "serviceAccounts": ["default"]}
        with pytest.raises(Malformed, match="/pullSecretsIn/1/namespace: comes twice"):
            objects(pullSecrets=True, pullSecretsIn=[place, place | {"secrets": ["other"]}])
        assert objects(pullSecrets=True, pullSecretsIn=[place, place | {"namespace": "other"}])

    def test_callers_are_asked_for_a_certificate_only_where_somebody_says_so(self) -> None:
        def webhook(**values: object) -> tuple[list[str], dict[str, Any], dict[str, Any]]:
            (deployment,) = [one for one in objects(**values) if one["kind"] == "Deployment"]
            pod: Any = deployment["spec"]["template"]["spec"]  # type: ignore[index]
            (container,) = pod["containers"]
            mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
            return container["args"], mounts, {one["name"]: one for one in pod["volumes"]}

        words, mounts, volumes = webhook(webhook={"callersConfigMap": "api-server"})
        (option,) = [word for word in words if word.startswith("--client-ca=")]
        assert option == f"--client-ca={mounts['callers']}/ca.crt"
        assert volumes["callers"]["configMap"] == {"name": "api-server"}
        words, mounts, volumes = webhook()
        assert not [word for word in words if word.startswith("--client-ca")]
        assert "callers" not in {*mounts, *volumes}

    def test_no_hook_waits_for_deletions_or_for_everything(self) -> None:
        (document,) = [one["data"] for one in objects() if one["metadata"]["name"] == "navicert-configurations"]  # type: ignore[index]
        found = json.loads(document["configurations.json"])  # type: ignore[index]
        hooks = [hook for kind in found.values() if isinstance(kind, dict) for hook in kind["navicert"]]
        rules = [rule for hook in hooks for rule in hook["rules"]]
        assert {operation for rule in rules for operation in rule["operations"]} == {"CREATE", "UPDATE"}
        assert not [rule for rule in rules for resource in rule["resources"] if "*" in resource]
        assert not [hook for hook in hooks if "objectSelector" in hook]

    @pytest.mark.parametrize("scope", ["labelled", "all"])
    def test_its_own_namespace_and_those_of_the_system_are_never_asked_about(self, scope: str) -> None:
        (document,) = [
            one["data"]
            for one in objects(scope=scope)
            if one["metadata"]["name"] == "navicert-configurations"  # type: ignore[index]
        ]
        found = json.loads(document["configurations.json"])  # type: ignore[index]
        for kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"):
            for hook in found[kind]["navicert"]:
                first = hook["namespaceSelector"]["matchExpressions"][0]
                assert first["key"] == "kubernetes.io/metadata.name"
                assert first["operator"] == "NotIn"
                assert {"security", "kube-system", "kube-public", "kube-node-lease"} == set(first["values"])

    def test_the_configurations_are_installed_empty(self) -> None:
        found = [one for one in objects() if str(one["kind"]).endswith("WebhookConfiguration")]
        assert len(found) == 2
        assert [one for one in found if "webhooks" in one] == []

    def test_what_would_disarm_at_once_is_not_among_what_is_applied(self) -> None:
        assert [one for one in objects() if one["metadata"]["name"] == "navicert-uninstall"] == []  # type: ignore[index]


class TestOnDisk:
    def test_no_service_is_named_and_every_name_is_one_for_files(self) -> None:
        written = [one for name, text in disk().items() if name.endswith("/navicert.yaml") for one in [text]]
        assert len(written) == 2
        for one in map(yaml.safe_load, written):
            assert one["metadata"]["name"].endswith(".static.k8s.io")
            assert one["webhooks"]
            for hook in one["webhooks"]:
                assert list(hook["clientConfig"]) == ["url"]

    def test_what_is_written_can_be_filled_in(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        holding, _ = renewed(Holding(), ("x",), datetime.now(UTC), published=True)
        (tmp_path / "ca.crt").write_bytes(holding.bundle)
        (tmp_path / "hook.yaml").write_text(disk()["validating-webhooks/navicert.yaml"])
        assert main(["admission", "fill", str(tmp_path / "hook.yaml"), "--ca", str(tmp_path / "ca.crt")]) == 0
        filled = yaml.safe_load(capsys.readouterr().out)
        assert set(arming.bundles(filled)) == {holding.bundle}

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("kind: Pod", "no webhook configuration in it"),
            ("kind: ValidatingWebhookConfiguration", "has no webhooks"),
            ("kind: ValidatingWebhookConfiguration\nwebhooks: [{name: a}]", "clientConfig"),
            ("[]", "wrong type"),
        ],
    )
    def test_what_cannot_be_filled_in_is_refused(
        self, text: str, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        holding, _ = renewed(Holding(), ("x",), datetime.now(UTC), published=True)
        (tmp_path / "ca.crt").write_bytes(holding.bundle)
        (tmp_path / "hook.yaml").write_text(text)
        assert main(["admission", "fill", str(tmp_path / "hook.yaml"), "--ca", str(tmp_path / "ca.crt")]) == 2
        assert problem in capsys.readouterr().err

    def test_a_file_without_a_certificate_is_no_authority(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\n")
        (tmp_path / "hook.yaml").write_text(disk()["validating-webhooks/navicert.yaml"])
        assert main(["admission", "fill", str(tmp_path / "hook.yaml"), "--ca", str(tmp_path / "ca.crt")]) == 2
        assert "no certificate in it" in capsys.readouterr().err


class TestSettings:
    @pytest.mark.parametrize(
        ("values", "problem"),
        [
            ({"image": "registry.example/navicert:1"}, "/image: wrong form"),
            ({"replica": 3}, "/replica: no such setting"),
            ({"replicas": 0}, "/replicas: too small"),
            ({"replicas": True}, "/replicas: wrong type"),
            ({"replicas": "3"}, "/replicas: wrong type"),
            ({"webhook": {"timeoutSeconds": 31}}, "too large"),
            ({"webhook": {"failurePolicy": "fail"}}, "no such choice"),
            ({"companion": {"labelGroups": ["a'] || true || ['"]}}, "wrong form"),
            ({"companion": {"labelGroups": [""]}}, "wrong form|too short"),
            ({"service": {"name": "Webhook"}}, "wrong form"),
            ({"excludedNamespaces": "kube-system"}, "wrong type"),
        ],
    )
    def test_a_wrong_one_is_refused_by_the_command_and_by_the_chart(
        self, values: dict[str, object], problem: str
    ) -> None:
        whole = value.merged({"image": IMAGE}, values)
        with pytest.raises(Malformed, match=problem):
            value.check(whole)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(whole, value.schema())

    def test_a_line_break_after_a_digest_is_no_end(self) -> None:
        with pytest.raises(Malformed, match="wrong form"):
            value.check(value.merged({"image": IMAGE + "\n"}))

    def test_defaults_lack_nothing_but_the_image(self) -> None:
        with pytest.raises(Malformed, match="/image"):
            value.check(value.defaults())
        value.check(value.merged({"image": IMAGE}))

    def test_null_is_refused(self) -> None:
        with pytest.raises(Malformed, match="is null"):
            value.merged({"replicas": None})

    def test_one_is_set_by_path(self) -> None:
        assert value.assigned(["a.b=1", "a.c=x=y", 'd=["e"]']) == {"a": {"b": 1, "c": "x=y"}, "d": ["e"]}

    @pytest.mark.parametrize("word", ["a", "=1"])
    def test_a_word_that_sets_nothing_is_refused(self, word: str) -> None:
        with pytest.raises(Malformed):
            value.assigned([word])

    def test_the_file_with_reasons_holds_the_defaults(self) -> None:
        assert yaml.safe_load(value.commented()) == value.defaults()


class TestTree:
    values: Mapping[str, object] = {"on": True, "off": False, "word": "a b", "list": ["x"], "number": 7, "none": []}

    @pytest.mark.parametrize(
        ("tree", "expected"),
        [
            (Ref("word"), "a b"),
            (text("n=", Ref("number"), "!"), "n=7!"),
            (text("in ", Json(Ref("list"))), 'in ["x"]'),
            (Joined(("a", Ref("word")), Ref("list")), ["a", "a b", "x"]),
            ([1, Each(Ref("list")), 2], [1, "x", 2]),
            ({"a": When(Ref("off"), 1), "b": When(Ref("on"), 1)}, {"b": 1}),
            ([When(Ref("none"), 1), When(Ref("off"), 1, 2)], [2]),
            (When(Ref("word"), 1, 2, among=("a b", "c")), 1),
            (Json(Ref("list")), '["x"]'),
            (Document("d", {"b": Ref("number"), "a": "<"}), '{\n  "a": "\\u003c",\n  "b": 7\n}'),
        ],
    )
    def test_it_is_filled_in(self, tree: object, expected: object) -> None:
        assert resolve(tree, self.values, RELEASE) == expected

    def test_a_value_that_is_not_there_is_no_empty_one(self) -> None:
        with pytest.raises(Malformed, match="no such value"):
            resolve(Ref("word.other"), self.values, RELEASE)

    def test_text_that_would_be_an_expression_is_refused_in_a_template(self) -> None:
        with pytest.raises(TypeError, match="expression"):
            template([{"a": "{{ .Values }}"}])

    @pytest.mark.parametrize("value", ["yes", "1e3", "~", "a: b", "{{ x }}", "é\n", "", "-", "0o7", "2026-11-29", "on"])
    def test_written_out_a_word_is_read_back_as_that_word(self, value: str) -> None:
        assert list(yaml.safe_load_all(plain([{"a": value, "b": [value, {"c": [value]}]}]))) == [
            {"a": value, "b": [value, {"c": [value]}]}
        ]


class TestDocuments:
    def test_what_looks_like_a_time_is_a_word_and_numbers_are_numbers(self) -> None:
        assert read_documents(b"a: 2026-11-29\nb: 3\nc: true\n---\n---\nd: []") == [
            {"a": "2026-11-29", "b": 3, "c": True},
            {"d": []},
        ]

    @pytest.mark.parametrize(
        "raw", [b"a: 1\na: 2", b"a: &x 1\nb: *x", b"{", b"\xff", b"? [a]\n: 1", b"a: !!python/name:os.system x"]
    )
    def test_what_two_readers_could_take_for_different_things_is_refused(self, raw: bytes) -> None:
        with pytest.raises(Malformed):
            read_documents(raw)
