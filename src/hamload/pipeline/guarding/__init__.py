"""Whether the nights happen, and what went wrong in one: told to the runner, and to a monitor."""
