"""Who may do what: keys, the persons whose they are, and thresholds."""

from __future__ import annotations

from itertools import combinations
from typing import Final

from navicert.authoring.finding import Finding, found
from navicert.authoring.policy import Policy
from navicert.crypto.key import Key
from navicert.errors import NavicertError
from navicert.model.layout import Step
from navicert.strictjson import pointer
from navicert.timestamp import format_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from navicert.model.identity import IdentityPolicy

_SEVERAL: Final = 3


class Roster:
    """The keys of a policy and who holds them."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._keys: dict[str, Key] = {}
        self._masters: dict[str, str] = {}  # id of a GPG subkey → the layout's id of the key that it belongs to
        self._problems: list[Finding] = []
        for keyid, value in policy.layout.keys.items():
            where = pointer("/keys", keyid)
            if _holds_private(value):
                self._problems.append(
                    found(
                        "key.private",
                        "it holds a private key, which everybody who reads the layout could sign with",
                        "replace the key by a new one, and put only its public half here",
                        place=f"key {keyid[:8]}",
                        pointer=where,
                    )
                )
                continue
            try:
                self._keys[keyid] = key = Key.from_json(value, id=keyid)
                self._masters |= {id: keyid for subkey in key.members[1:] for id in subkey.ids}
            except NavicertError as error:
                remedy = error.remedy or "use an Ed25519, ECDSA or RSA key: navicert keygen KEY"
                error.remedy = error.pointer = ""
                self._problems.append(
                    found(
                        "key.unusable",
                        str(error),
                        remedy,
                        place=f"key {keyid[:8]}",
                        pointer=where,
                    )
                )

    def findings(self) -> Iterator[Finding]:
        """What is wrong with keys, persons and thresholds."""
        yield from self._problems
        yield from self._ids()
        yield from self._gpg()
        yield from self._validity()
        yield from self._same_material()
        yield from self._unused()
        for index, step in enumerate(self._policy.layout.steps):
            yield from self._step(step, f"/steps/{index}")
        yield from self._single()

    def _performers(self, step: Step) -> list[str]:
        """The layout's ids of the keys that `step` names; a GPG subkey counts as the key that it belongs to."""
        return [self._masters.get(keyid, keyid) for keyid in step.pubkeys]

    def _person(self, keyid: str) -> str | None:
        return next((name for name, keyids in self._policy.persons.items() if keyid in keyids), None)

    def _principal(self, keyid: str) -> str:
        """Whom `keyid` counts as: its person, else its key material."""
        person = self._person(keyid)
        if person is not None:
            return f"person {person}"
        key = self._keys.get(keyid)
        return f"key {key.fingerprint}" if key else f"id {keyid}"

    def _identity(self, identity: IdentityPolicy) -> str:
        """Whom `identity` counts as: its person, else itself."""
        terms = self._policy.layout.terms
        declared = {} if terms is None else terms.identities
        person = next((name for name, own in declared.items() if identity in own), None)
        return f"identity {identity.san} {identity.issuer}" if person is None else f"person {person}"

    def _ids(self) -> Iterator[Finding]:
        for keyid, value in self._policy.layout.keys.items():
            key = self._keys.get(keyid)
            if key is None:
                continue
            inner = value.get("keyid", keyid)
            named = keyid in {key.modern_id, key.legacy_id, key.go_id}
            if not named or inner != keyid:
                said = f"it says of itself that it is {str(inner)[:8]}" if named else "it answers to other ids"
                yield found(
                    "key.id",
                    f"{said}: {key.modern_id[:8]}, {key.legacy_id[:8]}" if not named else said,
                    "list it under an id of its own, so that evidence signed with it is found",
                    place=f"key {keyid[:8]}",
                    pointer=pointer("/keys", keyid),
                )

    def _gpg(self) -> Iterator[Finding]:
        for keyid, key in self._keys.items():
            place, where = f"key {keyid[:8]}", pointer("/keys", keyid)
            if key.openpgp:
                yield found(
                    "key.gpg",
                    "what gpg knows of it later, such as that it was revoked, does not reach whoever verifies",
                    f"deny it, if it comes to that, with: navicert verify --revoke {key.modern_id}",
                    place=place,
                    pointer=where,
                )
            until, end = key.expires, self._policy.expires
            if until is not None and end is not None and until < end:
                yield found(
                    "key.expires",
                    f"its evidence counts until {format_timestamp(until)}, and the layout is valid for longer",
                    "prolong it with gpg and export it again, or let the layout expire before it",
                    place=place,
                    pointer=where,
                )

    def _validity(self) -> Iterator[Finding]:
        terms = self._policy.layout.terms
        for keyid, validity in () if terms is None else terms.validity.items():
            yield found(
                "key.validity",
                f"it is {validity}: what it signed counts for longer only where a timestamp proves when that was",
                "have signatures timestamped (navicert run --timestamp URL), and verify with --timestamp-root PEM",
                place=f"key {keyid[:8]}",
                pointer=pointer("/validity", keyid),
            )

    def _same_material(self) -> Iterator[Finding]:
        owners: dict[str, dict[str, None]] = {}  # material → the names of all whose it is
        ids: dict[str, list[str]] = {}
        for keyid, key in self._keys.items():
            ids.setdefault(key.fingerprint, []).append(keyid)
            for person, keyids in self._policy.persons.items():
                if keyid in keyids:
                    owners.setdefault(key.fingerprint, {})[person] = None
        for material, names in owners.items():
            for one, other in list(combinations(names, 2))[:_SEVERAL]:
                yield found(
                    "functionary.shared-key",
                    f'"{one}" and "{other}" have one key ({ids[material][0][:8]}), so nobody can tell them apart',
                    "give each a key of their own",
                    place=f'functionary "{other}"',
                    pointer="/keys",
                )
        for same in ids.values():
            if len(same) > 1:
                yield found(
                    "key.twice",
                    f"{' and '.join(keyid[:8] for keyid in same[:_SEVERAL])} are the same key, which counts once",
                    "list it once",
                    place=f"key {same[0][:8]}",
                    pointer=pointer("/keys", same[0]),
                )

    def _unused(self) -> Iterator[Finding]:
        steps = self._policy.layout.steps
        used = {keyid for step in steps for keyid in (*step.pubkeys, *self._performers(step))}
        idle = [keyid for keyid in self._policy.layout.keys if keyid not in used]
        said: set[str] = set()
        for keyid in idle:
            person = self._person(keyid)
            if person is not None and used.intersection(self._policy.persons[person]):
                continue
            subject = f"key {keyid[:8]}" if person is None else f'functionary "{person}"'
            if subject not in said:
                said.add(subject)
                yield found(
                    "key.unused",
                    "no step is performed with it" if person is None else "performs no step",
                    "leave it out, or name it in a step",
                    place=subject,
                    pointer=pointer("/keys", keyid),
                )

    def _step(self, step: Step, where: str) -> Iterator[Finding]:
        place = f'step "{step.name}"'
        performers = self._performers(step)
        known = [keyid for keyid in performers if keyid in self._policy.layout.keys]
        for keyid in dict.fromkeys(performers):
            if keyid not in self._policy.layout.keys:
                yield found(
                    "key.unknown",
                    f"the layout has no key {keyid[:8]}",
                    "add the key to the layout, or leave it out of the step",
                    place=place,
                    pointer=f"{where}/pubkeys",
                )
        persons = {self._principal(keyid) for keyid in known if keyid in self._keys}
        persons |= {self._identity(one) for one in step.identities}
        # How many hold a certificate, or are described by an expression, nobody can count; a claim has no signers.
        countless = bool(step.certificates) or any(
            one.san.expression or one.issuer.expression for one in step.identities
        )
        countless |= step.predicate is not None and step.predicate.claimed
        if len(persons) < step.threshold and not countless:
            who = (
                "nobody can"
                if not persons
                else "one person can"
                if len(persons) == 1
                else f"{len(persons)} persons can"
            )
            yield found(
                "threshold.unreachable",
                f"{who} perform it, and {step.threshold} must agree",
                "name more functionaries, or lower the threshold; several keys of one person count once",
                place=place,
                pointer=f"{where}/threshold",
            )

    def _single(self) -> Iterator[Finding]:
        steps = self._policy.layout.steps
        everybody: Mapping[str, None] = dict.fromkeys(
            self._principal(keyid) for step in steps for keyid in self._performers(step)
        )
        others = any(step.certificates or step.identities for step in steps)
        if len(steps) > 1 and len(everybody) == 1 and not others:
            yield found(
                "functionary.single",
                "whoever has this one functionary's key can forge the whole chain",
                "let at least the last check be done by somebody else",
                pointer="/steps",
            )


def _holds_private(value: Mapping[str, object]) -> bool:
    keyval = value.get("keyval")
    return isinstance(keyval, dict) and bool(keyval.get("private"))
