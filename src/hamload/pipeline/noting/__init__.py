"""What hamload notes of its own runs: the log, the ledger of nights, how far a step has come."""
