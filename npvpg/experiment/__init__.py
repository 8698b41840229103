"""A run: what it is made of, and what it leaves on disk and on the screen."""
