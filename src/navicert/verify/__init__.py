"""Judging: documents, evidence and a moment in, one tree of checks out. Nothing here reads, runs or prints."""
