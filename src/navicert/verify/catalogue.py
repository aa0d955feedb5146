"""What each check id means, which sentence it comes from, why it usually fails, and what to do.

Ids are stable, as the codes of a linter are. `docs/reference/checks.md` is written from this table.
"""

from __future__ import annotations

from types import MappingProxyType

from navicert.verify.catalogue_bundle import BUNDLE
from navicert.verify.catalogue_claim import CLAIM
from navicert.verify.catalogue_entry import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

__all__ = ["CATALOGUE", "Entry"]

CATALOGUE: Final[Mapping[str, Entry]] = MappingProxyType(
    {
        "verdict": Entry(
            "Everything that was judged, taken together.",
            "in-toto v1.0 §5.2",
            "Some check below it did not pass; the first cause is named in the first line.",
            "Follow the first cause; what merely follows from it is folded away.",
        ),
        "policy.any": Entry(
            "Several layouts were given, and one that passes is enough.",
            "Navicert: several layouts given means any of them",
            "None of the layouts passes; each is shown with its own checks.",
            "Look at the layout that was meant to apply.",
        ),
        "layout.signature": Entry(
            "The layout is signed by its owners: by all that are named, or by as many as were asked for.",
            "in-toto v1.0 §5.2 (1)",
            "The layout was changed after signing, was signed by somebody else, or the wrong owner was named.",
            "Compare the key ids that `navicert show LAYOUT` prints with the owner's; sign the layout again.",
        ),
        "layout.none": Entry(
            "There is a layout to judge the image by.",
            "Navicert: nothing is verified because nothing was asked",
            "No --layout was given, and the chain was not attached to the image by `navicert evidence push`.",
            "Name the layout with --layout, or push the chain, which brings its layout along.",
        ),
        "layout.owner": Entry(
            "One owner signed the layout: a key, or an identity that a bundle proves.",
            "in-toto v1.0 §5.2 (1)",
            "There is no signature that this key verifies, no bundle proves the identity, or the owner is revoked.",
            "Ask this owner to sign, or do not name an owner who need not have.",
        ),
        "layout.expired": Entry(
            "The layout's expiry lies after the moment that is judged for.",
            "in-toto v1.0 §5.2 (2)",
            "Nobody renewed the layout in time.",
            "Renew and sign the layout; `--at TIME` judges for an earlier moment, knowingly.",
        ),
        "layout.empty": Entry(
            "The layout has steps.",
            "Navicert: nothing is verified because nothing was asked",
            "The layout was written without steps.",
            "Describe at least one step.",
        ),
        "layout.version": Entry(
            "The layout is not older than the version that this verifier has seen or was told.",
            "Navicert: rollback guard (after advisory GHSA-73jv-h86v-c2vh)",
            "An older, still unexpired layout was put in place of a newer one, or it states no version.",
            "Use the current layout; give it a version.",
        ),
        "layout.unknown-field": Entry(
            "The layout has no field that this version of Navicert does not judge.",
            "Navicert: unknown fields are signed and kept, and said aloud",
            "The layout was written for another implementation, such as one with certificate constraints.",
            "Express the condition in fields that are judged, or accept the warning.",
        ),
        "layout.open-ended": Entry(
            "Every list of rules ends with DISALLOW *, so that nothing slips past the rules.",
            "in-toto v1.0 §4.3.3 (what no rule consumes is allowed)",
            "A list of rules does not close with DISALLOW *.",
            'Add "DISALLOW *" as the last rule of each list named.',
        ),
        "step": Entry(
            "One step: enough evidence, and its rules hold.",
            "in-toto v1.0 §5.2 (3 to 9)",
            "One of the checks below it did not pass.",
            "See that check.",
        ),
        "step.threshold": Entry(
            "Enough different people vouch for one and the same report of the step.",
            "in-toto v1.0 §5.2 (4, 6)",
            "The step was not recorded, somebody not authorised signed its link, or the links disagree.",
            "Look at the near misses: each names a file and why it does not count. Record the step again.",
        ),
        "step.rules": Entry(
            "The rules of a step; not judged where it has no evidence.",
            "in-toto v1.0 §5.3",
            "The step has not enough evidence.",
            "Provide the evidence; see step.threshold.",
        ),
        "step.materials": Entry(
            "The rules on what the step consumed.",
            "in-toto v1.0 §5.3",
            "A rule below it did not hold.",
            "See that rule.",
        ),
        "step.products": Entry(
            "The rules on what the step produced.",
            "in-toto v1.0 §5.3",
            "A rule below it did not hold.",
            "See that rule.",
        ),
        "step.command": Entry(
            "The recorded command is the one that the layout expects. A warning only: a command proves little.",
            "in-toto v1.0 §5.2 (7)",
            "The step was run by another command line.",
            "Correct expected_command, or find out why the command was another.",
        ),
        "step.disagreement": Entry(
            "All links of the step report the same artifacts.",
            "in-toto v1.0 §5.2 (6)",
            "Links of other runs lie beside these, or a build is not reproducible.",
            "Keep each run's evidence apart, or find out why the results differ.",
        ),
        "step.no-rules": Entry(
            "The step has rules.",
            "in-toto v1.0 §4.3.3",
            "Without rules any artifact is accepted.",
            "Tie the step's materials to an earlier step with MATCH, and end with DISALLOW *.",
        ),
        "link.signature": Entry(
            "One authorised principal signed evidence for the step.",
            "in-toto v1.0 §5.2 (4)",
            "This check passes wherever it is listed; what does not count is a near miss.",
            "Nothing to do.",
        ),
        "link.return-value": Entry(
            "The recorded command ended with 0.",
            "in-toto v1.0 §4.4 (byproducts)",
            "The step failed and was recorded all the same.",
            "Run the step again, or forbid recording failures.",
        ),
        "evidence": Entry(
            "What was found for an image, and where it was looked for.",
            "Navicert: nothing is verified because nothing was found",
            "Nothing was found, or nothing of it is signed by keys that the layout knows.",
            "See the places that were asked, and what each of them answered.",
        ),
        "evidence.found": Entry(
            "Some evidence for the image verifies by keys that the layout, or a sublayout, knows.",
            "Navicert: nothing is verified because nothing was found",
            "The image was copied by a tool that leaves behind what is attached to it, or nobody pushed its evidence.",
            "Copy the image with `navicert evidence copy SRC DST`, push its chain with `navicert evidence push IMAGE`,"
            " or name where the evidence is with --evidence-from.",
        ),
        "evidence.asked": Entry(
            "One place that was asked for evidence, and its answer.",
            "Navicert: the places that were asked are part of the result",
            "Only said, never counted. A place that could not be asked ends the command with exit code 3 instead.",
            "Nothing, unless a place that should hold evidence answers `none`.",
        ),
        "evidence.near-miss": Entry(
            "Evidence that was found and does not count, with the reason.",
            "Navicert: what could not be judged is part of the result",
            "Wrong key, wrong step, another run, an unreadable file, a path that is not in normal form.",
            "Put right what the reason names.",
        ),
        "attestation": Entry(
            "One attestation and what was found out about it, by itself or for a predicate that a policy requires.",
            "in-toto attestation framework, validation model; ITE-10 (draft)",
            "One of the checks below it did not pass.",
            "See that check, and what the attestation says: `navicert show FILE`.",
        ),
        "attestation.none": Entry(
            "At least one document in the file is signed as asked, about the artifact, and of the type.",
            "Navicert: nothing is verified because nothing was found",
            "The file holds attestations by others, about other things or of other types, or nothing at all.",
            "Look at the documents listed; each says how far it came.",
        ),
        "attestation.signature": Entry(
            "Those who were asked for signed the document: every key given, or as many as were asked for.",
            "DSSE v1.0.2; in-toto attestation framework, validation model",
            "It was changed after signing, signed by somebody else, is not signed at all, or cannot be read.",
            "Compare the key ids that `navicert show FILE` prints with the one expected; ask for a signed copy.",
        ),
        "attestation.key": Entry(
            "One key signed the document.",
            "DSSE v1.0.2",
            "There is no signature that this key verifies, or the key is revoked or has expired.",
            "Give the key of whoever signed it, if they are to be believed.",
        ),
        "attestation.identity": Entry(
            "The identity that was asked for signed the document, by a certificate that held when it did.",
            "sigstore client-spec; in-toto attestation framework, validation model",
            "Somebody else signed it, or the identity is revoked.",
            "Compare the name and issuer that `navicert show FILE` prints with those that were asked for.",
        ),
        "attestation.statement": Entry(
            "What was signed is a statement.",
            "in-toto attestation framework, spec/v1/statement.md",
            "A layout or a link was given.",
            "Judge those with `navicert verify`.",
        ),
        "attestation.subject": Entry(
            "The statement is about the artifact, or those that the policy says: a strong digest of a subject is the"
            " artifact's, and none disagrees. What it is called does not matter.",
            "in-toto attestation framework, spec/v1/statement.md (subjects match by digest only)",
            "The attestation of another build or file, or one that has only weak digests such as SHA-1.",
            "Take the attestation that was made about this very artifact.",
        ),
        "attestation.type": Entry(
            "The predicate is of the type that was asked for, or, where none was, of a type that is known.",
            "in-toto attestation framework, spec/v1/statement.md (predicateType)",
            "Another kind of attestation, another major version, or a type of somebody's own.",
            "Ask for the type with --type URI; of a type that is not known, the fields are then not looked at.",
        ),
        "attestation.predicate": Entry(
            "The predicate has every field that its type requires.",
            "in-toto attestation framework, spec/predicates",
            "A tool that wrote it wrongly, or a document that was pressed into another type. For a policy, whose rules"
            " say what is needed, it only warns; with --strict it fails.",
            "The reason names the field; have it made again.",
        ),
        "attestation.result": Entry(
            "By its own word the attestation is good news: tests that passed, a verification that passed.",
            "in-toto attestation framework, spec/predicates/test-result.md, vsa.md",
            "Tests failed, or a verifier found that the artifact does not pass.",
            "Mend what failed; an attestation that says no is no reason to use the artifact.",
        ),
        "attestation.attribute": Entry(
            "An attribute rule of the policy, an expression of CEL, is true of the statement.",
            "in-toto ITE-11 (draft); CEL language definition",
            "The statement says something else, lacks the claim, or the rule takes more work than the limit cel_steps"
            " allows. A rule without a value is never true.",
            "Compare the rule with what `navicert show FILE` prints; a claim that may be missing is asked for with"
            " has(…), or the rule is given `if absent: pass`.",
        ),
        "attestation.age": Entry(
            "The statement is young enough at the moment that is judged for, by the time that its signer vouches for.",
            "Navicert: freshness at a trusted time",
            "The report is old, says no time, or is dated ahead of the clock.",
            "Make the report anew; times of files, stores and envelopes never count.",
        ),
        "attestation.contradiction": Entry(
            "No other statement about the same artifacts, by somebody who may sign, says otherwise.",
            "in-toto attestation framework, spec/v1 (monotonic principle)",
            "A test or scan was repeated with another result. Only a warning: who left the statement out would pass.",
            "Find out which of both is right; demand a short `max age` where results change with time.",
        ),
        "chain.run": Entry(
            "The links that say to which run they belong all say the same.",
            "Navicert: own policies (links of another run put in place of this one)",
            "A link of another run was put in the place of this one's.",
            "Gather the links of one run; write `run: any` in the policy if its steps are performed in several.",
        ),
        "artifact.revoked": Entry(
            "No artifact of the step is on the list of revoked digests.",
            "Navicert: revocation at once",
            "A file known to be bad went into or came out of the step.",
            "Build again without it.",
        ),
        "artifact.twins": Entry(
            "No two paths differ only by letter case or by Unicode encoding.",
            "Navicert: names that people and file systems confuse",
            "Two files whose names look the same.",
            "Rename one of them.",
        ),
        "artifact.outside": Entry(
            "Paths that lead out of the folder in which the step was recorded; legal, and worth knowing.",
            "in-toto v1.0 §4.4 (paths)",
            "Files outside the project were recorded by ../ or absolute paths.",
            "Record from a folder that holds everything.",
        ),
        "rule.match-unsatisfied": Entry(
            "What a MATCH found is what the other step reported.",
            "in-toto v1.0 §4.3.3 (MATCH)",
            "The file was changed between the two steps.",
            "Compare the two digests; the report names who last agreed and where it changed.",
        ),
        "rule.match-nothing": Entry(
            "A MATCH rule matches some artifact.",
            "in-toto v1.0 §4.3.3 (MATCH)",
            "A typing error in the pattern, a prefix that no path has, or the artifact was not recorded.",
            "Compare the pattern with the paths that `navicert show LINK` prints.",
        ),
        "rule.disallow": Entry(
            "Nothing is left that the DISALLOW rule forbids.",
            "in-toto v1.0 §4.3.3 (DISALLOW)",
            "A file that no rule allows, or that an earlier MATCH did not accept.",
            "Allow the file by a rule if it belongs there; find out where it comes from if it does not.",
        ),
        "rule.require": Entry(
            "The required artifact is there, and no earlier rule has consumed it.",
            "in-toto v1.0 §4.3.3 (REQUIRE)",
            "The artifact was not recorded, or REQUIRE stands after the rule that consumes it.",
            "Put REQUIRE first; record the artifact.",
        ),
        "chain.selection": Entry(
            "A choice among links that disagree was found, or ruled out, within the limit.",
            "Navicert: bounded search",
            "A great many contradictory links lie in one store.",
            "Keep each run's evidence in a folder of its own.",
        ),
        "sublayout": Entry(
            "A layout that stands for a step holds as a whole.",
            "in-toto v1.0 §5.2 (5)",
            "One of the checks below it did not pass.",
            "See that check; it belongs to whoever owns the sublayout.",
        ),
        "sublayout.malformed": Entry(
            "The sublayout is a well-formed layout.",
            "in-toto v1.0 §4.3",
            "A bad key or an unreadable line in it.",
            "Correct the sublayout and sign it again.",
        ),
        "sublayout.depth": Entry(
            "Sublayouts are nested no deeper, and are no more, than the limits allow.",
            "Navicert: limits sublayout_depth and sublayouts",
            "Layouts inside layouts, more than any real supply chain has.",
            "Flatten the chain, or raise the limit.",
        ),
        "sublayout.repeated": Entry(
            "No layout contains itself.",
            "Navicert: repetition is refused",
            "The same layout stands above the sublayout.",
            "Replace the link of this step.",
        ),
        "inspection": Entry(
            "One inspection ran, returned 0, and its rules hold.",
            "in-toto v1.0 §5.2 (10, 11)",
            "One of the checks below it did not pass, or the chain failed before.",
            "See that check.",
        ),
        "inspection.run": Entry(
            "The inspection's command returned 0.",
            "in-toto v1.0 §5.2 (10)",
            "It found what it looks for, could not be run, or nobody named files for it to look at.",
            "Read what it said; name a folder with the files to inspect.",
        ),
        "inspection.materials": Entry(
            "The rules on the files that the inspection found.",
            "in-toto v1.0 §5.3",
            "The inspected files are not those that the steps reported.",
            "Inspect the files that the chain produced.",
        ),
        "inspection.products": Entry(
            "The rules on the files that the inspection left.",
            "in-toto v1.0 §5.3",
            "The inspection changed or made files.",
            "Allow them by a rule, or let the inspection only look.",
        ),
        "target.bound": Entry(
            "What is about to be used is a product of the named step (the last one unless said otherwise).",
            "Navicert: a target is bound, or nothing is verified",
            "The target was changed after the step, belongs to another run, or another step makes it.",
            "Use what the chain produced; name the step with --target-step if another one makes it.",
        ),
        "target.digest": Entry(
            "Some product has a digest of the target.",
            "Navicert: a target is bound, or nothing is verified",
            "No product of the step has it.",
            "See target.bound.",
        ),
        "target.digest-file": Entry(
            "Some product is a text file that holds an id of the target.",
            "Navicert: for chains that recorded an id as text",
            "No product is such a file for this target.",
            "See target.bound.",
        ),
        "target.revoked": Entry(
            "The target is not on the list of revoked digests.",
            "Navicert: revocation at once",
            "Its digest has been denied.",
            "Use a newer release.",
        ),
        "target.none": Entry(
            "No target was given, so the chain was judged and nothing was bound to it.",
            "Navicert: a target is bound, or nothing is verified",
            "`navicert verify` was called without a target.",
            "Name the file, directory or image that you are about to use.",
        ),
        **BUNDLE,
        **CLAIM,
    }
)
"""Check id → what it means. Passing rules have the ids `rule.match`, `rule.create`, … and need no entry."""
