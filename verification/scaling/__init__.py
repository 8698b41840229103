"""How training with the workers of a Ray cluster scales, and what becomes of lost ones."""
