"""Tracking with MLflow: finished cells, mirrored from their records into a tracking store."""
