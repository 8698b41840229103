"""A policy out of the house: files that act without npvpg."""
