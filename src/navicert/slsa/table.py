"""The four levels of SLSA v0.1, by one account of the build: a provenance, or a link under a signed layout.

Spec: SLSA v0.1 requirements.md.
"""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.model.identity import Identity
from navicert.slsa.account import Account
from navicert.slsa.builders import SignerRule, Trust
from navicert.slsa.chain import is_closed, takes_from
from navicert.slsa.finding import Finding
from navicert.slsa.levels import BUILDER, CLAIMED, CRYPTOGRAPHIC
from navicert.slsa.provenance import is_pinned
from navicert.slsa.setting import Setting
from navicert.slsa.source import RECORDED, entry_point_of, is_buildkit, repository
from navicert.slsa.track import certified, hardened, parameters_problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Final

_NO_PARAMETERS: Final = frozenset({"workflow", "source", "ref", "entryPoint", "configSource"})
"""External parameters that say where the build is, and not how it may differ."""
_STEP: Final = frozenset({"step", "command"})
"""Those of a recorded step that are its entry point."""


def table_findings(setting: Setting) -> dict[str, Finding]:
    """Every requirement that evidence can meet → what came out."""
    return {name: judge(setting) for name, judge in _ROWS.items()}


# --- level 1 -------------------------------------------------------------------------------------------------------


def _documented(setting: Setting) -> Finding:
    chain, expected = setting.inquiry.chain, setting.inquiry.expected
    if chain is not None and chain.passed and chain.build is not None:
        build = chain.build
        if is_closed(build.expected_materials) and is_closed(build.expected_products):
            reason = f'layout {chain.origin} has step "{build.name}", and allows nothing that no rule names'
            return setting.found("", reason, CRYPTOGRAPHIC)
    whole = (
        expected is not None and bool(expected.builders and expected.build_types) and expected.parameters is not None
    )
    if whole and setting.account.provenance is not None:
        return setting.found("", "expectations name builder, build type and every parameter", CRYPTOGRAPHIC)
    if chain is None:
        problem = "there is no layout, and no expectation of builder, build type and parameters"
    elif not chain.passed:
        problem = f"the chain does not hold: {chain.reason}"
    elif chain.build is None:
        problem = "the layout has no build step"
    else:
        problem = f'the rules of step "{chain.build.name}" do not end with DISALLOW *'
    return setting.found(problem, "", CRYPTOGRAPHIC)


def _scripted(setting: Setting) -> Finding:
    if setting.account.link is not None:
        command = " ".join(setting.account.link.claim.command)
        return setting.believed("" if command else "no command was recorded", f"it ran: {command[:80]}")
    said = _entry_point(setting.account)
    return setting.believed("" if said else "the provenance names no build definition", f"it ran {said}")


def _entry_point(account: Account) -> str:
    provenance = account.provenance
    if provenance is None:
        return ""
    config = provenance.original.get("buildConfig")
    return entry_point_of(provenance) or ("the recorded buildConfig" if config else "")


def _provenance(setting: Setting) -> Finding:
    kind = CRYPTOGRAPHIC if setting.account.signed else CLAIMED
    return setting.found("", f"{setting.account.origin} has the artifact as product", kind)


def _builder(setting: Setting) -> Finding:
    if setting.account.link is not None:
        who = ", ".join(sorted(map(str, setting.account.link.principals)))
        return setting.found("", f"functionary {who}", CRYPTOGRAPHIC)
    provenance = setting.account.provenance
    id = "" if provenance is None else provenance.builder_id
    return setting.believed("" if id else "the provenance names no builder", id)


# --- level 2 -------------------------------------------------------------------------------------------------------


def _service(setting: Setting) -> Finding:
    standing = setting.account.standing
    hosted = standing.builder is not None and standing.builder.hosted and standing.level >= 2
    return setting.found("" if hosted else standing.reason, standing.reason, BUILDER)


def _authenticated(setting: Setting) -> Finding:
    problem = "" if setting.account.signed else "it is not signed"
    return setting.found(problem, "its signature verifies", CRYPTOGRAPHIC)


def _generated(setting: Setting) -> Finding:
    account, people = setting.account, setting.inquiry.expectations.people
    standing = account.standing
    if standing.trust is not Trust.TRUSTED or standing.level < 2:
        return setting.found(standing.reason, "", BUILDER)
    by = account.link if account.link is not None else account.attestation
    named = () if account.link is None else account.link.principals
    for key in by.keys if by is not None else ():
        person = next((name for name, own in people.items() if any(_has(rule, key) for rule in own)), "")
        # Below a sublayout persons are those that it names.
        person = person or next((str(one) for one in named if one.kind == "person"), "")
        if person or (setting.inquiry.chain is not None and setting.inquiry.chain.is_person(key)):
            return setting.found(f"key {key.short} belongs to {person or 'a person'}, not to a service", "", BUILDER)
    for one in by.identities if by is not None else ():
        person = next((name for name, own in people.items() if any(_means(rule, one) for rule in own)), "")
        if person or (setting.inquiry.chain is not None and setting.inquiry.chain.is_person(one)):
            return setting.found(f"{one} is {person or 'a person'}, not a service", "", BUILDER)
    return setting.found("", standing.reason, BUILDER)


def _means(rule: SignerRule, identity: Identity) -> bool:
    return rule.policy is not None and rule.policy.names(identity)


def _has(rule: SignerRule, key: Key) -> bool:
    return rule.key is not None and key in rule.key.members


def _version_control(setting: Setting) -> Finding:
    account, expected, chain = setting.account, setting.inquiry.expected, setting.chain
    if not account.source.commits:
        return setting.believed("no commit is recorded that the build started from", "")
    if chain is not None and setting.link is not None:
        same = chain.commits(setting.link)
        if same and account.source.commits <= same:
            return setting.found(
                "", f'commit {sorted(same)[0][:12]} is what step "{chain.steps.source}" made', account.word
            )
    if account.link is None and expected is not None and expected.sources:
        wanted = {repository(uri)[0] for uri in expected.sources}
        problem = "" if account.source.uri in wanted else f"the source is {account.source}"
        return setting.believed(problem, str(account.source))
    return setting.believed("nothing says which source is expected, and no checkout step made it", "")


# --- level 3 -------------------------------------------------------------------------------------------------------


def _as_code(setting: Setting) -> Finding:
    account, chain = setting.account, setting.chain
    if account.link is not None:
        build = None if chain is None else chain.build
        if chain is None or build is None or not takes_from(build, chain.step(chain.steps.source)):
            return setting.believed("the build step need not take its definition from the source step", "")
        same = bool(build.expected_command) and build.expected_command == account.link.claim.command
        problem = "" if same else "the layout does not name the command that was run"
        return setting.found(problem, "the layout names the command, and its files come from the source", CRYPTOGRAPHIC)
    said = _entry_point(account)
    if not said:
        return setting.believed("the provenance names no build definition", "")
    provenance = account.provenance
    if provenance is not None and provenance.build_type == RECORDED and parameters_problem(setting.inquiry, account):
        # A command may come from anywhere, unless it is the one that somebody expects.
        return setting.believed("the command that was run is not one that is expected", "")
    return setting.believed("" if account.source.commits else "the build definition is of no recorded commit", said)


def _ephemeral(setting: Setting) -> Finding:
    return setting.found(hardened(setting.account), setting.account.standing.reason, BUILDER)


def _non_falsifiable(setting: Setting) -> Finding:
    account, chain = setting.account, setting.inquiry.chain
    problem = hardened(account) or certified(account)
    by = account.link if account.link is not None else account.attestation
    shared = () if chain is None or by is None else chain.shared(by.keys, by.identities)
    shared += () if account.link is None else account.link.beside
    if shared and not problem:
        problem = f"who signs for the build may sign for {', '.join(shared)} as well"
    return setting.found(problem, "the builder alone can sign for the build, and is trusted to", BUILDER)


def _parameters(setting: Setting) -> Finding:
    account = setting.account
    if account.link is not None:
        build = None if setting.chain is None else setting.chain.build
        same = build is not None and build.expected_command and build.expected_command == account.link.claim.command
        problem = "" if same else "the layout does not name the command that was run"
        return setting.found(problem, "the command is the one that the layout names", CRYPTOGRAPHIC)
    problem = parameters_problem(setting.inquiry, account)
    provenance = account.provenance
    if not problem and provenance is not None and provenance.version != "v1":
        complete = provenance.completeness.parameters is True
        problem = "" if complete else "the builder does not say that it has recorded all parameters"
    return setting.believed(problem, "every external parameter is recorded and expected")


def _by_source(least: int) -> Callable[[Setting], Finding]:
    def judge(setting: Setting) -> Finding:
        source = setting.source
        met = source.level >= least
        reason = source.reason if met or not source.level else f"{source.reason} reaches Source L{source.level} only"
        return Finding(met, reason, BUILDER, source.evidence)

    return judge


# --- level 4 -------------------------------------------------------------------------------------------------------


def _two_person(setting: Setting) -> Finding:
    source = setting.source
    if source.two_party:
        return Finding(True, source.reason, BUILDER, source.evidence)
    chain, link = setting.chain, setting.link
    problem = "no review is recorded"
    if chain is not None and link is not None:
        people, problem = chain.reviewers(link)
        if len(people) >= 2:
            who = ", ".join(sorted(map(str, people)))
            return setting.found("", f'step "{chain.steps.review}" by {who}', CRYPTOGRAPHIC)
    people_of_statements, why = setting.common.reviewers(setting.account.source.commits)
    if len(people_of_statements) >= 2:
        return setting.found("", f"reviewed by {', '.join(sorted(people_of_statements))}", CRYPTOGRAPHIC)
    return setting.found(why or f"{problem}, and nobody attested a review of the commit", "", CRYPTOGRAPHIC)


def _parameterless(setting: Setting) -> Finding:
    account, provenance = setting.account, setting.account.provenance
    if provenance is None:
        return _parameters(setting)
    if provenance.version != "v1":
        complete = provenance.completeness.parameters is True
        problem = "" if complete else "the builder does not say that it has recorded all parameters"
        given = sorted((provenance.parameters or {}).keys())
        problem = problem or (f"it takes parameters: {', '.join(given[:5])}" if given else "")
    else:
        external = provenance.external_parameters
        own = _NO_PARAMETERS | (_STEP if provenance.build_type == RECORDED else frozenset())
        # Unset, null and empty are the same.
        given = sorted(name for name in external.keys() - own if external[name] not in (None, "", [], {}))
        problem = f"it takes parameters: {', '.join(given[:5])}" if given else ""
    return setting.found(problem, "nothing but the source is a parameter", account.word)


def _hermetic(setting: Setting) -> Finding:
    problem = _unpinned(setting)
    if problem:
        return setting.believed(problem, "")
    account, builder = setting.account, setting.account.standing.builder
    if builder is not None and builder.hermetic:
        return setting.found("", f"{builder.name} is trusted to build without network", BUILDER)
    provenance = account.provenance
    if provenance is not None:
        old = (
            provenance.version != "v1"
            and provenance.completeness.materials is True
            and provenance.hermetic is not False
            # BuildKit leaves the field out where there was a network.
            and not is_buildkit(provenance)
        )
        if old or (provenance.hermetic is True and provenance.completeness.materials is True):
            return setting.believed(
                "", "the builder says that all materials are recorded, and that there was no network"
            )
    monitor, why = setting.common.network()
    if monitor:
        return setting.found("", f"{monitor} saw no connection", CLAIMED)
    return setting.believed(why or "nothing says that the build had no network", "")


def _unpinned(setting: Setting) -> str:
    """Why what went into the build is not all recorded with digests, or nothing. No dependency at all is no proof."""
    provenance = setting.account.provenance
    if provenance is not None:
        if not provenance.dependencies:
            return "no dependency is recorded"
        loose = is_pinned(provenance)
        return f"no digest that decides pins {', '.join(loose[:3])}" if loose else ""
    build = None if setting.chain is None else setting.chain.build
    if setting.link is None or build is None or not setting.link.claim.record.materials:
        return "no material is recorded"
    if not is_closed(build.expected_materials):
        return f'the materials of step "{build.name}" do not end with DISALLOW *'
    return ""


def _dependencies(setting: Setting) -> Finding:
    problem = _unpinned(setting)
    if problem:
        return setting.believed(problem, "")
    account, builder = setting.account, setting.account.standing.builder
    if account.provenance is None:
        return setting.found("", "the layout allows no material that is not recorded", CRYPTOGRAPHIC)
    complete = account.provenance.completeness.materials is True or (builder is not None and builder.hermetic)
    hermetic = _hermetic(setting) if not complete else None
    if complete or (hermetic is not None and hermetic.met):
        return setting.believed("", f"all {len(account.provenance.dependencies)} are recorded with digests")
    return setting.believed("the builder does not say that it has recorded all dependencies", "")


def _reproducible(setting: Setting) -> Finding:
    builders = setting.common.builders
    if len(builders) >= 2:
        return setting.found("", f"made alike by {' and '.join(sorted(builders))}", BUILDER)
    provenance, chain, link = setting.account.provenance, setting.chain, setting.link
    if provenance is not None and provenance.reproducible is True:
        return setting.believed("", "the builder says so")
    if chain is not None and chain.build is not None and link is not None and chain.build.threshold >= 2:
        return setting.found("", f"{chain.build.threshold} functionaries made the same", CRYPTOGRAPHIC)
    return setting.believed("only one builder made it", "")


_ROWS: Final[Mapping[str, Callable[[Setting], Finding]]] = {
    "documented": _documented,
    "scripted": _scripted,
    "provenance": _provenance,
    "builder": _builder,
    "service": _service,
    "authenticated": _authenticated,
    "generated": _generated,
    "version-control": _version_control,
    "as-code": _as_code,
    "ephemeral": _ephemeral,
    "isolated": _ephemeral,
    "non-falsifiable": _non_falsifiable,
    "parameters": _parameters,
    "history": _by_source(2),
    "retained": _by_source(2),
    "two-person": _two_person,
    "kept": _by_source(3),
    "parameterless": _parameterless,
    "hermetic": _hermetic,
    "dependencies": _dependencies,
    "reproducible": _reproducible,
}
