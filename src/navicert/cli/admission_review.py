"""`navicert admission review`: the decision on a review, or on objects in a file, without a cluster."""

from __future__ import annotations

import json
from contextlib import ExitStack

from navicert.cli import option
from navicert.cli.admission_option import add_glass, add_policies, examiner, load
from navicert.cli.terminal import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from navicert.admission.decision import Decision

HELP = "decide a review, or objects in a file, as the webhook would"
DESCRIPTION = """Decide what is in FILE exactly as the webhook would: an AdmissionReview as JSON, or objects (Pods,
Deployments, …) as YAML or JSON, each as if it were created now."""
EXAMPLE = "navicert admission review deployment.yaml --policy policies/"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("file", metavar="FILE", help="an AdmissionReview, or objects (- for standard input)")
    add_policies(parser)
    add_glass(parser)
    parser.add_argument("--namespace", default="default", metavar="NS", help="of objects that name none (default)")
    parser.add_argument("--mutate", action="store_true", help="say what the mutating webhook would change")
    option.add_at(parser)
    parser.add_argument("--json", action="store_true", help="print the answer that the API server would get")


def run(args: argparse.Namespace) -> int:
    """Print the decisions; 0 where all are let in, 1 where one is refused, 3 where that could not be found out."""
    from navicert.admission.decision import answer
    from navicert.admission.limits import ADMISSION
    from navicert.admission.manifest import reviews_of

    policies = load(args)
    raw = option.read_file(args.file, ADMISSION.review_bytes)
    moment = option.at(args) if args.at is not None else None
    code = 0
    with ExitStack() as cleanup:
        desk = examiner(args, lambda: policies, cleanup, None if moment is None else lambda: moment)
        steps = desk.mutating if args.mutate else desk.validating
        for number, review in enumerate(reviews_of(raw, args.file, args.namespace), 1):
            decision = desk.run(review, steps)
            reply = answer(decision, f"offline-{number}")
            say(json.dumps(reply.to_json(), indent=2) + "\n" if args.json else _text(decision))
            code = max(code, _code(decision))
    return code


def _code(decision: Decision) -> int:
    from navicert.admission.judgement import Standing

    if decision.allowed:
        return 0
    refusing = [one for one in decision.rulings if not one.judgement.passed and not one.waived]
    # What was judged and refused is certain, whatever else could not be found out.
    certain = not refusing or any(one.judgement.standing is Standing.FAILED for one in refusing)
    return 1 if certain else 3


def _text(decision: Decision) -> str:
    """The decision for people: what is let in or not, each ruling on a line, and what would be said besides."""
    from navicert.admission.decision import answer, denial
    from navicert.report.line import escape

    review = decision.review
    name = f"{review.namespace}/{review.name}" if review.namespace else review.name
    head = f"{decision.outcome.value.upper():<8} {escape(str(review.kind))} {escape(name)}: {decision.reason}"
    lines = [head]
    if not decision.allowed:
        lines.append(f"  {denial(decision)}")
    for ruling in decision.rulings:
        policy = ruling.policy.label if ruling.policy is not None else "(none)"
        said = "passes" if ruling.judgement.passed else str(ruling.judgement.cause)
        lines.append(f"  {ruling.use} {ruling.image}")
        lines.append(f"    policy {policy} ({ruling.mode.value}): {said}")
    reply = answer(decision, "")
    lines += [f"  warning: {text}" for text in reply.warnings]
    lines += [f"  patch: {one.op} {one.path} {json.dumps(one.value)}" for one in decision.patch or ()]
    return "\n".join(lines) + "\n"
