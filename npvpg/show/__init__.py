"""What is shown: screen, board and pictures."""
