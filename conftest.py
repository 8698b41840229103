"""Profiles of the property tests, and the plugin that gathers what the claims observe."""

import os

from hypothesis import HealthCheck, Phase, settings

pytest_plugins = ["verification.plugin"]

# Compilation at the first call makes a deadline meaningless.
_common = {"deadline": None, "print_blob": True, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("ci", derandomize=True, database=None, max_examples=60, **_common)
# For a run that only asks whether a test fails: what it found is not made simple.
settings.register_profile(
    "unshrunk", settings.get_profile("ci"), phases=(Phase.explicit, Phase.generate)
)
settings.register_profile("explore", max_examples=600, **_common)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
