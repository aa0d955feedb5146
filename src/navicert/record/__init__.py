"""Making evidence: what a step consumed, ran and produced, as a link to be signed."""
