"""What the names of a user's files, or the columns of a user's table, seem to say."""
