"""Names that Navicert has in a cluster: of its API group, labels, annotations and objects."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

GROUP: Final = "navicert.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"

POLICY: Final = "SupplyChainPolicy"
CLUSTER_POLICY: Final = "ClusterSupplyChainPolicy"
EXCEPTION: Final = "SupplyChainException"
PLURALS: Final = {
    POLICY: "supplychainpolicies",
    CLUSTER_POLICY: "clustersupplychainpolicies",
    EXCEPTION: "supplychainexceptions",
}

ADMISSION_LABEL: Final = f"{GROUP}/admission"
"""On a namespace: whether what is created in it is judged. Only named groups may change it (the companion policy)."""
ENABLED: Final = "enabled"
"""Value of `ADMISSION_LABEL` that opts a namespace in, where the webhook looks at labelled namespaces only."""
DISABLED: Final = "disabled"
"""Value of `ADMISSION_LABEL` that opts a namespace out, where the webhook looks at all others."""

BREAK_GLASS: Final = f"{GROUP}/break-glass"
"""Annotation by which a member of a break-glass group says why an object must be let in unverified."""
BREAK_GLASS_UNTIL: Final = f"{GROUP}/break-glass-until"
"""Annotation in a template of Pods, beside that: the end of it."""

DISARMED: Final = f"{GROUP}/disarmed"
"""Annotation on a webhook configuration: since when, by decision of a person, it lets through what it cannot judge."""

NAMESPACE_LABEL: Final = "kubernetes.io/metadata.name"
"""The label that the API server itself keeps equal to a namespace's name (Kubernetes 1.21 and newer)."""
