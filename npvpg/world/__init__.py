"""The environment's side: spaces, streams of noise, seeded driver, player, rollout to batch."""
