"""Every limit on what is read, with its reason.

Two presets: `LOCAL` for files that the user named, `NETWORK` for whatever a registry or another machine
sent. A limit is a field of `Limits`, so a caller raises one with `dataclasses.replace`.
"""

from __future__ import annotations

from navicert.dataclass import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one verification or one reading. Sizes are bytes; everything else is a count."""

    document_bytes: int = 128 * MIB
    """One JSON document. The largest links seen (a million artifacts) are about 100 MiB."""
    json_depth: int = 64
    """Nesting of JSON. In-toto needs 7 levels, CycloneDX about 20; deeper is an attack on the parser's stack."""
    key_bytes: int = 1 * MIB
    """One key file. RSA-16384 in PEM is under 16 KiB."""
    signatures: int = 256
    """Signatures on one document: each may cost one public-key operation per candidate key."""
    signature_attempts: int = 4096
    """Signature checks for one document (signatures × candidate keys), hints tried first."""
    key_guesses: int = 64
    """Keys tried on one signature whose id none of them answers to: an id is only a hint, and guessing costs."""
    layout_keys: int = 4096
    """Keys, and steps and inspections each, in one layout."""
    rules: int = 65_536
    """Artifact rules of one step or inspection, both lists together."""
    artifacts: int = 5_000_000
    """Materials plus products of one link."""
    string: int = 1 * MIB
    """One name, path, pattern or key inside a document."""
    links_per_step: int = 256
    """Evidence that may be counted for one step."""
    evidence_files: int = 65_536
    """Files looked at in one evidence store."""
    few_links: int = 16
    """Documents of one step that are all taken from an index; of more, those that belong to the target are looked for.
    Reading that many costs less than finding out."""
    unbound_links: int = 32
    """The newest documents that are taken of a step which nothing ties to the target."""
    store_seconds: int = 60
    """How long a store is waited for while others write to it. Fifty writers at once take some seconds."""
    pack_bytes: int = 512 * MIB
    """One pack of evidence. It is held in memory, because all of it is checked before anything is used."""
    sublayout_depth: int = 16
    """Nesting of sublayouts; at least 8 must work, and real ones use 2."""
    sublayouts: int = 256
    """Sublayouts judged in one verification."""
    dependencies: int = 20_000
    """Dependencies of one build, those of dependencies included, that are looked at."""
    dependency_depth: int = 16
    """Dependencies of dependencies. Each is one more provenance that somebody wrote."""
    attributes: int = 256
    """Attribute rules of one predicate that a policy requires."""
    cel_bytes: int = 4096
    """One expression of CEL."""
    cel_depth: int = 48
    """Nesting of one expression of CEL; written by hand, about 10."""
    cel_steps: int = 1_000_000
    """Work of one expression of CEL on one statement, in steps of the evaluator: some seconds. Counted and not timed,
    so that the same evidence gets the same verdict on every machine."""
    selections: int = 200_000
    """Work spent on finding a consistent choice among links that disagree: tries, and thousands of artifacts judged."""
    report_items: int = 20
    """Artifacts that a reason names before it says how many more there are."""
    trace_bytes: int = MIB // 16
    """What in-toto's trace of a rule that failed may come to before it is shortened: upstream's repeats all artifacts
    after each rule, 100 MB for a thousand rules on four thousand."""
    stream_bytes: int = 8 * MIB
    """Recorded standard output or error of one command, each."""
    archive_entries: int = 100_000
    """Entries of one image archive."""
    archive_bytes: int = 64 * 1024 * MIB
    """Unpacked size of one image archive."""
    engine_seconds: int = 1800
    """Time that docker or podman may take to save one image; some are tens of GiB."""
    layers: int = 1024
    """Layers of one image, and manifests of one index."""
    manifest_bytes: int = 4 * MIB
    """One manifest, index or config of an image. Registries refuse larger ones."""
    index_depth: int = 4
    """Nesting of image indexes; real ones are flat."""
    expansion: int = 200
    """Bytes that one compressed byte may become, over a whole image. Layers of real images stay below 20; gzip can
    reach 1,030."""
    expansion_floor: int = 256 * MIB
    """Bytes that an image may unpack to before `expansion` is looked at: small layers of zeros are harmless."""
    sbom_bytes: int = 128 * MIB
    """One SBOM or scan report."""
    connect_seconds: int = 10
    """Time for one connection to one address of a registry, TLS included."""
    idle_seconds: int = 30
    """Time that a registry may send or take nothing in the middle of an answer or upload."""
    request_seconds: int = 60
    """Time for one answer of a registry. Bodies may take longer by what `transfer_rate` grants, so that a trickle ends
    and a large layer does not."""
    transfer_rate: int = 16 * 1024
    """Bytes for each second beyond `request_seconds`; slower is stalling, not transferring."""
    attempts: int = 4
    """Tries of one request, when a registry is busy or the connection breaks."""
    retry_seconds: int = 30
    """The longest wait before another try. A registry that asks for more is reported instead."""
    redirects: int = 5
    """Redirects followed for one manifest or blob; object stores need one or two."""
    registry_pages: int = 256
    """Pages of one list (tags, referrers) of a registry."""
    tags: int = 200_000
    """Tags of one repository. They are looked through for evidence where a registry has no referrers API."""
    referrers: int = 1024
    """Manifests attached to one image: one a day for nearly three years."""
    attachment_bytes: int = 40 * MIB
    """One attached document. SBOMs and BuildKit's provenance reach tens of MiB."""
    attached_bytes: int = 256 * MIB
    """Everything attached to one image, together."""
    upload_chunk: int = 16 * MIB
    """Bytes sent in one request of an upload: what is lost when the connection breaks."""
    token_bytes: int = 64 * 1024
    """One answer of a token service; tokens are sent in a header, and those end at a few KiB."""
    credential_bytes: int = 1 * MIB
    """One file of registry credentials, or the answer of one credential helper."""
    credential_seconds: int = 30
    """Time that a credential helper may take; some ask a cloud, or a person."""
    kdf_iterations: int = 10_000_000
    """Rounds of PBKDF2 that a key file may ask for: some seconds; in-toto 1.x writes 100,000, we 600,000."""
    kdf_rounds: int = 1_000
    """Rounds of bcrypt that an OpenSSH key may ask for: some seconds; ssh-keygen writes 16 to 24."""
    kdf_bytes: int = 512 * MIB
    """Memory times passes (128·N·r·p) of scrypt that a key file may ask for; OpenSSL writes 16 MiB."""
    password_bytes: int = 1023
    """One password; OpenSSL reads no longer ones."""
    gpg_bytes: int = 16 * MIB
    """One OpenPGP key as gpg exports it. Keys that strangers have certified in masses reach some MiB."""
    gpg_packets: int = 65_536
    """Packets of one OpenPGP key: itself, subkeys, names, and all signatures on them."""
    gpg_subkeys: int = 64
    """Subkeys of one GPG key: each may sign for it. Real keys have a handful."""
    gpg_seconds: int = 120
    """Time that gpg may take for one signature: somebody may have to type a passphrase, or touch a token."""
    timestamp_seconds: int = 30
    """Time that a timestamp authority may take for one answer; real ones take some hundred milliseconds."""
    kms_seconds: int = 60
    """Time that a key service may take for one answer, credentials included. Its client would wait for minutes."""
    token_objects: int = 64
    """Objects of a hardware token that are looked at: more than one that fits is an error anyway."""
    log_entries: int = 16
    """Entries of transparency logs, and timestamps, in one bundle each; real ones have one. Each costs some signature
    checks."""
    log_body_bytes: int = 8 * MIB
    """One entry of a log. Rekor's oldest kind holds whole attestations."""
    clock_skew_seconds: int = 300
    """How far a trusted time, or that of a statement, may lie after the moment that is judged for: clocks differ."""
    yaml_bytes: int = MIB // 2
    """One layout written by hand, of up to about 10,000 rules. Reading as much of the slowest YAML takes seconds."""


LOCAL = Limits()
"""For files on this machine that the user pointed at."""

NETWORK = Limits(document_bytes=16 * MIB, signatures=64, links_per_step=64, evidence_files=4096, sbom_bytes=40 * MIB)
"""For whatever came from a registry or another machine: an attacker may have written all of it."""
