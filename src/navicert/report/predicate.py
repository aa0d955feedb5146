"""What a predicate says, in labelled lines for people, and what it leaves unsaid. Nothing here is escaped or judged."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.model.predicate import kind_of, read_predicate
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.timestamp import format_timestamp

Line = tuple[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Said:
    """What a statement's predicate is (`title`), what it says (label → lines) and what it does not. `problem` says what
    is wrong with it where it is not what its type asks for; a type that is not known has no title."""

    title: str = ""
    lines: tuple[Line, ...] = ()
    silences: tuple[str, ...] = ()
    problem: str = ""


def said_by(statement: Statement) -> Said:
    """What the predicate of `statement` says."""
    kind = kind_of(statement.predicate_type)
    silences = [*_subject_silences(statement)]
    if not statement.predicate and (kind is None or kind.name != "sign"):
        silences.append("anything about its subjects: the predicate is empty")
    if kind is None:
        return Said(silences=tuple(silences))
    try:
        predicate = read_predicate(statement.predicate_type, statement.predicate)
    except Malformed as error:
        return Said(kind.title, (), tuple(silences), str(error))
    lines = tuple((label, tuple(items)) for label, items in _LINES[kind.name](predicate) if items and any(items))
    return Said(kind.title, lines, (*silences, *_SILENCES.get(kind.name, _no_silence)(predicate)))


def _subject_silences(statement: Statement) -> Iterator[str]:
    weak = [_name(subject) for subject in statement.subjects if not subject.digests.decides]
    if weak:
        yield f"which artifact is meant (no strong digest): {_few(weak)}"


# --- by type -------------------------------------------------------------------------------------------------------


def _link(link: Any) -> Iterator[Line]:
    import shlex

    yield "step", [link.name]
    yield "command", [shlex.join(link.command)]
    yield "materials", [f"{path}  {digests}" for path, digests in link.materials.items()]
    yield "byproducts", _pairs(link.byproducts)
    yield "environment", _pairs(link.environment)


def _scai(report: Any) -> Iterator[Line]:
    lines = []
    for one in report.attributes:
        parts = [one.attribute]
        parts += [f"of {_described(one.target)}"] if one.target is not None else []
        parts += [f"where {_json(one.conditions)}"] if one.conditions else []
        parts += [f"by {_described(one.evidence)}"] if one.evidence is not None else []
        lines.append(", ".join(parts))
    yield "attributes", lines
    yield "producer", [_described(report.producer)] if report.producer is not None else []


def _tests(result: Any) -> Iterator[Line]:
    yield "result", [result.result]
    for label, names in (("failed", result.failed), ("warned", result.warned), ("passed", result.passed)):
        yield f"{label} ({len(names)})", list(names)
    yield "configured", [_described(one) for one in result.configuration]
    yield "run", [result.url]


def _vulns(scan: Any) -> Iterator[Line]:
    yield "scanner", [scan.scanner]
    yield "database", [f"{scan.database or '(unnamed)'}, updated {format_timestamp(scan.database_updated)}"]
    yield "scanned", [f"{format_timestamp(scan.started)} to {format_timestamp(scan.finished)}"]
    words = Counter(one.severities[0].score.upper() for one in scan.findings)
    total = f"{len(scan.findings)}: " + ", ".join(f"{n} {word}" for word, n in words.most_common()) if words else "none"
    yield "findings", [total]
    yield "found", [f"{one.id}  {one.severities[0].score}" for one in scan.findings]


def _release(release: Any) -> Iterator[Line]:
    yield "release", [release.purl]
    yield "package id", [release.package_id]


def _trace(trace: Any) -> Iterator[Line]:
    yield "monitor", [trace.monitor]
    yield "process", [f"{trace.event} ({trace.process_type}) on {trace.host}"]
    for label, log in (("processes", trace.processes), ("files", trace.files)):
        yield label, [f"{len(log)} entries"] if log is not None else []
    if trace.network is not None:
        yield "network", [_json(entry) for entry in trace.network] or ["none was used"]
    yield "policy", [_json(trace.trace_policy)] if trace.trace_policy else []


def _spdx(bill: Any) -> Iterator[Line]:
    yield "document", [f"{bill.name or '(unnamed)'}, {bill.version}"]
    yield "created", [_time(bill.created)]
    yield "by", list(bill.creators)
    yield "lists", [f"{bill.packages} packages, {bill.files} files, {bill.relationships} relationships"]
    yield "packages", _named(bill.document.get("packages"), "versionInfo")


def _cyclonedx(bill: Any) -> Iterator[Line]:
    yield "document", [f"{bill.name or '(unnamed)'}, CycloneDX {bill.version}"]
    yield "created", [_time(bill.created)]
    yield "lists", [f"{bill.components} components, {bill.services} services, {bill.vulnerabilities} vulnerabilities"]
    yield "components", _named(bill.document.get("components"), "version")


def _reference(reference: Any) -> Iterator[Line]:
    yield "attester", [reference.attester]
    yield "refers to", [f"{one.download_location}  {one.media_type}  {one.digests}" for one in reference.references]


def _svr(result: Any) -> Iterator[Line]:
    yield "verifier", [result.verifier]
    yield "verified", [format_timestamp(result.created)]
    yield "properties", list(result.properties)
    yield "policies", [_described(one) for one in result.policies]


def _custom(custom: Any) -> Iterator[Line]:
    yield "made", [_time(custom.timestamp)]
    yield "data", [custom.data or _json(custom.json)]


def _vuln(scan: Any) -> Iterator[Line]:
    yield "scanner", [f"{scan.scanner} {scan.version}".strip()]
    yield "database", [f"{scan.database} {scan.database_version}".strip()]
    yield "scanned", [_time(scan.finished or scan.started)]
    yield "run", [scan.invocation]
    yield "report", [f"a JSON object with {', '.join(sorted(scan.report)[:8])}"]


def _sign(sign: Any) -> Iterator[Line]:
    yield "annotations", _pairs(sign.annotations)


def _vex(document: Any) -> Iterator[Line]:
    yield "document", [document.id]
    yield "by", [f"{document.author}, {format_timestamp(document.timestamp)}"]
    yield (
        "statements",
        [
            " ".join(
                [one.vulnerability, one.status]
                + ([f"({one.justification or one.impact})"] if one.justification or one.impact else [])
                + ([f"in {', '.join(one.products[:3])}"] if one.products else [])
            )
            for one in document.statements
        ],
    )


def _npm(publish: Any) -> Iterator[Line]:
    yield "package", [f"{publish.name} {publish.version}"]
    yield "registry", [publish.registry]


def _provenance(build: Any) -> Iterator[Line]:
    yield "builder", [build.builder_id]
    yield "build type", [build.build_type]
    yield "parameters", _pairs(build.external_parameters)
    yield "run", [build.invocation_id]
    times = [_time(moment) for moment in (build.started, build.finished) if moment is not None]
    yield "built", [" to ".join(times)]
    yield "dependencies", [_described(one) for one in build.dependencies]
    claims = {"hermetic": build.hermetic, "reproducible": build.reproducible}
    claims |= {
        f"{name} complete": getattr(build.completeness, name) for name in ("parameters", "environment", "materials")
    }
    yield "claims", [f"{name}: {'yes' if value else 'no'}" for name, value in claims.items() if value is not None]


def _vsa(summary: Any) -> Iterator[Line]:
    yield "verifier", [summary.verifier_id]
    yield "resource", [summary.resource_uri]
    yield "result", [summary.result]
    yield "levels", list(summary.levels)
    yield "verified", [_time(summary.time_verified)]
    yield "policy", [_described(summary.policy)] if summary.policy is not None else []
    yield "rests on", [_described(one) for one in summary.input_attestations]
    if summary.dependency_levels is not None:
        yield "dependencies", [f"{n} at {level}" for level, n in summary.dependency_levels.items()] or ["none"]


_LINES: Final[Mapping[str, Callable[[Any], Iterator[Line]]]] = {
    "link": _link,
    "scai": _scai,
    "test-result": _tests,
    "vulns": _vulns,
    "release": _release,
    "runtime-trace": _trace,
    "spdx": _spdx,
    "cyclonedx": _cyclonedx,
    "reference": _reference,
    "svr": _svr,
    "custom": _custom,
    "vuln": _vuln,
    "sign": _sign,
    "openvex": _vex,
    "npm-publish": _npm,
    "provenance": _provenance,
    "vsa": _vsa,
}


# --- what is not said ----------------------------------------------------------------------------------------------


def _no_silence(_: Any) -> Iterator[str]:
    return iter(())


def _scai_silences(report: Any) -> Iterator[str]:
    bare = [one.attribute for one in report.attributes if one.evidence is None]
    if bare:
        yield f"what its word rests on (no evidence): {_few(bare)}"
    yield "when it was made: a SCAI report carries no time"


def _tests_silences(result: Any) -> Iterator[str]:
    if not (result.passed or result.warned or result.failed):
        yield "which tests ran: none is named"
    if not result.configuration:
        yield "what the tests were configured by"
    yield "when they ran: a test result carries no time"


def _vulns_silences(scan: Any) -> Iterator[str]:
    if not scan.findings:
        yield f"that there is no flaw: its database knew none, as of {format_timestamp(scan.database_updated)}"


def _trace_silences(trace: Any) -> Iterator[str]:
    if trace.network is None:
        yield "whether the network was used: no such log was kept"
    if trace.files is None:
        yield "which files were used: no such log was kept"


def _bill_silences(bill: Any) -> Iterator[str]:
    if bill.created is None:
        yield "when it was made"
    yield "that nothing else is in there: a bill lists what its maker found"


def _reference_silences(reference: Any) -> Iterator[str]:
    bare = [str(one.download_location) for one in reference.references if not one.digests]
    if bare:
        yield f"which document was meant (no digest): {_few(bare)}"


def _sign_silences(_: Any) -> Iterator[str]:
    yield "anything but that somebody signed it"


def _provenance_silences(build: Any) -> Iterator[str]:
    if not build.builder_id:
        yield "who built it"
    if not build.dependencies:
        yield "what went into it: it names no dependencies"
    elif build.completeness.materials is not True and build.hermetic is not True:
        yield "that nothing else went into it"
    yield "which SLSA level it reached: that is for whoever trusts its builder to say (navicert slsa)"


def _vsa_silences(summary: Any) -> Iterator[str]:
    if summary.time_verified is None:
        yield "when it was verified"
    if summary.dependency_levels is None:
        yield "anything about dependencies"


_SILENCES: Final[Mapping[str, Callable[[Any], Iterator[str]]]] = {
    "scai": _scai_silences,
    "test-result": _tests_silences,
    "vulns": _vulns_silences,
    "runtime-trace": _trace_silences,
    "spdx": _bill_silences,
    "cyclonedx": _bill_silences,
    "reference": _reference_silences,
    "sign": _sign_silences,
    "provenance": _provenance_silences,
    "vsa": _vsa_silences,
}


# --- words ---------------------------------------------------------------------------------------------------------


def _name(one: ResourceDescriptor) -> str:
    return one.name or one.uri or one.download_location or "(no name)"


def _described(one: ResourceDescriptor) -> str:
    return f"{_name(one)}  {one.digests}" if one.digests else _name(one)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _pairs(values: Mapping[str, object]) -> list[str]:
    return [f"{name}: {value if isinstance(value, str) else _json(value)}" for name, value in values.items()]


def _named(items: object, version: str) -> list[str]:
    """Name and version of everything in a list."""
    entries = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return [f"{item.get('name', '(no name)')} {item.get(version) or ''}".rstrip() for item in entries]


def _time(moment: Any) -> str:
    return "" if moment is None else format_timestamp(moment)


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
