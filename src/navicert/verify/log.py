"""Entries of transparency logs: that a log of the trust root has entered exactly this.

Spec: RFC 9162 §2.1.3 (inclusion); C2SP tlog-checkpoint; sigstore/rekor, types.md (promises).
"""

from __future__ import annotations

from navicert.crypto.checkpoint import Checkpoint
from navicert.crypto.merkle import leaf_hash, root_of
from navicert.crypto.promise import keeps_promise
from navicert.crypto.trusted_root import TrustedLog
from navicert.envelope.log_body import Claimed, objection
from navicert.errors import Malformed
from navicert.limits import Limits
from navicert.model.log_entry import InclusionProof, LogEntry
from navicert.model.moment import TrustedTime
from navicert.timestamp import format_timestamp
from navicert.verdict import Check, all_of, failed, passed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


def judge_entry(
    entry: LogEntry, logs: Sequence[TrustedLog], claimed: Claimed, moments: Sequence[datetime], limits: Limits
) -> tuple[Check, TrustedTime | None]:
    """All that `entry` must hold by one of `logs` (at least one, all of one id), and the time that the log promised.

    The log's key must have held then; where the log promised no time, at each of `moments`.
    """
    log = next((log for log in logs if keeps_promise(entry, log.key)), logs[0])
    where = f"{log.name} #{entry.index}"
    checks: list[Check] = []
    time: TrustedTime | None = None
    if entry.promise is not None:
        time, check = _promise(entry, log, where)
        checks.append(check)
        moments = moments if time is None else [time.at]
    checks += _inclusion(entry, logs, where, needed=claimed.bundle.needs_proof or entry.promise is None)
    problem = objection(entry, claimed, limits)
    if problem:
        checks.append(failed("bundle.body", where, problem))
    else:
        checks.append(passed("bundle.body", where, "it is about this content, signature and signer"))
    when = ", ".join(map(format_timestamp, moments))
    if any(all(one.window.holds(moment) for moment in moments) for one in logs):
        checks.append(passed("bundle.log-key", where, f"the key of the log held at {when}"))
    else:
        windows = "; ".join(str(one.window) for one in logs)
        checks.append(failed("bundle.log-key", where, f"the key of the log held {windows}, not at {when}"))
    return all_of("bundle.entry", where, tuple(checks), f"kind {entry.kind} {entry.version}"), time


def _promise(entry: LogEntry, log: TrustedLog, where: str) -> tuple[TrustedTime | None, Check]:
    try:
        moment = entry.moment
    except Malformed as error:
        return None, failed("bundle.promise", where, str(error))
    if not keeps_promise(entry, log.key):
        return None, failed("bundle.promise", where, "the log did not sign this entry, moment and index")
    time = TrustedTime(moment, "log", log.name)
    return time, passed("bundle.promise", where, f"entered at {format_timestamp(moment)}")


def _inclusion(entry: LogEntry, logs: Sequence[TrustedLog], where: str, *, needed: bool) -> list[Check]:
    """That the entry is in the tree that the log signed; nothing where no proof is there and none is `needed`."""
    proof = entry.proof
    if proof is None or proof.checkpoint is None:
        if not needed:
            return []
        lacking = "there is no proof of inclusion" if proof is None else "nobody has signed the proof of inclusion"
        return [failed("bundle.inclusion", where, lacking)]
    problem = _unproved(entry, proof, proof.checkpoint, logs)
    if problem:
        return [failed("bundle.inclusion", where, problem)]
    return [passed("bundle.inclusion", where, f"entry {proof.index} of {proof.tree_size}, as the log signed")]


def _unproved(entry: LogEntry, proof: InclusionProof, text: str, logs: Sequence[TrustedLog]) -> str:
    """Why `proof` does not show that `entry` is in a tree that one of `logs` signed; empty where it does."""
    try:
        checkpoint = Checkpoint.read(text)
    except Malformed as error:
        return str(error)
    if not any(checkpoint.signed_by(log.key, log.id) for log in logs):
        return "the log did not sign the checkpoint"
    if (checkpoint.size, checkpoint.root) != (proof.tree_size, proof.root):
        return "the checkpoint is of another tree than the proof"
    if root_of(leaf_hash(entry.body), proof.index, proof.tree_size, proof.hashes) != checkpoint.root:
        return "the proof does not lead from this entry to the root of the tree"
    return ""
