"""Measures Navicert beside in-toto 3.1.0 and beside what the machine could do at best: `python -m bench --list`.

How it measures, and what came out: docs/explanation/performance.md.
"""
