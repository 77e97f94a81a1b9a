"""Reporting: everything computed from records alone."""
