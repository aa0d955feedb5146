"""One policy, one image: the same gathering and judging as on the command line, within a budget.

A judgement rests on a digest. The bytes behind it are read once and compared with it, what is judged is what they say,
and nothing is asked for a second time. No command of a layout is run.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Final

from navicert.admission.breaker import Breaker
from navicert.admission.budget import Budget
from navicert.admission.cause import cause_of
from navicert.admission.ending import MOST, endings
from navicert.admission.inspection import AttachedInspector
from navicert.admission.judgement import Judgement, Standing, refused, unknown
from navicert.admission.limits import WEBHOOK
from navicert.admission.metered import MeteredImage, MeteredShelf
from navicert.admission.policy import Facet, PolicyDocument
from navicert.admission.reach import Reach, Way
from navicert.crypto.trusted_root import TrustedRoot
from navicert.dataclass import replace
from navicert.digest import Digest, sha256
from navicert.errors import Malformed, NavicertError, Refused, Unavailable
from navicert.limits import Limits
from navicert.model.layout import Layout
from navicert.oci.answer import answering
from navicert.oci.attachment import PACK
from navicert.oci.exchange import Missing, NotThere
from navicert.oci.manifest import Document, Manifest
from navicert.oci.media import MANIFESTS
from navicert.oci.reference import Reference
from navicert.oci.registry import Repository
from navicert.report.line import cut, escape
from navicert.resolve.target import image_target
from navicert.slsa.builders import BuilderTable
from navicert.store import Source
from navicert.store.attachment import AttachmentSource
from navicert.store.gather import gather
from navicert.store.pack import parse_pack
from navicert.store.recall import Recall
from navicert.trust.builder import shipped_builders
from navicert.trust.sigstore import open_trusted_root
from navicert.verdict import Verdict
from navicert.verify.case import Asked, Case, Policy, Target
from navicert.verify.evaluate import verify, without_layout
from navicert.verify.keyless import Keyless
from navicert.verify.ownership import Owners

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_ATTACHED_LAYOUTS: Final = 8
"""Layouts attached to one image that are judged by, the newest version first."""
_OPENED: Final = 1_000


class Judge:
    """Judges images. Thread-safe. `clock` gives the moment that is judged for; `breaker` knows which registries are
    down (one of its own, if left out)."""

    def __init__(
        self,
        reach: Reach,
        limits: Limits = WEBHOOK,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC).replace(microsecond=0),
        breaker: Breaker | None = None,
    ) -> None:
        self.reach = reach
        self.clock = clock
        self._limits = limits
        self._breaker = Breaker(now=clock) if breaker is None else breaker
        self._recall = Recall()
        self._shipped: TrustedRoot | None = None
        self._builders: BuilderTable | None = None
        self._opened: OrderedDict[tuple[object, ...], Policy] = OrderedDict()
        self._lock = threading.Lock()

    def resolve(self, way: Way, reference: Reference, budget: Budget) -> Digest:
        """What the tag of `reference` stands for now: the digest of the bytes that came. Raises what `Registry` does,
        and `Unavailable` for an answer that cannot be relied on."""
        shelf = self._shelf(way, reference.repository, budget)
        with answering():
            found = shelf.manifest(reference.tag)
            if isinstance(found, Missing):
                raise found.error()
        return found.digest

    def judge(
        self, policy: PolicyDocument, way: Way, reference: Reference, digest: Digest, namespace: str, budget: Budget
    ) -> Judgement:
        """What `policy` says about the image `digest` in the repository of `reference`. Never raises for what a
        registry, a document or a layout did: that is a judgement too."""
        try:
            with ExitStack() as cleanup:
                return _Session(self, policy, way, reference, digest, namespace, budget, cleanup).judge()
        except NotThere as error:
            return refused("image.missing", escape(str(error)))
        except Unavailable as error:
            return unknown("registry.unavailable", escape(str(error)), outage=True)
        except Refused as error:
            return unknown("registry.refused", escape(str(error)))
        except Malformed as error:
            return refused("policy.malformed", escape(str(error)))
        except NavicertError as error:
            return unknown("error", escape(str(error)))

    def open_layout(self, raw: bytes, policy: PolicyDocument, origin: str) -> Policy:
        """The layout in `raw`, held against the owners of `policy`; remembered, as the same bytes and owners always
        give the same, but for bundles that prove nothing yet. Raises `Malformed`."""
        key = (raw, origin, policy.digest)
        with self._lock:
            known = self._opened.get(key)
            if known is not None:
                self._opened.move_to_end(key)
                return known
        keyless = self.keyless(policy)
        owners = Owners.of(policy.owners, policy.identities, need=policy.threshold, keyless=keyless)
        opened = owners.open(raw, path=origin, limits=self._limits)
        if opened.problems:
            return opened
        with self._lock:
            self._opened[key] = opened
            if len(self._opened) > _OPENED:
                self._opened.popitem(last=False)
        return opened

    def keyless(self, policy: PolicyDocument) -> Keyless:
        """By what identities are believed now: the trust root of `policy`, or the one that ships."""
        return Keyless(policy.trusted_root or self._shipped_root, self.clock())

    def builders(self) -> BuilderTable:
        """The builder table that ships."""
        with self._lock:
            if self._builders is None:
                self._builders = shipped_builders()
            return self._builders

    def _shipped_root(self) -> TrustedRoot:
        with self._lock:
            if self._shipped is None:
                self._shipped = open_trusted_root()
            return self._shipped

    def layout_of(self, policy: PolicyDocument) -> Policy | None:
        """The layout that stands in `policy`, held against its owners; None where it comes from elsewhere. Raises
        `Malformed`."""
        raw = policy.layout.raw
        return None if raw is None else self.open_layout(raw, policy, policy.layout.origin)

    def _shelf(self, way: Way, repository: str, budget: Budget) -> MeteredShelf:
        return MeteredShelf(Repository(self.reach.registry(way), repository), budget, way.registry, self._breaker)


class _Session:
    """One judgement under way."""

    def __init__(
        self,
        judge: Judge,
        policy: PolicyDocument,
        way: Way,
        reference: Reference,
        digest: Digest,
        namespace: str,
        budget: Budget,
        cleanup: ExitStack,
    ) -> None:
        self._judge = judge
        self._policy = policy
        self._way = way
        self._reference = reference
        self._digest = digest
        self._namespace = namespace
        self._budget = budget
        self._cleanup = cleanup
        self._limits = judge._limits
        self._beside: list[tuple[AttachmentSource, MeteredShelf]] = []
        self._stores: list[tuple[str, Source]] = []

    def judge(self) -> Judgement:
        if str(self._digest) in self._policy.revoked.digests:
            return refused("target.revoked", f"digest {self._digest} is revoked")
        home = self._judge._shelf(self._way, self._reference.repository, self._budget)
        with answering():
            found = home.manifest(self._digest)
            if isinstance(found, Missing):
                raise found.error()
            kind = _artifact_type(found, self._limits)
        if kind:
            reason = "an artifact and no image: a chain says what is in an image"
            return refused("image.artifact", f"{self._reference.name}@{self._digest} is {reason} (it is of {kind})")
        image = MeteredImage(found, self._digest, home)
        with answering():
            target = image_target(image.origin, image.image(), self._policy.platform_scope)
        self._open_sources(image)
        now = self._judge.clock()
        layouts = self._layouts()
        if not layouts:
            asked = [one for source, _ in self._beside for one in source.asked()]
            verdict = without_layout(image.origin, now, [Asked(place, answer) for place, answer in asked])
            return Judgement(Standing.FAILED, cause_of(verdict))
        judgement = None
        for layout in layouts:
            found_out = self._by(layout, target, now)
            if found_out.passed:
                return found_out
            judgement = judgement or found_out
        assert judgement is not None  # noqa: S101  # there was a layout
        return judgement

    # --- what there is -------------------------------------------------------------------------------------------

    def _open_sources(self, image: MeteredImage) -> None:
        for place in self._policy.evidence:
            if place.store:
                from navicert.store.uri import open_source

                opened = open_source(place.store, self._limits)
                self._cleanup.callback(opened.close)
                self._stores.append((place.store, opened))
                continue
            shelf = image.shelf
            if place.repository:
                other = Reference.parse(place.repository)
                way = Way.to(other.registry, (self._policy,))
                if self._way.credentials is not None:
                    way = way.with_credentials(self._way.identity, self._way.credentials)
                shelf = self._judge._shelf(way, other.repository, self._budget)
            self._beside.append((AttachmentSource(image.on(shelf), self._limits), shelf))

    def _layouts(self) -> list[Policy]:
        """The layouts to judge by, any of which is enough. Raises `Malformed` where the policy's own is none."""
        source = self._policy.layout
        if source.raw is not None:
            return [self._judge.open_layout(source.raw, self._policy, source.origin)]
        if source.image is not None:
            return [self._judge.open_layout(self._artifact(source.image), self._policy, str(source.image))]
        found = []
        for attached, _ in self._beside:
            for raw in attached.layouts().values():
                origin = f"attached root.layout ({str(sha256(raw))[:19]})"
                try:
                    found.append(self._judge.open_layout(raw, self._policy, origin))
                except Malformed:
                    continue  # whoever can push can attach what is no layout; the owners' is looked for
        signed = sorted((one for one in found if one.verified is not None), key=_version, reverse=True)
        return (signed or found)[:_ATTACHED_LAYOUTS]

    def _artifact(self, reference: Reference) -> bytes:
        """The layout in the artifact `reference`: its one layer, or that of a pack."""
        if reference.digest is None:
            raise Malformed("not pinned", path=str(reference))
        way = Way.to(reference.registry, (self._policy,))
        shelf = self._judge._shelf(way, reference.repository, self._budget)
        with answering():
            found = shelf.manifest(reference.digest)
            if isinstance(found, Missing):
                raise found.error()
            manifest = Manifest.parse(found, self._limits, path=str(reference))
            if len(manifest.layers) != 1:
                raise Malformed("not an artifact with one layer", path=str(reference), got=f"{len(manifest.layers)}")
            raw = shelf.read_blob(manifest.layers[0], self._limits.attachment_bytes)
            return parse_pack(raw, self._limits).layout if manifest.layers[0].media_type == PACK else raw

    def _parameters(self) -> dict[str, str] | None:
        filled = {
            name: value.of(self._reference, self._digest, self._namespace) if isinstance(value, Facet) else value
            for name, value in self._policy.parameters.items()
        }
        return filled or None

    # --- judged ----------------------------------------------------------------------------------------------------

    def _by(self, layout: Policy, target: Target, now: datetime) -> Judgement:
        sources: list[Source] = [*(source for source, _ in self._beside), *(source for _, source in self._stores)]
        policy = self._policy
        keyless = self._judge.keyless(policy)
        gathered = gather(
            layout,
            sources,
            target=target,
            limits=self._limits,
            recall=self._judge._recall,
            keep_bytes=False,
            keyless=keyless,
        )
        asked = [Asked(place, answer) for source, _ in self._beside for place, answer in source.asked()]
        asked += [Asked(name, "searched") for name, _ in self._stores]
        case = Case(
            layout,
            now,
            gathered.exhibits,
            gathered.refused,
            strict=policy.strict,
            target=target,
            target_step=policy.target_step,
            parameters=self._parameters(),
            patterns=policy.patterns,
            revoked=policy.revoked,
            min_version=policy.min_version,
            timestamp_authorities=policy.timestamp_authorities,
            root=keyless.used,
            asked=tuple(asked),
            claims=gathered.claims,
            limits=self._limits,
        )
        inspector = AttachedInspector(gathered.exhibits, self._beside, self._limits)
        verdict = verify(case, inspector)
        if verdict.passed:
            return self._levels(case, verdict) or self._passed(case, verdict)
        expires = _expiry(layout)
        if expires is not None and _only_expired(verdict) and now < expires + policy.expires_grace:
            # Everything else must hold too, what is not looked at in an expired chain included.
            before = replace(case, at=expires - timedelta(seconds=1))
            graced = verify(before, inspector)
            if graced.passed:
                below = self._levels(case, graced)
                if below is not None:
                    return below
                note = f"layout {escape(layout.sealed.origin)} expired on {expires:%Y-%m-%d}; admitted in its grace"
                return self._passed(case, verdict, (note,))
        return Judgement(Standing.FAILED, cause_of(verdict), policy=verdict.policy)

    def _levels(self, case: Case, verdict: Verdict) -> Judgement | None:
        """Why the image, whose chain passed, is below a level that the policy asks for; None where it is not."""
        if self._policy.levels is None:
            return None
        from navicert.admission.levels import Surroundings, judge_levels

        beside, stores = (tuple(source for source, _ in self._beside), tuple(source for _, source in self._stores))
        around = Surroundings(beside, stores, self._judge.keyless(self._policy), self._judge.builders())
        name = self._reference.name
        reached = judge_levels(self._policy.levels, case, verdict, name, around, self._limits)
        if reached.passed:
            return None
        return Judgement(Standing.FAILED, cause_of(reached), policy=verdict.policy)

    def _passed(self, case: Case, verdict: Verdict, warnings: tuple[str, ...] = ()) -> Judgement:
        expires = _expiry(case.policy)
        if expires is None:
            raise ValueError("a layout that passed has an expiry")
        ends = [expires + self._policy.expires_grace]
        keys = [*case.policy.owners, *(key for one in case.evidence for key in one.document.signers)]
        ends += [key.expires for key in keys if key.expires is not None]
        others = [one for one in endings(case.policy) if one.kind != "layout"]
        # A key that ended before still counts for what was signed, with a timestamp, while it did not.
        ends += [one.at for one in others if one.at > case.at]
        return Judgement(
            Standing.PASSED,
            warnings=warnings,
            layout=escape(case.policy.sealed.origin),
            expires=expires,
            until=min(ends),
            policy=verdict.policy,
            endings=tuple(one for one in others if one.at > case.at)[:MOST],
        )


def _artifact_type(found: Document, limits: Limits) -> str:
    """What kind of artifact a manifest is that is no image's; empty for an image, and for an index."""
    if found.media_type not in MANIFESTS:
        return ""
    manifest = Manifest.parse(found, limits)
    if manifest.is_image:
        return ""
    return escape(cut(manifest.artifact_type or manifest.config.media_type, 100))


def _expiry(policy: Policy) -> datetime | None:
    body = None if policy.verified is None else policy.verified.body
    return body.expires if isinstance(body, Layout) else None


def _version(policy: Policy) -> int:
    body = None if policy.verified is None else policy.verified.body
    return (body.release.version or 0) if isinstance(body, Layout) else 0


def _only_expired(verdict: Verdict) -> bool:
    """Whether the expiry of the layout itself is all that decided against."""
    causes = list(verdict.causes())
    return bool(causes) and all(path == f"{verdict.root.name}/layout.expired" for path, _ in causes)
