"""What the sequence models share: layers that respect padding, batches, and one training loop."""
