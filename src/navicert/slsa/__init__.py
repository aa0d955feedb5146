"""SLSA: which level an artifact reached, judged from provenance, links and summaries; pure."""
