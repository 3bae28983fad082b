"""What a runner sets up: a home is founded, accounts are signed in, tried and forgotten. No night comes here."""
