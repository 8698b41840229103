"""The command `npvpg`: parse, call, print."""
