"""Who trains: one process, or several side by side."""
