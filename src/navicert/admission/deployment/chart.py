"""The Helm chart, as text by file name: written from the same trees and settings as the plain objects."""

from __future__ import annotations

import json
from collections.abc import Mapping

from navicert import __version__
from navicert.admission.deployment import value
from navicert.admission.deployment.definition import definitions
from navicert.admission.deployment.manifest import parts
from navicert.admission.deployment.template import plain, template

_WRITTEN = "{{- /* Written by scripts/deployment.py from src/navicert/admission/deployment: change it there. */ -}}\n"

_NOTES = """\
Navicert is being installed into {{ $.Release.Namespace }}.

It begins to judge once a webhook is ready and certificates are made, within minutes:
  kubectl get validatingwebhookconfiguration navicert -o jsonpath='{.webhooks[*].failurePolicy}'
{{- if has $.Values.scope (list "labelled") }}
Only in namespaces that are labelled:
  kubectl label namespace NAME navicert.dev/admission=enabled
{{- end }}
If ever it must let everything through at once:
  navicert admission disarm        (and `navicert admission rearm`, afterwards)
"""


def chart() -> Mapping[str, str]:
    """The files of the chart."""
    about = {
        "apiVersion": "v2",
        "name": "navicert",
        "description": "Admits to Kubernetes only images whose whole chain of evidence verifies",
        "type": "application",
        "version": __version__,
        "appVersion": __version__,
        "kubeVersion": ">=1.25.0-0",
    }
    files = {
        "Chart.yaml": "".join(f"{name}: {json.dumps(value)}\n" for name, value in about.items()),
        "values.yaml": value.commented(),
        "values.schema.json": json.dumps(value.schema(), indent=2, ensure_ascii=False) + "\n",
        "templates/NOTES.txt": _NOTES,
    }
    for one in definitions():
        metadata = one["metadata"]
        if isinstance(metadata, Mapping):
            files[f"crds/{metadata['name']}.yaml"] = plain([one])
    return files | {f"templates/{name}.yaml": _WRITTEN + template(trees) for name, trees in parts().items()}
