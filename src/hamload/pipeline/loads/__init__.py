"""Each session gets its load. What may not be kept is frozen with it."""
