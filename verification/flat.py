"""The algorithm from settings side by side, as proofs and tests vary one of them at a time."""

from dataclasses import fields, replace
from typing import Any

from npvpg.collect import Collect
from npvpg.estimators import Estimator
from npvpg.optimizers import Adam, Ascent, Linear, Optimizer
from npvpg.policy import Policy
from npvpg.stages import PolicyStep, ValueFit, Weigh
from npvpg.value import Value
from npvpg.vpg import VPG


def vpg(
    policy: Policy,
    value: Value,
    estimator: Estimator,
    collect: Collect,
    policy_lr: Linear,
    value_lr: Linear | None = None,
    *,
    optimizer: Optimizer | None = None,
    max_grad_norm: float = 0.0,
    normalize_obs: bool = False,
    **settings: Any,
) -> VPG:
    """
    Put the algorithm together.

    Parameters
    ----------
    policy : Policy
        The policy.
    value : Value
        The value function.
    estimator : Estimator
        Weight of the score.
    collect : Collect
        What makes a batch.
    policy_lr, value_lr : Linear
        Step sizes; that of the value is that of the policy unless told.
    optimizer : Optimizer, optional
        Of both; Adam unless told.
    max_grad_norm : float
        Bound of both gradients.
    normalize_obs : bool
        Whether observations are normalised.
    **settings : object
        Fields of `Weigh`, `PolicyStep` and `ValueFit`.

    Returns
    -------
    VPG
        The algorithm.

    Raises
    ------
    TypeError
        If a setting belongs to none of them.
    """
    steps = [
        Ascent(lr, optimizer or Adam(), max_grad_norm) for lr in (policy_lr, value_lr or policy_lr)
    ]

    def of(stage: type[Any]) -> dict[str, Any]:
        names = {field.name for field in fields(stage)}
        return {name: settings.pop(name) for name in names & settings.keys()}

    stages = (
        Weigh(estimator, **of(Weigh)),
        PolicyStep(steps[0], **of(PolicyStep)),
        ValueFit(steps[1], **of(ValueFit)),
    )
    if settings:
        raise TypeError(f"no stage has the settings {sorted(settings)}")
    if normalize_obs:
        collect = replace(collect, normalize_obs=True)  # type: ignore[type-var]
    return VPG(policy, value, collect, *stages)
