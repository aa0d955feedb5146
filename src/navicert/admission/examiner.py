"""From a review to the decision on it: what can be decided at once, what has to be judged, and what came of it.

Decided without a network comes first: what starts nothing, what is there already, what no policy speaks about, what is
no reference. Only then is a registry asked, each digest once, for all reviews that ask at the same time. A decision is
a sequence of steps that each wait for some work, so that a program with threads and one with an event loop take the
same ones. Whatever is not there in time is not known, and nothing unknown passes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from functools import partial
from typing import Any, Final, TypeVar

from navicert import __version__
from navicert.admission.budget import Budget, Purse
from navicert.admission.cache import Flights, VerdictCache, VerdictKey
from navicert.admission.decision import Decision, Ruling, conclude, decided, refuse
from navicert.admission.glass import broken_glass, objection
from navicert.admission.images import ImageUse, find_images, is_native, is_pod
from navicert.admission.judge import Judge
from navicert.admission.judgement import Judgement, refused, unknown
from navicert.admission.limits import ADMISSION, AdmissionLimits
from navicert.admission.live_template import LiveTemplate, LiveTemplates, behind
from navicert.admission.mutation import pinned
from navicert.admission.policy import ExceptionDocument, Facet, Mode, PolicyDocument, PolicySet
from navicert.admission.pull_secret import Secrets, keychain_of
from navicert.admission.quota import Quota, Spent
from navicert.admission.reach import Way
from navicert.admission.review import BadReview, Kind, Review, User, read_review
from navicert.admission.static_pod import is_mirror
from navicert.admission.tag import Tags
from navicert.admission.tally import Tally
from navicert.admission.worker import Workers
from navicert.dataclass import replace
from navicert.digest import Digest
from navicert.errors import Malformed, NavicertError, Unavailable
from navicert.oci.exchange import NotThere
from navicert.oci.reference import Reference
from navicert.report.line import cut, escape

T = TypeVar("T")
Steps = Generator[Sequence["Future[Any]"], None, Decision]
"""A decision under way: each step gives the work that it waits for, whether or not it is done when it is resumed."""

Glass = Callable[[ImageUse, PolicyDocument], str]
"""Says who breaks the glass of a policy for an image; empty where nobody does."""
_STARTS_NOTHING: Final = frozenset(
    "status scale binding eviction exec attach portforward log proxy token approval finalize".split()
)
"""Subresources by which no image can be changed."""


class Examiner:
    """Decides reviews by the policies that `policies` gives at that moment. Thread-safe.

    `unmatched` is what becomes of an image that no policy speaks about; `secrets` is where the pull secrets of
    workloads are, for policies that allow their use; `carry_glass`: this webhook sees every template of Pods, so that
    glass broken in one counts for its Pods, and of sets where `templates` tells what they say now.
    """

    def __init__(
        self,
        policies: Callable[[], PolicySet],
        judge: Judge,
        workers: Workers,
        *,
        cache: VerdictCache | None = None,
        tally: Tally | None = None,
        secrets: Secrets | None = None,
        unmatched: Mode = Mode.ENFORCE,
        carry_glass: bool = False,
        templates: LiveTemplates | None = None,
        quota: Quota | None = None,
        limits: AdmissionLimits = ADMISSION,
    ) -> None:
        self.limits = limits
        self.tally = Tally() if tally is None else tally
        self.cache = VerdictCache(limits.cached) if cache is None else cache
        self._policies = policies
        self.judge = judge
        self._workers = workers
        self._unmatched = unmatched
        self._carry_glass = carry_glass
        self._templates = templates
        self._quota = quota
        self._secrets = secrets
        self._tags = Tags()
        self._resolving: Flights[tuple[Way, Reference], Digest] = Flights()
        self._judging: Flights[VerdictKey, Judgement] = Flights()

    # --- whole reviews ---------------------------------------------------------------------------------------------

    def read(self, raw: bytes) -> Review | Decision:
        """The review in `raw`, or the refusal of what is none."""
        try:
            return read_review(raw, self.limits)
        except BadReview as error:
            blank = Review(error.uid, Kind("", "", "?"), "", "", "", "CREATE", User(), None, None)
            return refuse(blank, "review.malformed", str(error))

    def run(self, raw: bytes, steps: Callable[[Review], Steps], seconds: float | None = None) -> Decision:
        """The decision on `raw` by `self.validating` or `self.mutating`, waited for. Never raises."""
        review = self.read(raw)
        if isinstance(review, Decision):
            return review
        deadline = time.monotonic() + (self.limits.decision_seconds if seconds is None else seconds)
        try:
            under_way = steps(review)
            while True:
                wait(next(under_way), timeout=max(0.0, deadline - time.monotonic()))
        except StopIteration as done:
            decision: Decision = done.value
            return decision
        except Exception as error:  # noqa: BLE001  # the edge: nothing that happens here may let an object in
            return refuse(review, "internal", f"internal error: {type(error).__name__}")

    def validating(self, review: Review) -> Steps:
        """The steps of the decision whether the object may be there."""
        early = self._at_once(review)
        if early is not None:
            return early
        policies = self._policies()
        try:
            uses = find_images(review.kind, review.body or {}, policies.custom_kinds, self.limits)
            old = self._old(review, policies)
        except Malformed as error:
            return refuse(review, "object.malformed", str(error))
        if self._carry_glass:
            about = partial(policies.about, namespace=review.namespace)
            problem = objection(review, uses, old, about, self.judge.clock())
            if problem:
                return refuse(review, "break-glass.forbidden", problem)
        if not uses:
            return decided(review, "no-image")
        there = {use.identity for use in old} - {None}
        fresh = [use for use in uses if use.identity is None or use.identity not in there]
        if not fresh:
            return decided(review, "unchanged")
        if not review.namespace and is_native(review.kind):
            return refuse(review, "review.malformed", "the review names no namespace")
        if len({use.reference for use in fresh}) > self.limits.images:
            return refuse(review, "object.images", f"more than {self.limits.images} different images (limit images)")
        return (yield from self._judged(review, policies, fresh, old))

    def mutating(self, review: Review) -> Steps:
        """The steps of the decision what to pin. It refuses nothing: `validating` does, which sees the result."""
        if self._at_once(review) is not None or not is_pod(review.kind):
            return decided(review, "left-alone")
        policies = self._policies()
        try:
            uses = find_images(review.kind, review.body or {}, policies.custom_kinds, self.limits)
            there = {(use.role, use.name, use.text) for use in self._old(review, policies)}
        except Malformed:
            return decided(review, "left-alone")
        # What runs already is left alone: another text for its image would restart it.
        loose = [use for use in uses if _is_tagged(use) and (use.role, use.name, use.text) not in there]
        ways = {
            use.reference: self._way(review, use.reference, about)
            for use in loose
            if use.reference is not None and (about := policies.about(use, review.namespace))
        }
        if len(ways) > self.limits.images:
            return decided(review, "left-alone", f"more than {self.limits.images} different images: none is pinned")
        digests, problems = yield from self._resolved(ways, review.namespace)
        notes = [f"{ref} is not pinned: {cut(str(problem.cause), 140)}" for ref, problem in problems.items()]
        patch = pinned(loose, digests)
        return decided(review, "pinned" if patch else "left-alone", *notes, patch=patch)

    # --- decided at once -------------------------------------------------------------------------------------------

    def _at_once(self, review: Review) -> Decision | None:
        """The decision on what needs no look at images."""
        if review.operation in ("DELETE", "CONNECT"):
            return decided(review, "starts-nothing")
        if review.subresource in _STARTS_NOTHING:
            return decided(review, "starts-nothing")
        if review.body is None:
            return refuse(review, "review.malformed", f"{review.operation} without an object")
        if is_mirror(review):
            return decided(review, "mirror-pod")
        return None

    def _old(self, review: Review, policies: PolicySet) -> tuple[ImageUse, ...]:
        """The images of the object as it was. An old object that cannot be read spares nothing of the new one."""
        if review.operation != "UPDATE" or review.old is None:
            return ()
        try:
            return find_images(review.kind, review.old, policies.custom_kinds, self.limits)
        except Malformed:
            return ()

    # --- judged ----------------------------------------------------------------------------------------------------

    def _judged(self, review: Review, policies: PolicySet, uses: Sequence[ImageUse], old: Iterable[ImageUse]) -> Steps:
        live = yield from behind(review, self._templates, self._workers)
        glass = partial(self._glass, review, live)
        rulings: list[Ruling] = []
        waiting: list[tuple[ImageUse, Reference, tuple[PolicyDocument, ...], Way]] = []
        there = {(use.role, use.reference) for use in old}
        ways: dict[Reference, Way] = {}
        for use in uses:
            about = policies.about(use, review.namespace)
            if not about:
                unmatched = refused("image.unmatched", "no policy speaks about this image")
                rulings.append(Ruling(use, None, unmatched, mode=self._unmatched))
            elif use.reference is None:
                rulings += self._alike(glass, use, about, refused("image.malformed", escape(use.problem)))
            elif _is_tagged(use) and is_pod(review.kind) and (use.role, use.reference) not in there:
                reason = "a Pod names its images by digest, because tags move – the mutating webhook pins them"
                rulings += self._alike(glass, use, about, refused("image.unpinned", reason))
            else:
                way = self._way(review, use.reference, about)
                waiting.append((use, use.reference, about, way))
                if _is_tagged(use):
                    ways[use.reference] = way
        digests, problems = yield from self._resolved(ways, review.namespace)
        purse = Purse(self.limits.admission_bytes, "admission_bytes")
        work: dict[tuple[int, Reference], Judgement | Future[Judgement]] = {}
        for use, reference, about, way in waiting:
            digest = reference.digest or digests.get(reference)
            if digest is None:
                rulings += self._alike(glass, use, about, problems[reference])
                continue
            for policy in about:
                place = (id(policy), reference)
                if place not in work and self._excepted(policies, policy, digest, review) is None:
                    work[place] = self._start(policy, way, reference, digest, review.namespace, purse)
        yield [job for job in work.values() if isinstance(job, Future)]
        for use, reference, about, way in waiting:
            digest = reference.digest or digests.get(reference)
            for policy in about if digest is not None else ():
                job = work.get((id(policy), reference))
                rulings.append(self._ruling(review, glass, policies, use, policy, way, digest, job))
        early = [use for use, reference, _, _ in waiting if not reference.pinned]
        return conclude(review, rulings, self.judge.clock(), early)

    def _way(self, review: Review, reference: Reference, about: Sequence[PolicyDocument]) -> Way:
        """How the registry of `reference` is reached: with the workload's own credentials where all policies that speak
        about the image allow that."""
        way = Way.to(reference.registry, about)
        if self._secrets is None or not all(policy.pull_secrets for policy in about):
            return way
        keys = keychain_of(self._secrets, review.kind, review.body or {}, review.namespace, self.judge.reach.keychain)
        return way.with_credentials(keys.identity, keys)

    def _alike(
        self, glass: Glass, use: ImageUse, about: Iterable[PolicyDocument], judgement: Judgement
    ) -> list[Ruling]:
        """One ruling for each policy, all with the same judgement."""
        return [Ruling(use, policy, judgement, broken_glass=glass(use, policy), mode=policy.mode) for policy in about]

    def _excepted(
        self, policies: PolicySet, policy: PolicyDocument, digest: Digest, review: Review
    ) -> ExceptionDocument | None:
        """The exception that spares `digest` from `policy`; none from what that revokes."""
        if policy.closed or str(digest) in policy.revoked.digests:
            return None
        return policies.exception(digest, review.namespace, self.judge.clock())

    def _ruling(
        self,
        review: Review,
        glass: Glass,
        policies: PolicySet,
        use: ImageUse,
        policy: PolicyDocument,
        way: Way,
        digest: Digest | None,
        job: Judgement | Future[Judgement] | None,
    ) -> Ruling:
        assert use.reference is not None  # noqa: S101  # only references are judged
        assert digest is not None  # noqa: S101
        exception = self._excepted(policies, policy, digest, review)
        if job is None:
            judgement = refused("exception", "not judged: an exception spares it")
        else:
            judgement = self._result(job)
            exception = None
        if judgement.outage and policy.allow_verified_before:
            key = self._key(policy, way, use.reference, digest, review.namespace)
            before = self.cache.before(key, self.judge.clock())
            if before is not None:
                note = f"{use}: {use.reference.registry} gives no answer; admitted because this digest passed before"
                judgement = replace(before, warnings=(*before.warnings, note))
        broken = "" if judgement.passed else glass(use, policy)
        return Ruling(use, policy, judgement, digest, exception, broken, policy.mode)

    def _glass(self, review: Review, live: LiveTemplate | None, use: ImageUse, policy: PolicyDocument) -> str:
        return broken_glass(review, policy, use, self.judge.clock(), carried=self._carry_glass, live=live)

    def _result(self, job: Judgement | Future[Judgement]) -> Judgement:
        if isinstance(job, Judgement):
            return job
        if not job.done():
            return unknown("time.exceeded", "no verdict in the time that was given", outage=True)
        error = job.exception()
        if error is not None:
            return unknown("internal", f"internal error: {type(error).__name__}")
        return job.result()

    def _key(
        self, policy: PolicyDocument, way: Way, reference: Reference, digest: Digest, namespace: str
    ) -> VerdictKey:
        named = Facet.NAMESPACE in policy.parameters.values()
        space = namespace if named else ""
        return VerdictKey(reference.name, digest, policy.digest, __version__, space, way.identity)

    def _start(
        self, policy: PolicyDocument, way: Way, reference: Reference, digest: Digest, namespace: str, purse: Purse
    ) -> Judgement | Future[Judgement]:
        """What is known about an image, or the work of finding out."""
        if policy.problem:
            return refused("policy.malformed", f"not understood, so that nothing passes by it: {policy.problem}")
        key = self._key(policy, way, reference, digest, namespace)
        known = self.cache.find(key, self.judge.clock())
        self.tally.looked_up(hit=known is not None)
        if known is not None:
            return known

        def work() -> Judgement:
            own = Purse(self.limits.image_bytes, "image_bytes")
            started = time.monotonic()
            budget = Budget(started + self.limits.decision_seconds, own, purse)
            judgement = self.judge.judge(policy, way, reference, digest, namespace, budget)
            self.cache.keep(key, judgement)
            self.tally.judged(reference.registry, policy.label, judgement, time.monotonic() - started)
            return judgement

        try:
            return self._judging.join(key, lambda: self._submit(namespace, reference.registry, work))
        except Spent as error:
            return unknown("namespace.busy", escape(str(error)), outage=True)
        except Unavailable as error:
            return unknown("registry.busy", escape(str(error)), outage=True)

    # --- tags ------------------------------------------------------------------------------------------------------

    def _resolved(
        self, ways: Mapping[Reference, Way], namespace: str
    ) -> Generator[Sequence[Future[Any]], None, tuple[dict[Reference, Digest], dict[Reference, Judgement]]]:
        """What each tag stands for now, and why that could not be found out of the others."""
        digests: dict[Reference, Digest] = {}
        problems: dict[Reference, Judgement] = {}
        work: dict[Reference, Future[Digest]] = {}
        for reference, way in ways.items():
            known = self._tags.find((way, reference))
            if known is not None:
                digests[reference] = known
                continue
            try:
                work[reference] = self._resolve(reference, way, namespace)
            except Spent as error:
                problems[reference] = unknown("namespace.busy", escape(str(error)))
            except Unavailable as error:
                problems[reference] = unknown("registry.busy", escape(str(error)))
        if work:
            yield list(work.values())
        for reference, future in work.items():
            if not future.done():
                problems[reference] = unknown("time.exceeded", "the tag was not resolved in the time that was given")
                continue
            problem = future.exception()
            if problem is None:
                digests[reference] = future.result()
            elif isinstance(problem, NotThere):
                problems[reference] = refused("image.missing", escape(str(problem)))
            elif isinstance(problem, NavicertError):
                problems[reference] = unknown("registry.unavailable", escape(str(problem)))
            else:
                problems[reference] = unknown("internal", f"internal error: {type(problem).__name__}")
        return digests, problems

    def _resolve(self, reference: Reference, way: Way, namespace: str) -> Future[Digest]:
        key = (way, reference)

        def work() -> Digest:
            own = Purse(self.limits.image_bytes, "image_bytes")
            digest = self.judge.resolve(way, reference, Budget(time.monotonic() + self.limits.decision_seconds, own))
            self._tags.keep(key, digest)
            return digest

        return self._resolving.join(key, lambda: self._submit(namespace, reference.registry, work))

    def _submit(self, namespace: str, registry: str, work: Callable[[], T]) -> Future[T]:
        """Have `work` done, on the account of `namespace`. Raises `Spent`, and `Unavailable` as `Workers.submit`."""
        if self._quota is not None:
            self._quota.take(namespace)
        return self._workers.submit(registry, work)


def _is_tagged(use: ImageUse) -> bool:
    return use.reference is not None and not use.reference.pinned
