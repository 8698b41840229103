"""Claims about the mathematics, one module for each family."""
