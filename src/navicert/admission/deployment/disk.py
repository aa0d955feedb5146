"""Webhook configurations on an API server's own disk, which nobody can delete through it.

They are in force from the first request on, and no right in the cluster takes them away (Kubernetes 1.37; 1.36 behind
the feature gate ManifestBasedAdmissionControlConfig). They can name no Service, so the webhook runs beside the API
server, as a static Pod or a service of the node. Spec: Kubernetes, "Manifest-Based Admission Control"; KEP-5793.
"""

from __future__ import annotations

from collections.abc import Mapping

from navicert.admission.deployment.hook import MUTATING, VALIDATING, configurations
from navicert.admission.deployment.node import Release, resolve
from navicert.admission.deployment.template import plain
from navicert.admission.deployment.value import defaults

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

URL: Final = "https://127.0.0.1:8443"
NAME: Final = "navicert.static.k8s.io"
"""Only names with this ending may be on disk, and none with it may be in the cluster."""
_FOLDER: Final = "/etc/kubernetes/admission"
_CONFIG: Final = "apiserver.config.k8s.io/v1"

_HEAD: Final = """\
# An example: written by scripts/deployment.py from the sources of the chart. Its caBundle is that of whoever signed the
# certificate of the webhook at this address:
#     navicert admission fill FILE --ca ca.crt > /etc/kubernetes/admission/FOLDER/navicert.yaml
"""
_SERVER: Final = """\
# For kube-apiserver --admission-control-config-file. Kubernetes 1.36 needs besides:
#     --feature-gates=ManifestBasedAdmissionControlConfig=true
"""


def disk() -> Mapping[str, str]:
    """The files of the example."""
    found = resolve(configurations(_at), {**defaults(), "scope": "all"}, Release("navicert-system"))
    files = {"admission-configuration.yaml": _SERVER + plain([_admission()])}
    for kind, folder in _KINDS.items():
        named = found.get(kind) if isinstance(found, Mapping) else None
        hooks = next(iter(named.values())) if isinstance(named, Mapping) else []
        one = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": kind,
            "metadata": {"name": NAME},
            "webhooks": hooks,
        }
        files[f"{folder}/navicert.yaml"] = _HEAD + plain([one])
    return files


_KINDS: Final = {VALIDATING: "validating-webhooks", MUTATING: "mutating-webhooks"}


def _at(path: str) -> Mapping[str, object]:
    return {"url": f"{URL}{path}"}


def _admission() -> Mapping[str, object]:
    plugins = {"ValidatingAdmissionWebhook": VALIDATING, "MutatingAdmissionWebhook": MUTATING}
    return {
        "apiVersion": _CONFIG,
        "kind": "AdmissionConfiguration",
        "plugins": [
            {
                "name": plugin,
                "configuration": {
                    "apiVersion": _CONFIG,
                    "kind": "WebhookAdmissionConfiguration",
                    "staticManifestsDir": f"{_FOLDER}/{_KINDS[kind]}/",
                },
            }
            for plugin, kind in plugins.items()
        ],
    }
