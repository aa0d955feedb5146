"""`navicert admission`: what may run in a cluster, and what sees to it there."""

HELP = "Let into a Kubernetes cluster only images whose whole chain verifies."

COMMANDS = {
    "review": ("navicert.cli.admission_review", "decide a review, or objects in a file, as the webhook would"),
    "audit": ("navicert.cli.admission_audit", "say what would be refused of what already runs"),
    "serve": ("navicert.cli.admission_serve", "run the webhook"),
    "manifests": ("navicert.cli.admission_manifests", "print what is to be installed into a cluster"),
    "disarm": ("navicert.cli.admission_disarm", "let everything through that no webhook answers for"),
    "rearm": ("navicert.cli.admission_rearm", "put the webhook configurations in force again"),
    "fill": ("navicert.cli.admission_fill", "fill the caBundle into a webhook configuration"),
    "keep": ("navicert.cli.admission_keep", "renew certificates and configurations (run by a CronJob)"),
}
