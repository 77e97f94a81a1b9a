"""Protocols: how a corpus is split, and the check that a split keeps its promise."""
