"""The trail from a target back through an index: which documents of a large store may belong to its chain.

A store may hold thousands of runs of one layout. The trail begins with the digests of the target (or a run id), and
follows the MATCH rules of the layout: whatever a step may be matched with shares a digest with it. Only documents that
verify are followed, so nobody without a key can lead it astray; everything that it meets is handed on, to be verified
and judged like any other evidence. It judges nothing, and where it finds nothing it takes the newest: less evidence
never makes a refusal a pass.

Spec: in-toto v1.0 §5.3 (MATCH), §4.3.2 (sublayouts).
"""

from __future__ import annotations

from functools import partial

from navicert.envelope.body import Body
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.layout import Inspection, Layout, Step
from navicert.model.predicate import kind_of
from navicert.model.requirement import Requirement, Role
from navicert.model.rule import Side
from navicert.model.standing import making_step, parent_of
from navicert.store import Indexed, Piece
from navicert.store.document import Document, open_piece
from navicert.store.hint import Hint, of_body
from navicert.store.keyring import Keyring
from navicert.store.stage import Lead, Number, Place, Stage, coverage, verified
from navicert.store.trait import Trait
from navicert.verify.authority import Authority
from navicert.verify.case import Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from typing import Final

    from navicert.verify.keyless import Keyless

_ASKED_AT_ONCE: Final = 500
"""Digests in one question for the best; SQLite takes some thousands of parameters."""


def digests_of(target: Target) -> frozenset[str]:
    """Every digest that may bind `target`, as `sha256:hex`."""
    parts = target.parts if target.whole is None else (target.whole, *target.parts)
    return frozenset(f"sha256:{digest}" for part in parts for digest in (*part.digests, *part.texts))


class Trail:
    """One search. `documents()` walks it; `plain` are documents that were read elsewhere, and are followed too.
    `opener` opens what is met, where somebody knows how to do so but once. `keyless` is as for `gather`."""

    def __init__(
        self,
        layout: Layout,
        stores: Sequence[Indexed],
        *,
        seeds: Collection[str] = (),
        run_id: str | None = None,
        plain: Iterable[Document] = (),
        limits: Limits = LOCAL,
        opener: Callable[[Piece], Iterable[Document]] | None = None,
        keyless: Keyless | None = None,
    ) -> None:
        self._stores = tuple(stores)
        self._seeds = frozenset(seeds)
        self._limits = limits
        self._open = partial(open_piece, limits=limits) if opener is None else opener
        self._keyless = keyless
        self._keyring = Keyring()
        self._stages: dict[str, Stage] = {}
        self._same: dict[Place, set[Place]] = {}
        self._runs: dict[str, None] = {} if run_id is None else {run_id: None}
        self._found: list[Document] = []
        self._leads: dict[Number, list[Lead]] = {}
        self._enter(layout, None)
        self._take_in([Lead(document) for document in plain])

    def documents(self) -> Iterator[Document]:
        """Every document that may belong to the chain, in the order in which it was found."""
        for index, store in enumerate(self._stores):
            # What is said about the target itself, whoever's step it is.
            found = store.lookup(Trait.PRODUCT, sorted(self._seeds), step="", most=self._limits.links_per_step)
            self._meet(None, [(index, number) for numbers in found.values() for number in numbers])
        while True:
            while self._walk():
                yield from self._drain()
            loose = next((one for one in reversed(self._stages.values()) if not one.followed and not one.unbound), None)
            if loose is None:
                break
            loose.unbound = True
            self._take_newest(loose)
        yield from self._drain()

    @property
    def followed(self) -> list[Document]:
        """What it followed once it was walked: the chain itself, without whatever else was met on the way."""
        met = [lead for stage in self._stages.values() for leads in stage.met.values() for lead in leads]
        return list({id(lead): lead.document for lead in met if lead.followed}.values())

    def _drain(self) -> list[Document]:
        found, self._found = self._found, []
        return found

    # --- the layout ------------------------------------------------------------------------------------------------

    def _enter(self, layout: Layout, above: Stage | None) -> None:
        """Take in the steps, rules and keys of a layout; of a sublayout, its ends stand for the step `above`."""
        authority = Authority.of(layout)
        self._keyring.enter(layout, authority)
        for step in layout.steps:
            stage = self._stages.setdefault(step.name, Stage(step.name, predicate=step.predicate))
            stage.threshold = max(stage.threshold, step.threshold)
            if step.threshold > 1:
                # Whoever agrees with a link that was found shares its digests, though perhaps not those looked for.
                for side in Side:
                    stage.neighbours[side].add((step.name, side))
        for step in layout.steps:
            self._connect(step)
            if step.predicate is not None:
                self._connect_subjects(step, step.predicate)
        if above is not None and layout.steps:
            self._equate((above.name, Side.MATERIALS), (layout.steps[0].name, Side.MATERIALS))
            self._equate((above.name, Side.PRODUCTS), (making_step(layout), Side.PRODUCTS))

    def _connect_subjects(self, step: Step, requirement: Requirement) -> None:
        """Tie the subjects of a predicate to what they have to be about."""
        own = Side.MATERIALS if requirement.role is Role.INFORM else Side.PRODUCTS
        for rule in requirement.subjects:
            if rule.step in self._stages and rule.dest_type is not None:
                self._tie((step.name, own), (rule.step, rule.dest_type))
        parent = parent_of(step)
        if parent in self._stages and not requirement.subjects:
            for side in Side:
                self._tie((step.name, own), (parent, side))

    def _connect(self, step: Step | Inspection) -> None:
        for side, rules in ((Side.MATERIALS, step.expected_materials), (Side.PRODUCTS, step.expected_products)):
            for rule in rules:
                if rule.step is not None and rule.dest_type is not None and rule.step in self._stages:
                    self._tie((step.name, side), (rule.step, rule.dest_type))

    def _tie(self, one: Place, other: Place) -> None:
        self._stages[one[0]].neighbours[one[1]].add(other)
        self._stages[other[0]].neighbours[other[1]].add(one)

    def _equate(self, one: Place, other: Place) -> None:
        """What is tied to the one is tied to the other."""
        together = self._same.get(one, {one}) | self._same.get(other, {other})
        self._same |= dict.fromkeys(together, together)

    # --- walking ---------------------------------------------------------------------------------------------------

    def _walk(self) -> bool:
        """Look at the steps until something new comes of it; whether anything did. A sublayout brings new steps."""
        known = len(self._stages)
        return any(self._look(one) for one in reversed(tuple(self._stages.values()))) or len(self._stages) > known

    def _wanted(self, stage: Stage) -> dict[Side, set[str]]:
        """The digests that its documents may share with what is known."""
        return {side: set(self._seeds).union(*self._tied(stage.name, side)) for side in Side}

    def _tied(self, name: str, side: Side) -> Iterator[set[str]]:
        here = self._same.get((name, side), {(name, side)})
        for place in here:
            if place != (name, side):
                yield self._stages[place[0]].values[place[1]]
            for neighbour in self._stages[place[0]].neighbours[place[1]]:
                for other, at in self._same.get(neighbour, {neighbour}):
                    yield self._stages[other].values[at]

    def _look(self, stage: Stage) -> bool:
        wanted = self._wanted(stage)
        new = {side: wanted[side] - stage.asked[side] for side in Side}
        runs = [run for run in self._runs if run not in stage.runs]
        if not any(new.values()) and not runs and stage.counted:
            return False
        if not stage.counted and not any(wanted.values()) and not runs:
            return False  # others first: they may say what to look for
        self._count(stage)
        for side in Side:
            stage.asked[side] |= new[side]
        stage.runs.update(runs)
        if not stage.complete:
            self._meet(stage, self._candidates(stage, new, runs))
        if not stage.complete and any(stage.common.values()) and not self._covered(stage, wanted):
            self._meet(stage, self._best(stage))
        return self._follow(stage, wanted)

    def _count(self, stage: Stage) -> None:
        """Where there are few documents of a step, take all; and always the layouts that may stand for it."""
        if stage.counted:
            return
        stage.counted = True
        most, name = self._limits.few_links, stage.name
        if stage.predicate is not None:
            # Of types that have their version behind them an index cannot tell how many there are.
            types, kinds = stage.predicate.types, [kind_of(type) for type in stage.predicate.types]
            counted = [
                (index, number)
                for index, store in enumerate(self._stores)
                for numbers in store.lookup(Trait.TYPE, types, step="", most=most + 1).values()
                for number in numbers
            ]
            if len(counted) <= most and not any(kind is not None and kind.versioned for kind in kinds):
                stage.complete = True
            self._meet(stage, counted if len(counted) <= most else [])
            return
        few: list[Number] = []
        for index, store in enumerate(self._stores):
            layouts = store.lookup(Trait.SUBLAYOUT, [name], most=self._limits.links_per_step)[name]
            self._meet(stage, [(index, number) for number in layouts])
            for trait, step in ((Trait.STEP, name), (Trait.FILED, "")):
                few += [(index, number) for number in store.lookup(trait, [name], step=step, most=most + 1)[name]]
        if len(few) <= most:
            stage.complete = True
            self._meet(stage, few)

    def _candidates(self, stage: Stage, new: Mapping[Side, set[str]], runs: Sequence[str]) -> list[Number]:
        """The documents of a step with a digest that few of them have, or of a run that is followed."""
        score: dict[Number, int] = {}
        most = self._limits.few_links
        for index, store in enumerate(self._stores):
            for side, trait in stage.traits():
                found = store.lookup(trait, sorted(new[side]), step=stage.label, most=most + 1)
                for digest, numbers in found.items():
                    if numbers:
                        stage.answered[side].add(digest)
                    if len(numbers) > most:
                        stage.common[side].add(digest)
                        continue
                    for number in numbers:
                        score[index, number] = score.get((index, number), 0) + 1
            asked = () if stage.predicate is not None else runs
            for numbers in store.lookup(Trait.RUN, asked, step=stage.name, most=self._limits.links_per_step).values():
                for number in numbers:
                    score[index, number] = score.get((index, number), 0) + 1
        return sorted(score, key=lambda one: (-score[one], one[0], -one[1]))

    def _best(self, stage: Stage) -> list[Number]:
        """The documents of a step that have the most of the digests which many of them have."""
        best: list[Number] = []
        for side, trait in stage.traits():
            common = sorted(stage.common[side])[:_ASKED_AT_ONCE]
            for index, store in enumerate(self._stores):
                ranked = store.ranked(trait, common, step=stage.label, most=self._limits.unbound_links)
                best += [(index, number) for number in ranked]
        return list(dict.fromkeys(best))

    def _take_newest(self, stage: Stage) -> None:
        """Take the newest documents of a step, and follow the newest that verifies."""
        self._count(stage)
        trait: Trait = Trait.STEP
        texts: tuple[str, ...] = (stage.name,)
        if stage.predicate is not None:
            trait, texts = Trait.TYPE, stage.predicate.types
        for index, store in enumerate(self._stores):
            newest = store.lookup(trait, texts, step=stage.label, most=self._limits.unbound_links)
            self._meet(stage, [(index, number) for text in texts for number in newest[text]])
        for lead, hint in verified(stage)[:1]:
            self._add(stage, lead, hint)

    def _covered(self, stage: Stage, wanted: Mapping[Side, set[str]]) -> bool:
        """Whether enough documents that verified have all that any document of the step has of what is looked for."""
        asked = {side: wanted[side] & stage.answered[side] for side in Side}
        all_of_it = sum(map(len, asked.values()))
        return sum(coverage(hint, asked) == all_of_it for _, hint in verified(stage)) >= stage.threshold

    def _follow(self, stage: Stage, wanted: Mapping[Side, set[str]]) -> bool:
        """Follow those of its documents that have the most of what is looked for; whether that brought anything."""
        scores = [
            (coverage(hint, wanted) + len(self._runs.keys() & set(hint.runs)), lead, hint)
            for lead, hint in verified(stage)
        ]
        best = max((score for score, _, _ in scores), default=0)
        brought = [self._add(stage, lead, hint) for score, lead, hint in scores if score == best > 0]
        return any(brought)

    def _add(self, stage: Stage, lead: Lead, hint: Hint) -> bool:
        stage.followed = lead.followed = True
        before = sum(map(len, stage.values.values())) + len(self._runs)
        stage.values[Side.MATERIALS] |= hint.materials
        stage.values[Side.PRODUCTS] |= hint.products
        self._runs |= dict.fromkeys(hint.runs)
        return sum(map(len, stage.values.values())) + len(self._runs) > before

    # --- documents -------------------------------------------------------------------------------------------------

    def _meet(self, stage: Stage | None, numbers: Sequence[Number]) -> None:
        """Fetch the documents that are new, up to the limit, and verify them."""
        met = {} if stage is None else stage.met
        new = [one for one in dict.fromkeys(numbers) if one not in met]
        room = max(self._limits.links_per_step - len(met), 0)
        if len(new) > room and stage is not None:
            reason = f"more than {self._limits.links_per_step} documents may belong to it (limit links_per_step)"
            self._found += open_piece(Piece(f"step {stage.name}", None, reason, stage.name))
        for one in new[:room]:
            if one not in self._leads:
                index, number = one
                documents = [
                    document for piece in self._stores[index].fetch([number]) for document in self._open(piece)
                ]
                self._found += documents
                self._leads[one] = [Lead(document) for document in documents]
            met[one] = self._leads[one]
            for lead in met[one]:
                body = self._verify(lead)
                if isinstance(body, Layout) and stage is not None:
                    self._descend(body, lead, stage)

    def _descend(self, layout: Layout, lead: Lead, stage: Stage) -> None:
        """Take in a sublayout that verified; then what did not verify before may, by its keys."""
        known = len(self._keyring)
        lead.followed = True
        try:
            self._enter(layout, stage)
        except Malformed:
            return  # judged, and refused there with its reason, as a sublayout
        if len(self._keyring) > known:
            for other in tuple(self._stages.values()):
                for late in [one for leads in other.met.values() for one in leads if one.hint is None]:
                    body = self._verify(late)
                    if isinstance(body, Layout):
                        self._descend(body, late, other)

    def _take_in(self, plain: list[Lead]) -> None:
        """Take in documents that were read elsewhere; again for those that a sublayout among them is about."""
        entered = True
        while entered:
            entered = False
            for number, lead in enumerate(plain):
                body = None if lead.hint is not None else self._verify(lead)
                step = lead.document.piece.step_hint
                if isinstance(body, Layout) and step in self._stages:
                    self._descend(body, lead, self._stages[step])
                    entered = True
                if lead.hint is not None and lead.hint.name in self._stages:
                    self._stages[lead.hint.name].met[-1, number] = [lead]
                elif lead.hint is not None:
                    for stage in self._stages.values():
                        if stage.predicate is not None and stage.seen(lead.hint) is not None:
                            stage.met[-1, number] = [lead]

    def _verify(self, lead: Lead) -> Body | None:
        """The body of a document, if it verifies by the keys that are known; what it says is noted then."""
        document = lead.document.verify(tuple(self._keyring.keys), self._keyring.roots)
        if document is None and self._keyless is not None and self._keyring.identities:
            document = lead.document.verify_identity(self._keyless, self._limits)
            if document is not None and not self._keyring.means(document.identities):
                return None  # anybody has some identity: whom no layout names leads nowhere
        if document is None:
            return None
        if lead.hint is None:
            lead.hint = of_body(document.body)
        return document.body
