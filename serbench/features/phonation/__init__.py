"""Descriptors of the voice, frame by frame: pitch, periods, formants and spectral balance, from the shared analysis."""
