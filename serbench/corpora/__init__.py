"""Corpora: adapters, utterance tables, audio decoding, label maps."""
