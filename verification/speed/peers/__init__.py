"""What runs in processes of their own: npvpg, its peers, and the floors below them all."""
