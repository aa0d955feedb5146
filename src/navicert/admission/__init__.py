"""Admission to Kubernetes: reviews in, answers by the verdicts on their images out, and what is installed for it."""
