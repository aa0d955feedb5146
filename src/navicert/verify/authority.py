"""Who may sign for what: the keys of a layout, and the principals behind them.

An id only hints: whoever signed is known by key material. A GPG subkey signs for its master and counts as it: who
authorises a master authorises its subkeys, and who authorises a subkey just this one. Spec: in-toto v1.0 §4.3.1
(`keys`), §5.2 (4).
"""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.dataclass import dataclass, field
from navicert.errors import Malformed
from navicert.model.layout import Layout, Step
from navicert.model.principal import Principal
from navicert.model.release import Release
from navicert.strictjson import pointer
from navicert.timestamp import format_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from navicert.crypto.certificate import Certificate
    from navicert.crypto.certificate_key import CertificateRoots
    from navicert.model.identity import Identity, IdentityPolicy
    from navicert.model.validity import Validity


@dataclass(frozen=True, slots=True)
class Authority:
    """The keys of one layout by the id that it gives them, and whose they are."""

    keys: Mapping[str, Key]
    release: Release
    persons: Mapping[str, str]
    """Key fingerprint → person, as the layout or the caller declares."""
    labels: Mapping[str, str]
    """Key fingerprint → the first eight digits of the id that the layout uses: what people see."""
    masters: Mapping[str, Key]
    """Fingerprint of a GPG subkey → its master."""
    subkeys: Mapping[str, Key]
    """Id of a GPG subkey → itself."""
    roots: CertificateRoots | None = None
    """Who vouches for certificates; None where nobody does."""
    validity: Mapping[str, tuple[Validity, ...]] = field(default_factory=dict)
    """Key fingerprint → when it counts, where it does not count always."""
    identities: Mapping[str, tuple[IdentityPolicy, ...]] = field(default_factory=dict)
    """Person → the identities without a key that are declared to be hers."""
    _authorised: dict[tuple[str, ...], frozenset[Key]] = field(default_factory=dict, repr=False, compare=False)
    """Key ids of a step → the keys that these mean: most steps of a chain have the same."""
    _principals: dict[str, Principal] = field(default_factory=dict, repr=False, compare=False)
    """Key fingerprint → the principal, once it has been asked for."""
    _people: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

    @staticmethod
    def of(layout: Layout, principals: Mapping[str, str] | None = None) -> Authority:
        """The authority of `layout`. `principals` (fingerprint → person) is the caller's word and goes before the
        layout's. Raises `Malformed` for a bad key, and for two different keys that answer to one id."""
        release = layout.release
        keys = {
            keyid: Key.from_json(value, id=keyid, pointer=pointer("/keys", keyid))
            for keyid, value in layout.keys.items()
        }
        _refuse_shared_ids(layout, keys)
        masters = _masters(keys)
        persons: dict[str, str] = {}
        for person, keyids in release.persons.items():
            for keyid in keyids:
                if keyid not in keys:
                    raise Malformed(f'person "{person}" has a key that is not in the layout', got=keyid)
                fingerprint = _counted(keys[keyid].fingerprint, masters)
                if persons.setdefault(fingerprint, person) != person:
                    raise Malformed("one key belongs to two persons", pointer=pointer("/keys", keyid))
        named = {_counted(fingerprint, masters): person for fingerprint, person in (principals or {}).items()}
        labels = {key.fingerprint: keyid[:8] for keyid, key in keys.items()}
        subkeys = {id: subkey for key in keys.values() for subkey in key.members[1:] for id in subkey.ids}
        renamed = _renamed(persons, named)
        made = Authority(
            keys,
            release,
            {key: renamed.get(person, person) for key, person in persons.items()} | named,
            labels,
            masters,
            subkeys,
            _roots(layout),
            _validity(layout, keys),
            _identities(layout, renamed),
        )
        if layout.terms is not None:
            from navicert.model.soundness import refuse_alike

            # Read once more with what only key material tells: one key under two ids, one person of the caller's.
            refuse_alike(layout, made._counted_for)
        return made

    def _counted_for(self, keyid: str) -> object:
        return next((self.principal(key) for key in self._called(keyid)), keyid)

    def authorised(self, step: Step) -> frozenset[Key]:
        """The keys that may sign for `step`. Ids that the layout has no key for give none."""
        known = self._authorised.get(step.pubkeys)
        if known is None:
            known = frozenset(key for keyid in step.pubkeys for key in self._called(keyid))
            self._authorised[step.pubkeys] = known
        return known

    def people(self, step: Step) -> tuple[str, ...]:
        """Whom the keys that may sign for `step` count for, as people see them, in order."""
        known = self._people.get(step.pubkeys)
        if known is None:
            known = tuple(sorted({str(self.principal(key)) for key in self.authorised(step)}))
            self._people[step.pubkeys] = known
        return known

    def _called(self, keyid: str) -> tuple[Key, ...]:
        """The keys that the layout means by `keyid`: a key with its subkeys, or one subkey alone."""
        if keyid in self.keys:
            return self.keys[keyid].members
        return (self.subkeys[keyid],) if keyid in self.subkeys else ()

    def validities(self, key: Key) -> tuple[Validity, ...]:
        """When `key` counts; all of them have to hold. A subkey counts when its master does, too."""
        if not self.validity:
            return ()
        return tuple(one for member in self.with_master(key) for one in self.validity.get(member.fingerprint, ()))

    def with_master(self, key: Key) -> tuple[Key, ...]:
        """`key`, and of a subkey its master: what is held against the one is held against the other."""
        master = self.masters.get(key.fingerprint)
        return (key,) if master is None else (key, master)

    def objection(
        self, step: Step, key: Key, moment: datetime, denied: Callable[[Certificate], bool] = lambda _: False
    ) -> str:
        """Why the holder of the certificate of `key` may not sign for `step` at `moment`; empty where she may. `denied`
        says which certificates are revoked. Spec: ITE-7."""
        if not step.certificates or self.roots is None:
            return "no certificate may sign for this step"
        from navicert.crypto.certificate_key import CertificateKey

        if not isinstance(key, CertificateKey):
            return "it has no certificate"
        chains, problem = self.roots.chains(key.holder, moment, denied)
        if problem:
            return f"its certificate does not hold: {problem}"
        # One constraint that accepts it is enough, with the root that it was met with.
        problems = [one.objection(key.names, root) for root in chains for one in step.certificates]
        return "" if "" in problems else f"its certificate is not one that may: {problems[0]}"

    def principal(self, key: Key) -> Principal:
        """Whom a signature by `key` counts for: the declared person, else the holder that its certificate names, else
        the key material itself."""
        if key.certified:
            # Of one key there may be several certificates.
            return self._principal(key)
        known = self._principals.get(key.fingerprint)
        if known is None:
            known = self._principals[key.fingerprint] = self._principal(key)
        return known

    def identified(self, identity: Identity) -> Principal | None:
        """Whom a signature by `identity` counts for: the person whose it is declared to be, else itself. None where it
        may be that of several: it counts for none of them. Claims may decide whether she may sign, and not who she is:
        with another one she would be a second signer."""
        persons = [name for name, own in self.identities.items() if any(one.names(identity) for one in own)]
        if len(persons) > 1:
            return None
        return Principal("person", persons[0], persons[0]) if persons else identity.principal

    def _principal(self, key: Key) -> Principal:
        counted = self.with_master(key)[-1]
        person = self.persons.get(counted.fingerprint)
        if person is not None:
            return Principal("person", person, person)
        holder = key.principal if key.certified else None
        if holder is not None:
            return holder
        return Principal("key", counted.fingerprint, self.labels.get(counted.fingerprint, counted.id[:8]))


def _validity(layout: Layout, keys: Mapping[str, Key]) -> dict[str, tuple[Validity, ...]]:
    found: dict[str, tuple[Validity, ...]] = {}
    for keyid, validity in () if layout.terms is None else layout.terms.validity.items():
        if keyid not in keys:
            raise Malformed("validity of a key that is not in the document", got=keyid[:80])
        fingerprint = keys[keyid].fingerprint
        # One key under two ids: what is said of either is said of it.
        found[fingerprint] = (*found.get(fingerprint, ()), validity)
    return found


def _roots(layout: Layout) -> CertificateRoots | None:
    if not layout.rootcas:
        return None
    from navicert.crypto.certificate_key import CertificateRoots

    return CertificateRoots.of(layout.rootcas, layout.intermediatecas)


def _refuse_shared_ids(layout: Layout, keys: Mapping[str, Key]) -> None:
    if len({member.fingerprint for key in keys.values() for member in key.members}) < 2:
        return  # to work out all ids of a key is not free
    named: dict[str, str] = {}
    for keyid, key in keys.items():
        ids = [(str(layout.keys[keyid].get("keyid", keyid)), key)]
        ids += [(alias, member) for member in key.members for alias in sorted(member.ids)]
        for alias, member in ids:
            if named.setdefault(alias, member.fingerprint) != member.fingerprint:
                raise Malformed(
                    "two different keys answer to one id",
                    pointer=pointer("/keys", keyid),
                    got=f"another key answers to {alias[:8]} too",
                    remedy="give each key an id of its own",
                )


def _masters(keys: Mapping[str, Key]) -> dict[str, Key]:
    """Fingerprint of each subkey → its master. Raises `Malformed` for a subkey of two masters, or of a subkey: whom
    it counts for must be certain."""
    masters: dict[str, Key] = {}
    for keyid, key in keys.items():
        for subkey in key.members:
            if subkey.fingerprint == key.fingerprint:
                continue
            if masters.setdefault(subkey.fingerprint, key).fingerprint != key.fingerprint:
                raise Malformed("one subkey belongs to two keys", pointer=pointer("/keys", keyid), got=subkey.id)
    for keyid, key in keys.items():
        if len(key.members) > 1 and key.fingerprint in masters:
            raise Malformed("a key with subkeys is a subkey of another", pointer=pointer("/keys", keyid), got=key.id)
    return masters


def _counted(fingerprint: str, masters: Mapping[str, Key]) -> str:
    """The fingerprint of the key that the one with `fingerprint` counts as."""
    return masters[fingerprint].fingerprint if fingerprint in masters else fingerprint


def _renamed(persons: Mapping[str, str], principals: Mapping[str, str]) -> dict[str, str]:
    """What the caller calls persons of the layout. Where the caller renames one key of a person, her other keys and
    identities are still hers: naming people must not make two signers of one."""
    return {person: principals[key] for key, person in sorted(persons.items(), reverse=True) if key in principals}


def _identities(layout: Layout, renamed: Mapping[str, str]) -> dict[str, tuple[IdentityPolicy, ...]]:
    found: dict[str, tuple[IdentityPolicy, ...]] = {}
    for person, identities in () if layout.terms is None else layout.terms.identities.items():
        name = renamed.get(person, person)
        found[name] = (*found.get(name, ()), *identities)
    return found


def expiry_of(key: Key) -> str:
    """Since when `key` is no longer valid, for people."""
    moment = "" if key.expires is None else format_timestamp(key.expires)
    return f"{key.short} was valid until {moment}"
