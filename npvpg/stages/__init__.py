"""
The stages of an update, each with its settings: weigh, step the policy, fit the value.

An algorithm is put together of them, or of some of them and its own.
"""

from npvpg.stages.policy_step import PolicyStage, PolicyStep, Stepped
from npvpg.stages.value_fit import ValueFit, deal
from npvpg.stages.weigh import Seen, Weigh, Weighed

__all__ = ["PolicyStage", "PolicyStep", "Seen", "Stepped", "ValueFit", "Weigh", "Weighed", "deal"]
