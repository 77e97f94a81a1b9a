"""Features: one spectral analysis, the sets computed from it, and the store that keeps them."""
