"""Reference answers that share no code with npvpg: sums over lists, exact MDPs, quadrature."""
