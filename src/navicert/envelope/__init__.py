"""Signed documents as bytes: opened, verified over what was received, and sealed."""
