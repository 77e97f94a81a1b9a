"""Pre-trained encoders behind the feature set `ssl`: their cards, their weights, running them, and what is stored."""
