"""A cluster's surroundings for tests of admission: a registry with images and their chains, policies, and an examiner.

Everything is real but the cluster: images and evidence lie in a registry on loopback, layouts and links are signed, and
what decides is what the webhook runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from tests.image_chain import layout, links

from navicert.admission.cache import VerdictCache
from navicert.admission.decision import Decision
from navicert.admission.examiner import Examiner
from navicert.admission.judge import Judge
from navicert.admission.limits import ADMISSION, WEBHOOK, AdmissionLimits
from navicert.admission.policy import Mode, PolicySet
from navicert.admission.policy_file import load_policies
from navicert.admission.reach import Reach
from navicert.admission.review import Kind
from navicert.admission.worker import Workers
from navicert.digest import DigestSet
from navicert.envelope.document import seal
from navicert.limits import Limits
from navicert.model.layout import Layout
from navicert.model.link import Link
from navicert.oci.access import Access
from navicert.oci.attachment import PACK
from navicert.oci.manifest import Descriptor
from navicert.oci.reference import Reference
from navicert.oci.registry import Registry
from navicert.oci.remote import resolve_reference
from navicert.resolve.image import image_artifacts
from navicert.store import Filing
from navicert.store.pack import Pack, write_pack
from navicert.testing import signer
from navicert.testing.registry import LoopbackRegistry

NOW = datetime(2026, 6, 1, tzinfo=UTC)
POD = Kind("", "v1", "Pod")
DEPLOYMENT = Kind("apps", "v1", "Deployment")


def pod(*images: str, **more: Any) -> dict[str, Any]:
    """A Pod of containers with these images."""
    return {"containers": [{"name": f"c{i}", "image": image} for i, image in enumerate(images)]} | more


def review(
    spec: Any,
    kind: Kind = POD,
    *,
    old: Any = None,
    operation: str = "",
    namespace: str = "prod",
    groups: Sequence[str] = ("system:authenticated",),
    annotations: dict[str, str] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """A review of a Pod with this spec, or of something else around it; with `old` of a change to it."""

    def body(spec: Any) -> Any:
        whole = {"spec": spec} if kind == POD else {"spec": {"template": {"spec": spec}}}
        version = f"{kind.group}/{kind.version}" if kind.group else kind.version
        metadata = {"name": "web", "annotations": annotations or {}}
        return {"apiVersion": version, "kind": kind.name, "metadata": metadata} | whole

    request = {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": {"group": kind.group, "version": kind.version, "kind": kind.name},
        "resource": {"group": kind.group, "version": kind.version, "resource": kind.name.lower() + "s"},
        "name": "web",
        "namespace": namespace,
        "operation": operation or ("CREATE" if old is None else "UPDATE"),
        "userInfo": {"username": "jane", "groups": list(groups)},
        "object": None if spec is None else body(spec),
        "oldObject": None if old is None else body(old),
        "dryRun": False,
        "options": {},
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request | fields}


class World:
    """A registry, a policy file in `folder`, and what decides by it. `now` is the moment that is judged for."""

    def __init__(self, registry: LoopbackRegistry, folder: Path, limits: Limits, bounds: AdmissionLimits) -> None:
        self.registry = registry
        self.folder = folder
        self.now = NOW
        self.seconds = 0.0
        self.reach = Reach(Access(insecure=True), limits)
        self.judge = Judge(self.reach, limits, clock=lambda: self.now)
        self.workers = Workers(bounds)
        self.bounds = bounds
        self.policies = PolicySet()
        self.cache = VerdictCache(bounds.cached, clock=lambda: self.seconds)
        self.examiner = self.examining()
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("owner", "second", "eve"):
            (folder / f"{name}.pub").write_bytes(signer(name).key.public_pem())

    def examining(self, unmatched: Mode = Mode.ENFORCE) -> Examiner:
        """What decides."""
        return Examiner(
            lambda: self.policies,
            self.judge,
            self.workers,
            cache=self.cache,
            unmatched=unmatched,
            limits=self.bounds,
        )

    # --- what there is -------------------------------------------------------------------------------------------

    def image(self, name: str = "shop/app", tag: str = "1.4", content: bytes = b"hello") -> Descriptor:
        """An image in the registry."""
        return self.registry.add_image(name, tag, {"app": content})

    def ref(self, image: Descriptor, name: str = "shop/app", tag: str = "") -> str:
        """The reference to `image` by digest."""
        return f"{self.registry.name}/{name}{f':{tag}' if tag else ''}@{image.digest}"

    def products(self, image: Descriptor, name: str = "shop/app") -> dict[str, DigestSet]:
        """What a step that made `image` records."""
        with Registry(self.registry.name, Access(insecure=True)) as registry:
            found = resolve_reference(registry, Reference.parse(self.ref(image, name)))
            return image_artifacts("app", found.image())

    def attest(
        self,
        image: Descriptor,
        name: str = "shop/app",
        *,
        by: str = "bob",
        owner: str = "owner",
        policy: Layout | None = None,
        evidence: Sequence[Link] | None = None,
        steps: int = 2,
        repository: str = "",
    ) -> None:
        """Attaches a chain that made `image` to it, with its layout."""
        made = links(self.products(image, name), steps) if evidence is None else evidence
        who = signer(by)
        filings = tuple(Filing(link.name, who.key.id, seal(link, who)) for link in made)
        raw = write_pack(Pack(seal(policy or layout(steps), signer(owner)), filings))
        self.registry.add_artifact(repository or name, raw, PACK, subject=image, artifact_type=PACK)

    def good(self, name: str = "shop/app", tag: str = "1.4", content: bytes = b"hello") -> str:
        """The reference (by tag and digest) to an image whose chain holds."""
        image = self.image(name, tag, content)
        self.attest(image, name)
        return self.ref(image, name, tag)

    def bad(self, name: str = "shop/app", tag: str = "evil", content: bytes = b"tampered") -> str:
        """The reference to an image in place of which another one was built: its chain is that of another image."""
        image = self.image(name, tag, content)
        self.attest(image, name, evidence=links(self.products(self.image(name, "", b"original"), name)))
        return self.ref(image, name, tag)

    # --- what is asked -------------------------------------------------------------------------------------------

    def policy(self, **spec: Any) -> dict[str, Any]:
        """A policy of the cluster for everything in the registry."""
        metadata: dict[str, Any] = {"name": spec.pop("name", "all")}
        namespace = spec.pop("namespace", "")
        kind = "SupplyChainPolicy" if namespace else "ClusterSupplyChainPolicy"
        body = {
            "images": [f"{self.registry.name}/**"],
            "layout": {"attached": True},
            "owners": {"keys": [{"file": "owner.pub"}]},
        }
        fields = {name: value for name, value in (body | spec).items() if value is not None}
        metadata |= {"namespace": namespace} if namespace else {}
        return {"apiVersion": "navicert.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": fields}

    def exception(self, digest: str, not_after: str = "2026-07-01T00:00:00Z", **spec: Any) -> dict[str, Any]:
        """An exception for one digest."""
        body = {"digest": digest, "reason": "rollback", "owner": "jane", "notAfter": not_after}
        metadata = {"name": "rollback", "namespace": "navicert"}
        version = "navicert.dev/v1alpha1"
        return {"apiVersion": version, "kind": "SupplyChainException", "metadata": metadata, "spec": body | spec}

    def use(self, *documents: dict[str, Any]) -> World:
        """Decide by these documents, or by one policy for everything."""
        path = self.folder / "policy.yaml"
        path.write_text("---\n".join(yaml.safe_dump(one) for one in documents or (self.policy(),)))
        self.policies = load_policies([str(path)])
        return self

    def decide(self, spec: Any, kind: Kind = POD, *, seconds: float | None = None, **more: Any) -> Decision:
        """The decision whether an object may be there."""
        raw = json.dumps(review(spec, kind, **more)).encode()
        return self.examiner.run(raw, self.examiner.validating, seconds)

    def pin(self, spec: Any, kind: Kind = POD, **more: Any) -> Decision:
        """The decision what to pin."""
        return self.examiner.run(json.dumps(review(spec, kind, **more)).encode(), self.examiner.mutating)

    def close(self) -> None:
        """Let go of everything."""
        self.workers.close()
        self.reach.close()


@contextmanager
def world(folder: Path, limits: Limits = WEBHOOK, bounds: AdmissionLimits = ADMISSION) -> Iterator[World]:
    """A world with one policy for everything in its registry."""
    with LoopbackRegistry() as registry:
        made = World(registry, folder, limits, bounds)
        try:
            yield made.use()
        finally:
            made.close()
