"""Studies: small experiments that need no training, each one command and one picture."""
