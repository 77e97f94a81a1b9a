"""The voice and the acting behind the synthetic corpus."""
