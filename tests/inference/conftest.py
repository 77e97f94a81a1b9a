"""Every test here may ask for the trained models."""

from trained_models import spoken, trained, trained_pair  # noqa: F401
