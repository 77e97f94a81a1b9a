"""From a leaderboard row to answers about speech: train a row on everything, keep it as a folder, ask it."""
