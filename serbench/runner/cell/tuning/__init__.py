"""Tuning: for each outer fold a search inside its training part only."""
