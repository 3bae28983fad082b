"""Where activities come from: each source lists and reads what it has, and knows nothing of the others."""
