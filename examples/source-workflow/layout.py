"""Writes root.layout: who performs checkout, build and scan of a container image, and what each of them may touch.

    python -m navicert.compat layout.py [--closed]

Written for in_toto and securesystemslib, and run by Navicert as it is. The keys are in keys/. With --closed every list
of rules ends in DISALLOW *, so that whatever no rule names is refused; without it such files pass unseen.
"""

import sys

from in_toto.models.layout import Inspection, Layout, Step
from in_toto.models.metadata import Envelope
from securesystemslib.interface import import_ed25519_publickey_from_file
from securesystemslib.signer import CryptoSigner

CLOSED = "--closed" in sys.argv
END = [["DISALLOW", "*"]] if CLOSED else []

NO_CRITICAL = (
    "import json, sys; report = json.load(open('vulnerability-report.json')); "
    "flaws = [v['severity'] for v in report.get('vulnerabilities', [])]; "
    "flaws += [v['Severity'] for r in report.get('Results', []) for v in r.get('Vulnerabilities', [])]; "
    "sys.exit(1 if 'CRITICAL' in flaws else 0)"
)


def product_of(step, *patterns):
    """One MATCH rule for each pattern: the file is as `step` left it."""
    return [["MATCH", pattern, "WITH", "PRODUCTS", "FROM", step] for pattern in patterns]


def make_layout():
    """The layout, valid for half a year."""
    layout = Layout()
    layout.set_relative_expiration(months=6)
    builder = import_ed25519_publickey_from_file("keys/builder.pub")
    scanner = import_ed25519_publickey_from_file("keys/scanner.pub")
    layout.keys = {builder["keyid"]: builder, scanner["keyid"]: scanner}

    checkout = Step(name="checkout")
    checkout.expected_materials = [*END]
    checkout.expected_products = [["CREATE", "Dockerfile"], ["CREATE", "src/*"], ["CREATE", "requirements.txt"], *END]
    checkout.pubkeys = [builder["keyid"]]
    checkout.threshold = 1

    build = Step(name="build")
    build.expected_materials = [*product_of("checkout", "Dockerfile", "src/*"), *END]
    build.expected_products = [["CREATE", "image-digest.txt"], *END]
    build.pubkeys = [builder["keyid"]]
    build.threshold = 1

    scan = Step(name="scan")
    scan.expected_materials = [*product_of("build", "image-digest.txt"), *END]
    scan.expected_products = [["CREATE", "vulnerability-report.json"], ["CREATE", "sbom.json"], *END]
    scan.pubkeys = [scanner["keyid"]]
    scan.threshold = 1

    # Inspections look at the folder of whoever verifies: the reports, the digest and the source are in it.
    look = Inspection(name="verify-no-critical-vulns")
    look.expected_materials = product_of("scan", "vulnerability-report.json", "sbom.json")
    if CLOSED:
        look.expected_materials += product_of("build", "image-digest.txt")
        look.expected_materials += product_of("checkout", "Dockerfile", "src/*", "requirements.txt")
        look.expected_materials += [["ALLOW", "root.layout"], ["ALLOW", "keys/owner.pub"], *END]
    look.run = ["python", "-c", NO_CRITICAL]

    layout.steps = [checkout, build, scan]
    layout.inspect = [look]
    return layout


envelope = Envelope.from_signable(make_layout())
envelope.create_signature(CryptoSigner.from_priv_key_uri("file:keys/owner"))
envelope.dump("root.layout")
