"""Getting a corpus from where its owner publishes it."""
