"""What the presets reach, over seeds."""
