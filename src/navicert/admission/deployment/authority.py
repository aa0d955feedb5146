"""Certificates by cert-manager: an authority of our own with it, or an issuer that is named."""

from __future__ import annotations

from navicert.admission.deployment.label import SECRET, meta
from navicert.admission.deployment.node import NAMESPACE, Ref, When, text

_API = "cert-manager.io/v1"
_PART = "certificates"
_AUTHORITY = "navicert-authority"
_SELF = "navicert-selfsigned"


def authorities() -> list[object]:
    """Its objects; none where Navicert makes its certificates itself."""
    ours = [
        _issuer(_SELF, {"selfSigned": {}}),
        {
            "apiVersion": _API,
            "kind": "Certificate",
            "metadata": meta(_AUTHORITY, _PART),
            "spec": {
                "isCA": True,
                "commonName": _AUTHORITY,
                "secretName": _AUTHORITY,
                "duration": "26280h",
                "renewBefore": "8760h",
                "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
                "issuerRef": {"name": _SELF, "kind": "Issuer"},
            },
        },
        _issuer(_AUTHORITY, {"ca": {"secretName": _AUTHORITY}}),
    ]
    return [*(_chosen(one) for one in ours), _chosen(_leaf())]


def _chosen(tree: object) -> When:
    return When(Ref("certificates.from"), tree, among=("cert-manager",))


def _issuer(name: str, how: dict[str, object]) -> dict[str, object]:
    return {"apiVersion": _API, "kind": "Issuer", "metadata": meta(name, _PART), "spec": how}


def _leaf() -> dict[str, object]:
    return {
        "apiVersion": _API,
        "kind": "Certificate",
        "metadata": meta("navicert-webhook", _PART),
        "spec": {
            "secretName": SECRET,
            "dnsNames": [
                text(Ref("service.name"), ".", Ref(NAMESPACE), ".svc"),
                text(Ref("service.name"), ".", Ref(NAMESPACE), ".svc.cluster.local"),
            ],
            "duration": "2160h",
            "renewBefore": "720h",
            "usages": ["server auth"],
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
            "issuerRef": When(
                Ref("certificates.issuer"), Ref("certificates.issuer"), {"name": _AUTHORITY, "kind": "Issuer"}
            ),
        },
    }
