"""Builders: who may sign for which builder id, and how far that is trusted.

No provenance says which level it deserves. A verifier knows it from a table of its own: a signer and a builder id
together reach a level, and neither does alone. An id that is in the table and was signed by somebody else is worth
nothing at all.

Spec: SLSA v1.2 verifying-artifacts.md (step 1, roots of trust).
"""

from __future__ import annotations

from navicert.crypto.formats import load_public_key
from navicert.crypto.key import Key
from navicert.dataclass import dataclass
from navicert.enumeration import Enum
from navicert.errors import Malformed
from navicert.model.field import as_integer, as_list, as_object, as_text, as_texts, required
from navicert.model.identity import Identity, IdentityPolicy, Wanted
from navicert.slsa.attestation import Attestation
from navicert.strictjson import pointer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from typing import Final

TABLE_TYPE: Final = "navicert-builders/v1"
MOST_ENTRIES: Final = 4096


def refuse_unknown(document: Mapping[str, object], known: frozenset[str], where: str) -> None:
    """Raise `Malformed` for a field that is not in `known`: one that is misspelt must not go unheard."""
    odd = sorted(document.keys() - known)
    if odd:
        raise Malformed(
            f'no field "{odd[0][:60]}" here',
            pointer=pointer(where, odd[0][:60]),
            expected=f"one of {', '.join(sorted(known))}",
        )


SAME: Final = "{id}"
"""As the identity of a signer: the very builder id."""


@dataclass(frozen=True, slots=True)
class SignerRule:
    """Who signs: a key, an identity, or (`issuer`) whoever has the builder id itself as name at that issuer."""

    key: Key | None = None
    policy: IdentityPolicy | None = None
    issuer: Wanted | None = None

    @staticmethod
    def from_json(value: object, where: str, keys: Mapping[str, Key]) -> SignerRule:
        """The signer of a JSON object: `{"key": …}`, PEM or an id or fingerprint of one of `keys` (id → key); or what
        `IdentityPolicy.from_json` reads, in which the identity may be `{id}`. Raises `Malformed` for one that
        constrains nothing."""
        document = as_object(value, where)
        if "key" in document:
            refuse_unknown(document, frozenset({"key"}), where)
            return SignerRule(key_of(document["key"], pointer(where, "key"), keys))
        if document.get("identity") == SAME:
            refuse_unknown(document, frozenset({"identity", "issuer"}), where)
            place = pointer(where, "issuer")
            return SignerRule(issuer=Wanted.from_json(required(document, "issuer", where), place))
        return SignerRule(policy=IdentityPolicy.from_json(document, where))

    def signed(self, attestation: Attestation, at: datetime, builder_id: str = "") -> Key | Identity | None:
        """Who of this rule signed the attestation; None where nobody did."""
        if self.key is not None:
            document = attestation.document
            return self.key if document is not None and document.is_signed_by(self.key, at) else None
        return next((one for one in attestation.identities if self._means(one, builder_id)), None)

    def _means(self, identity: Identity, builder_id: str) -> bool:
        if self.policy is not None:
            return self.policy.accepts(identity)
        return self.issuer is not None and self.issuer.accepts(identity.issuer) and identity.san == builder_id

    def __str__(self) -> str:
        if self.key is not None:
            return f"key {self.key.short}"
        return str(self.policy) if self.policy is not None else f"the builder itself, of {self.issuer}"

    @staticmethod
    def of_field(value: object, where: str, keys: Mapping[str, Key]) -> SignerRule:
        """The signer of a field that is a key by itself, or an object as in `from_json`. Raises `Malformed`."""
        if isinstance(value, str):
            return SignerRule(key_of(value, where, keys))
        return SignerRule.from_json(value, where, keys)

    def to_json(self) -> dict[str, object]:
        """All that this rule rests on."""
        if self.key is not None:
            return {"key": self.key.fingerprint}
        if self.policy is not None:
            return self.policy.to_json()
        return {"identity": SAME, "issuer": None if self.issuer is None else self.issuer.to_json()}


def key_of(value: object, where: str, keys: Mapping[str, Key]) -> Key:
    """The key that a field names: PEM, or an id or fingerprint in `keys`. Raises `Malformed`."""
    text = as_text(value, where)
    if text.lstrip().startswith("-----BEGIN"):
        try:
            return load_public_key(text.strip().encode() + b"\n")
        except Malformed as error:
            error.pointer = where
            raise
    found = keys.get(text)
    if found is None:
        raise Malformed(
            "no such key",
            pointer=where,
            expected="a public key in PEM, or the full id of one that was given",
            got=repr(text[:80]),
            remedy="give the key with --key, or write its PEM here",
        )
    return found


@dataclass(frozen=True, slots=True)
class Builder:
    """One line of the table: what is signed by `signer` for a builder id that `id` means reaches at most `level` (1 to
    3).

    `signer` is None where the platform signs with a key that only its operator knows: then nothing is trusted by this
    line, and it serves for explaining. `build_types` is empty where any will do. `origin` says whose line it is.
    """

    name: str
    id: Wanted
    signer: SignerRule | None
    level: int
    hosted: bool = False
    hermetic: bool = False
    build_types: tuple[str, ...] = ()
    origin: str = ""

    @staticmethod
    def from_json(value: object, where: str, keys: Mapping[str, Key], origin: str) -> Builder:
        """The line of a JSON object. Raises `Malformed`."""
        document = as_object(value, where)
        refuse_unknown(
            document, frozenset({"name", "id", "signer", "level", "hosted", "hermetic", "build_types"}), where
        )
        id = Wanted.from_json(required(document, "id", where), pointer(where, "id"))
        level = as_integer(required(document, "level", where), pointer(where, "level"))
        if not 1 <= level <= 3:
            raise Malformed("no level of the build track", pointer=pointer(where, "level"), expected="1 to 3")
        hosted = _flag(document, "hosted", where)
        if level > 1 and not hosted:
            raise Malformed(
                "a builder beyond level 1 is hosted", pointer=pointer(where, "hosted"), expected="hosted: true"
            )
        signer = required(document, "signer", where)
        return Builder(
            as_text(document.get("name", id.text), pointer(where, "name")),
            id,
            None if signer is None else SignerRule.from_json(signer, pointer(where, "signer"), keys),
            level,
            hosted,
            _flag(document, "hermetic", where),
            as_texts(document.get("build_types", []), pointer(where, "build_types")),
            origin,
        )

    def to_json(self) -> dict[str, object]:
        """All that this line decides."""
        signer = None if self.signer is None else self.signer.to_json()
        return {
            "id": self.id.to_json(),
            "signer": signer,
            "level": self.level,
            "hosted": self.hosted,
            "hermetic": self.hermetic,
            "build_types": list(self.build_types),
        }


def _flag(document: Mapping[str, object], name: str, where: str) -> bool:
    value = document.get(name, False)
    if not isinstance(value, bool):
        raise Malformed("wrong type", pointer=pointer(where, name), expected="true or false", got=repr(value)[:40])
    return value


class Trust(Enum):
    """What the table says of one attestation."""

    TRUSTED = "trusted"
    UNKNOWN = "unknown"
    """Its builder is not in the table, or nobody bound a signer to it."""
    IMPOSTOR = "impostor"
    """Its builder is in the table, and somebody else signed."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an attestation is trusted for its builder, and why."""

    trust: Trust
    reason: str
    builder: Builder | None = None
    signer: Key | Identity | None = None

    @property
    def for_everybody(self) -> bool:
        """Whether the line that trusts it means many builders: anybody can have one of them."""
        return self.builder is not None and self.builder.id.expression is not None

    @property
    def level(self) -> int:
        """The level of the build track that the signer may vouch for: 1 without an entry, 0 for an impostor."""
        if self.trust is Trust.IMPOSTOR:
            return 0
        return 1 if self.builder is None else self.builder.level


@dataclass(frozen=True, slots=True)
class BuilderTable:
    """The lines of all tables together."""

    builders: tuple[Builder, ...] = ()

    @staticmethod
    def from_json(value: object, where: str, keys: Mapping[str, Key], origin: str) -> BuilderTable:
        """The table of a JSON array of lines. Raises `Malformed`."""
        items = as_list(value, where, most=MOST_ENTRIES)
        return BuilderTable(
            tuple(Builder.from_json(item, pointer(where, i), keys, origin) for i, item in enumerate(items))
        )

    def overridden_by(self, other: BuilderTable) -> BuilderTable:
        """This table with the lines of `other` first; a line of this one about an id that `other` has too is gone."""
        own = {builder.id for builder in other.builders}
        return BuilderTable((*other.builders, *(one for one in self.builders if one.id not in own)))

    def judge(self, attestation: Attestation, builder_id: str, build_type: str, at: datetime) -> Standing:
        """What the table says of provenance for `builder_id` that is signed as `attestation` is."""
        lines = [one for one in self.builders if one.id.accepts(builder_id)]
        if not lines:
            what = f"builder {builder_id} is in no table" if builder_id else "it names no builder"
            return Standing(Trust.UNKNOWN, what)
        found: list[Standing] = []
        for line in lines:
            signer = None if line.signer is None else line.signer.signed(attestation, at, builder_id)
            if signer is None:
                continue
            if line.build_types and build_type not in line.build_types:
                found.append(Standing(Trust.UNKNOWN, f"{line.name} makes no builds of type {build_type}"))
            else:
                who = signer.short if isinstance(signer, Key) else str(signer)
                reason = f"{builder_id} is signed by {who}, as {line.origin} has it"
                found.append(Standing(Trust.TRUSTED, reason, line, signer))
        if found:
            return max(found, key=lambda one: (one.trust is Trust.TRUSTED, one.level))
        bound = [line for line in lines if line.signer is not None]
        if bound:
            rule = bound[0].signer
            reason = f"claims to be {builder_id}, which only {rule} may sign for; it is signed by {attestation.signers}"
            return Standing(Trust.IMPOSTOR, reason)
        return Standing(
            Trust.UNKNOWN, f"{lines[0].name} is known, and no key is bound to {builder_id}: name it in a builder table"
        )

    def service(
        self, keys: Collection[Key], at: datetime, identities: Collection[Identity] = ()
    ) -> tuple[Builder | None, Key | Identity | None]:
        """The line, highest level first, whose signer is among `keys`, those of certificates included, or `identities`,
        and that signer: of a link, which names no builder. A line of a builder that anybody can have is for nobody."""
        found: tuple[Builder | None, Key | Identity | None] = (None, None)
        certified = {key.fingerprint for key in keys if key.certified}
        for line in self.builders:
            rule = line.signer
            if rule is None or (found[0] is not None and line.level <= found[0].level):
                continue
            own, policy = rule.key, rule.policy
            if own is not None and not own.expired(at):
                if own.fingerprint in certified or any(member in keys for member in own.members):
                    found = line, own
            elif policy is not None and line.id.expression is None:
                who = next((one for one in identities if policy.accepts(one)), None)
                found = found if who is None else (line, who)
        return found
