"""
The proofs of npvpg: what the algorithm claims, each claim checked by an independent oracle.

``python -m verification`` runs every proof, prints a line a claim and writes the proof book;
``python -m verification --mutants`` plants bugs in a copy of the library and requires the claim
named for each to fail. `verification.oracles` shares no code with the library,
`verification.mathematics` holds the claims, `verification.claims` says how a claim is written.
"""
