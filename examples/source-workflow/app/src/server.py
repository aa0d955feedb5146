"""Answers every request with the tide of the day."""

print("high water at noon")
