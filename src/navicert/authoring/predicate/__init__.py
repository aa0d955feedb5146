"""Making predicates: out of the reports that tools write, and out of what was recorded. Pure: bytes in, JSON out."""
