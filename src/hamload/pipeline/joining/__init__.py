"""Activities become sessions: by the rules of `hamload.merging`, and by what the runner has decided."""
