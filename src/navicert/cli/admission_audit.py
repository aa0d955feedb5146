"""`navicert admission audit`: what already runs, or is about to, judged without refusing anything."""

from __future__ import annotations

from contextlib import ExitStack

from navicert.cli import option
from navicert.cli.admission_option import add_policies, examiner, load
from navicert.cli.terminal import complain, say
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from navicert.admission.audit import Audit

HELP = "say what would be refused of what already runs"
DESCRIPTION = """Judge objects as if they were created now: those in FILE (as `kubectl get -A -o yaml` prints them), or
with --pods all Pods of the cluster, by the digests that run. Nothing of it is changed, and the mode of policies does
not count. With --write-reports a PolicyReport in each namespace says what was found, and the exit code is 0 once all
are written."""
EXAMPLE = "navicert admission audit --pods --policy policies/"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add = parser.add_argument
    add("file", nargs="*", metavar="FILE", help="objects as YAML or JSON (- for standard input)")
    add("--pods", action="store_true", help="all Pods of the cluster")
    add_policies(parser)
    add("--namespace", default="default", metavar="NS", help="of objects that name none (default)")
    option.add_at(parser)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--report", action="store_true", help="print PolicyReports, for kubectl apply")
    how.add_argument("--write-reports", action="store_true", help="with --pods: write PolicyReports into the cluster")
    option.add_json(parser)
    add("--exclude-namespaces", nargs="+", action="extend", default=[], metavar="NS", help="with --pods: all but these")


def run(args: argparse.Namespace) -> int:
    """Print what was found; 0 where nothing would be refused, 1 where something would, 3 where that is not known. With
    reports written, 0 and 3."""
    import json

    from navicert.admission.audit import audit
    from navicert.admission.manifest import review_of
    from navicert.admission.policy_report import reports

    if bool(args.file) == args.pods:
        raise Malformed("name files, or --pods", path="audit", remedy="one of both")
    if args.write_reports and not args.pods:
        raise Malformed("reports are written of what runs in the cluster", path="--write-reports", remedy="add --pods")
    policies = load(args)
    moment = option.at(args)
    with ExitStack() as cleanup:
        desk = examiner(args, lambda: policies, cleanup, None if args.at is None else lambda: moment)
        found = audit(desk, _objects(args, cleanup), lambda body: review_of(body, "", args.namespace))
    if args.report:
        say("".join(f"---\n{json.dumps(one, indent=2)}\n" for one in reports(found, moment)))
    elif args.json:
        say(json.dumps(_json(found), indent=2))
    else:
        say(_text(found))
    written = args.write_reports and _write(args, found, moment)
    if not found.objects:
        complain("nothing to judge")
        return 3
    if found.unknown:
        return 3
    return 1 if (found.refused or found.odd) and not written else 0


def _objects(args: argparse.Namespace, cleanup: ExitStack) -> Iterator[Mapping[str, object]]:
    from navicert.admission.manifest import objects_of
    from navicert.limits import LOCAL

    for path in args.file:
        yield from objects_of(option.read_file(path, LOCAL.document_bytes), path)
    if args.pods:
        from navicert.admission.cluster import connect
        from navicert.admission.running import pods

        cluster = connect(args.kubeconfig, args.context)
        cleanup.callback(cluster.close)
        yield from pods(cluster, frozenset(args.exclude_namespaces))


def _write(args: argparse.Namespace, found: Audit, at: datetime) -> bool:
    """Write reports into the cluster, and say so; whether it has a place for them. Raises `Unavailable` where one could
    not be written."""
    from navicert.admission.cluster import connect
    from navicert.admission.listing import UnknownKind
    from navicert.admission.policy_report import reports, write_reports
    from navicert.errors import Unavailable

    cluster = connect(args.kubeconfig, args.context)
    try:
        done = write_reports(cluster, reports(found, at))
    except UnknownKind as error:
        complain(f"no reports were written: {error}")
        return False
    finally:
        cluster.close()
    complain(f"{done.written} reports were written, {done.removed} taken away")
    for problem in done.problems:
        complain(problem)
    if done.problems:
        raise Unavailable(f"{len(done.problems)} reports could not be written", path="--write-reports")
    return True


def _json(found: Audit) -> dict[str, object]:
    return {
        "type": "navicert-audit/v1",
        "objects": found.objects,
        "refused": len(found.refused),
        "findings": [
            {
                "image": one.image,
                "policy": one.policy or None,
                "standing": one.standing.value,
                "cause": one.cause or None,
                "waived": one.waived,
                "places": [str(place) for place in one.places],
            }
            for one in found.findings
        ],
        "odd": [{"object": str(place), "cause": cause} for place, cause in found.odd],
    }


def _text(found: Audit) -> str:
    """A line for each image that would be refused, with where it is used, and a summary."""
    from navicert.report.line import cut, escape

    lines = []
    for one in found.refused:
        word = "REFUSED" if one.standing.value == "failed" else "UNKNOWN"
        lines.append(f"{word}  {one.image}")
        lines.append(f"         policy {one.policy or '(none)'}: {one.cause}")
        more = f" and {len(one.places) - 5} more" if len(one.places) > 5 else ""
        lines.append(f"         used by {', '.join(escape(str(place)) for place in one.places[:5])}{more}")
    for place, cause in found.odd:
        lines.append(f"REFUSED  {escape(place.kind)} {escape(str(place))}: {cut(cause, 300)}")
    images = {one.image for one in found.findings}
    bad = {one.image for one in found.refused}
    lines.append(
        f"{found.objects} objects, {len(images)} images: {len(images - bad)} pass, {len(bad)} would be refused"
        f"{f', {len(found.odd)} objects would be' if found.odd else ''}"
    )
    return "\n".join(lines)
