"""The runner: from a suite to finished cells."""
