"""A chain of links under a signed layout, as an account of the build beside (or instead of) provenance.

It counts only where the layout's verdict passed: then who signed what, which artifacts passed from step to step, and
that nothing else went in or out, has been judged already.
"""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.dataclass import dataclass
from navicert.digest import Digest, DigestSet
from navicert.model.artifact import Artifacts
from navicert.model.layout import Layout, Step
from navicert.model.principal import Principal
from navicert.model.rule import Rule, RuleKind, Side
from navicert.slsa.expectation import Steps
from navicert.slsa.recorded import Recorded, may_sign, recorded_of
from navicert.verdict import Verdict
from navicert.verify.authority import Authority
from navicert.verify.case import Case, Target
from navicert.verify.chain import target_step
from navicert.verify.target import Products, is_bound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from navicert.model.identity import Identity


@dataclass(frozen=True, slots=True)
class Chain:
    """A layout, what was recorded under it, and whether all of that holds (`passed`, else `reason`)."""

    layout: Layout
    authority: Authority
    recorded: tuple[Recorded, ...]
    steps: Steps
    last: str
    """The step whose product the target is."""
    origin: str
    policy: Digest
    """Of the layout's file."""
    passed: bool
    at: datetime
    reason: str = ""

    @staticmethod
    def of(case: Case, verdict: Verdict, steps: Steps) -> Chain | None:
        """The chain of a case that was judged; None where its layout is not one that an owner signed."""
        policy = case.policy
        if policy.verified is None or not isinstance(policy.verified.body, Layout):
            return None
        layout = policy.verified.body
        authority = Authority.of(layout, case.principals)
        first = verdict.first_cause
        return Chain(
            layout,
            authority,
            tuple(recorded_of(case, layout, authority, verdict)),
            steps,
            target_step(case, layout),
            policy.sealed.origin,
            policy.sealed.digest,
            verdict.passed,
            case.at,
            "" if first is None else f"{first.id}: {first.reason}",
        )

    def step(self, name: str) -> Step | None:
        """The step of this name; None where there is none."""
        return next((step for step in self.layout.steps if step.name == name), None)

    @property
    def build(self) -> Step | None:
        """The step that builds: the one that was named, else `build`, else the one that makes the target."""
        if self.steps.build:
            return self.step(self.steps.build)
        return self.step("build") or self.step(self.last)

    def of_step(self, step: Step | None) -> tuple[Recorded, ...]:
        """What was recorded for a step."""
        return () if step is None else tuple(one for one in self.recorded if one.claim.name == step.name)

    def builds(self, target: Target) -> tuple[Recorded, ...]:
        """The links of the build step that have the whole of `target` among their products."""
        if not self.passed:
            return ()
        return tuple(
            one for one in self.of_step(self.build) if is_bound(target, Products("build", one.claim.record.products))
        )

    def made(self, digest: Digest) -> bool:
        """Whether the step that makes the target has a product with this very digest."""
        step = self.step(self.last)
        return self.passed and any(
            digest in digests.strong for one in self.of_step(step) for digests in one.claim.record.products.values()
        )

    def shared(self, keys: Collection[Key], identities: Collection[Identity] = ()) -> tuple[str, ...]:
        """The other steps that any of `keys` and `identities`, or whom they stand for, may sign for too."""
        build = self.build
        others = (step for step in self.layout.steps if build is None or step.name != build.name)
        return tuple(step.name for step in others if may_sign(self.authority, step, keys, identities, self.at))

    def is_person(self, signer: Key | Identity) -> bool:
        """Whether the layout says that `signer` is a person's; so it is where it may be one of several."""
        authority = self.authority
        who = authority.principal(signer) if isinstance(signer, Key) else authority.identified(signer)
        return who is None or who.kind == "person"

    def commits(self, build: Recorded) -> frozenset[str]:
        """The git commits that the build consumed just as the source step left them."""
        source = self.step(self.steps.source)
        if not takes_from(self.build, source):
            return frozenset()
        made = {commit for one in self.of_step(source) for commit in _commits(one.claim.record.products.values())}
        return frozenset(made & _commits(build.claim.record.materials.values()))

    def reviewers(self, build: Recorded) -> tuple[frozenset[Principal], str]:
        """Who reviewed what this build consumed, and why nobody else counts. The review and the build must take the
        very artifacts that the source step left: the review of another commit is none."""
        review, source = self.step(self.steps.review), self.step(self.steps.source)
        if review is None:
            return frozenset(), f'the layout has no step "{self.steps.review}"'
        if source is None:
            return frozenset(), f'the layout has no step "{self.steps.source}" that review and build could start from'
        if review.threshold < 2:
            return frozenset(), f'step "{review.name}" has threshold {review.threshold}'
        for step in (self.build, review):
            if not takes_from(step, source):
                name = "build" if step is None else step.name
                return frozenset(), f'step "{name}" need not take what "{source.name}" made'
        if not is_closed(review.expected_materials):
            return frozenset(), f'the materials of step "{review.name}" do not end with DISALLOW *'
        made = {text for one in self.of_step(source) for text in _texts(one.claim.record.products)}
        built = _texts(build.claim.record.materials) & made
        if not built:
            return frozenset(), f'the build took nothing of what "{source.name}" made'
        people: set[Principal] = set()
        for one in self.of_step(review):
            if built <= _texts(one.claim.record.materials):
                people |= one.principals
        authors = {principal for one in self.of_step(source) for principal in one.principals}
        counted = people - authors
        if len(counted) < len(people):
            return frozenset(counted), f'who signed for step "{source.name}" does not count as a reviewer'
        return frozenset(counted), "" if len(counted) >= 2 else "fewer than two persons reviewed what was built"


def is_closed(rules: Collection[Rule]) -> bool:
    """Whether the last rule leaves nothing that no rule has named."""
    last = list(rules)[-1] if rules else None
    return last is not None and last.kind is RuleKind.DISALLOW and last.pattern == "*"


def takes_from(step: Step | None, source: Step | None) -> bool:
    """Whether some rule ties the materials of `step` to the products of `source`, and all others are refused."""
    if step is None or source is None:
        return False
    rules = step.expected_materials
    matched = any(
        rule.kind is RuleKind.MATCH and rule.dest_type is Side.PRODUCTS and rule.step == source.name for rule in rules
    )
    return matched and is_closed(rules)


def _commits(sets: Iterable[DigestSet]) -> set[str]:
    return {value.lower() for digests in sets for name, value in digests if name == "gitCommit"}


def _texts(artifacts: Artifacts) -> set[str]:
    """Every digest that decides by which the artifacts of a list can be told, whatever they are called."""
    return {
        f"{name}:{value.lower()}"
        for digests in artifacts.values()
        for name, value in digests
        if DigestSet.of({name: value}).decides
    }
