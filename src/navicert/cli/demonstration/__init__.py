"""The demonstration: a small application, its build in recorded steps, and what an attacker tries on it."""
