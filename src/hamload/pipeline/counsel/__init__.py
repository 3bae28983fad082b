"""States, plans and curls: what the days and the runner's journal mean for the coming ones.

All of it is withheld where a red flag is open.
"""
