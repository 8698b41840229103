"""What a run is made of: one frozen dataclass, whose fields are the flags of `npvpg train`."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args, get_origin

from npvpg import checks, estimators
from npvpg.runs.words import nearest

if TYPE_CHECKING:
    EstimatorName = str
else:  # known when it runs only
    EstimatorName = Literal[tuple(estimators.NAMED)]


@dataclasses.dataclass(frozen=True)
class Config:
    """
    Everything that decides the numbers of a run; a run is a function of it.

    A field is a flag, the text below it its help, a string in its annotation the unit shown there.
    """

    groups: ClassVar[Mapping[str, str]] = {
        "what to train": "env",
        "networks and actions": "hidden",
        "collecting": "envs",
        "weighing": "estimator",
        "policy step": "update",
        "value fit": "value_lr",
        "evaluation": "evaluation_episodes",
        "output": "checkpoint_every",
    }
    """Groups of the fields in the help, each by the field that it begins with."""

    env: Annotated[str, "ENV"]
    """Environment: any identifier that gymnasium.make knows; MODULE:NAME and FILE.py:NAME import
    that first, and NAME may be a class in it. One that is registered without a limit of steps is
    truncated after 10,000."""

    env_arg: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Argument of the environment, such as length=5; may be given several times. The value is read
    as TOML, and what is no TOML as a text."""

    wrapper: Annotated[tuple[str, ...], "MODULE:NAME"] = ()
    """Wrapper around every sub-environment, a class or function in a module or FILE.py; may be
    given several times, innermost first."""

    init_from: Annotated[str, "RUN"] = ""
    """Run whose parameters and normaliser to begin with, in place of drawn ones; everything else,
    step sizes and the optimiser's memory among it, begins anew."""

    seed: Annotated[int, "N"] = 0
    """Seed from which every random number of the run is derived."""

    steps: Annotated[int, "STEPS"] = 500_000
    """Environment steps to train for, counted over all sub-environments."""

    stop_when_solved: bool = True
    """Stop when the mean return of the last 100 episodes reaches the environment's own reward
    threshold, if it has one."""

    dtype: Literal["float32", "float64"] = "float32"
    """Precision of networks and gradients; sums over time are float64 in any case."""

    hidden: Annotated[tuple[int, ...], "UNITS"] = (64, 64)
    """Widths of the hidden layers, of the policy and of the value alike."""

    activation: Literal["tanh", "relu"] = "tanh"
    """Nonlinearity of the hidden layers."""

    sigma: Literal["free", "state"] = "free"
    """Gaussian policies: log sigma is a free vector, or an output of the network."""

    init_log_sigma: Annotated[float, "LOG"] = 0.0
    """Gaussian policies with free sigma: log sigma to begin with, in [-20, 2]."""

    action_bound: Literal["scale", "clip", "tanh"] = "scale"
    """Gaussian policies: a bounded Box is counted from its centre in half-widths, and what lies
    outside is clipped (scale); or counted in its own numbers and clipped (clip); or actions are
    squashed into it by tanh."""

    greedy: Annotated[float, "PROBABILITY"] = 0.0
    """One Discrete action: probability, in [0, 1), of taking the most probable action in place of a
    draw, at the end of the run; it grows linearly from 0 with the steps, and the score is that of
    the mixture."""

    envs: Annotated[int, "N"] = 8
    """Sub-environments that step side by side."""

    backend: Literal["compiled", "gymnasium"] = "compiled"
    """Where an environment has a compiled twin: step that, or Gymnasium's own. Both give the same
    episodes."""

    async_envs: bool = False
    """Step every sub-environment in a process of its own; pays off for slow environments only."""

    horizon: Annotated[int, "STEPS"] = 64
    """Steps per sub-environment and update; V bootstraps what is cut. 0 collects whole episodes,
    and so does every estimator that has no V."""

    episodes: Annotated[int, "EPISODES"] = 1
    """Whole episodes per sub-environment and update, where whole episodes are collected."""

    normalize_obs: bool = True
    """Shift and scale observations by their running mean and standard deviation."""

    normalize_rewards: bool = False
    """Scale rewards by the running standard deviation of the discounted return."""

    reward_scale: Annotated[float, "FACTOR"] = 1.0
    """Factor of every reward that the algorithm sees; the returns shown are the raw ones."""

    estimator: EstimatorName = "gae"
    """Weight of the score: total-return R(tau); leave-one-out, which is R(tau) less the mean of the
    other episodes of the batch; reward-to-go; baseline, which is reward-to-go less
    V; td, the residual r + gamma V' - V; n-step; gae, also called advantage; q, which is gae plus
    V."""

    group_baseline: Literal["off", "leave-one-out", "mean", "standardized"] = "off"
    """Begin the episodes of a sub-environment and update from one seed, and weigh each by its total
    return compared with its group, in place of estimator: less the mean of the others (RLOO), less
    the mean of all, or that divided by the standard deviation (GRPO)."""

    per_length: bool = False
    """Group baseline: divide the weight by the length of the episode, as a mean over its steps
    does."""

    gamma: Annotated[float, "FACTOR"] = 0.99
    """Discount per step, in [0, 1]."""

    lam: Annotated[float, "FACTOR"] = 0.95
    """Lambda of gae and of the lambda-return, in [0, 1]."""

    n: Annotated[int, "STEPS"] = 5
    """Rewards that the n-step estimate looks ahead."""

    standardize: bool = True
    """Shift and scale the weights of each batch to mean 0 and standard deviation 1."""

    per_step: bool = False
    """Average the gradient over steps, not over trajectories as the theorem does: a change of
    scale."""

    discount_weights: bool = False
    """Weight step t by gamma^t, as the exact gradient of the discounted objective does."""

    update: Literal["gradient", "natural", "trpo", "ppo"] = "gradient"
    """How the policy follows a batch: one step along the gradient; along the natural gradient, as
    long as max_kl allows; that with the line search of TRPO; several passes up the clipped
    surrogate of PPO."""

    max_kl: Annotated[float, "NAT"] = 0.01
    """Update natural, trpo: mean divergence from the old policy to the new one, which sets the
    length of the step in place of policy_lr."""

    damping: Annotated[float, "FACTOR"] = 0.1
    """Update natural, trpo: what is added to the diagonal of Fisher's matrix."""

    cg_steps: Annotated[int, "STEPS"] = 10
    """Update natural, trpo: steps of conjugate gradients."""

    backtracks: Annotated[int, "STEPS"] = 10
    """Update trpo: steps that the line search tries, each 0.8 of the one before."""

    clip: float = 0.2
    """Update ppo: how far a ratio of probabilities may go from 1."""

    policy_steps: Annotated[int, "PASSES"] = 10
    """Update ppo: passes of the policy over the batch in each update."""

    policy_minibatch: Annotated[int, "ROWS"] = 0
    """Update ppo: rows in a minibatch of these passes; 0 takes the whole batch in one step."""

    standardize_minibatch: bool = False
    """Update ppo: shift and scale the weights of each minibatch to mean 0 and standard deviation
    1."""

    stop_kl: Annotated[float, "NAT"] = 0.0
    """Update ppo: mean divergence from the old policy after which no further pass begins; 0 makes
    all of them."""

    policy_lr: Annotated[float, "RATE"] = 3e-3
    """Step size of the policy."""

    lr_decay: Literal["linear", "constant"] = "linear"
    """Whether both step sizes fall to zero over the run."""

    optimizer: Literal["adam", "sgd"] = "adam"
    """Optimiser of policy and value."""

    entropy_weight: Annotated[float, "REWARD/NAT"] = 0.0
    """Weight of the policy's entropy in the objective, averaged as the gradient is: summed over
    the steps of a trajectory and averaged over trajectories, or with per_step over steps."""

    max_grad_norm: Annotated[float, "LENGTH"] = 0.0
    """Longest gradient, of the policy and of the value; 0 sets no bound."""

    value_lr: Annotated[float, "RATE"] = 3e-3
    """Step size of the value."""

    value_steps: Annotated[int, "PASSES"] = 10
    """Passes of the value over the batch in each update."""

    value_minibatch: Annotated[int, "ROWS"] = 0
    """Rows in a minibatch of the value's passes; 0 takes the whole batch in one step."""

    value_clip: float = 0.0
    """How far V may go from what it was before the passes, where that makes it better; 0 sets no
    bound. A heuristic of PPO's first code."""

    value_target: Literal["return", "lambda"] = "lambda"
    """What the value is fitted to: the bootstrapped return, or the lambda-return."""

    evaluation_episodes: Annotated[int, "EPISODES"] = 20
    """Episodes of the sampled and of the greedy evaluation at the end; 0 leaves them out."""

    eval_every: Annotated[int, "STEPS"] = 0
    """Play that many evaluation episodes again after so many steps, and after the last: the curve
    is evaluations.csv, the policy whose sampled episodes returned most best.safetensors; 0 leaves
    it out. The episodes are others than those at the end, and the training is the same without."""

    checkpoint_every: Annotated[int, "UPDATES"] = 50
    """Updates between two checkpoints; one is always written at the end."""

    video_every: Annotated[int, "STEPS"] = 0
    """Steps between two films of an episode, in videos/ of the run; 0 makes none. No number of the
    run depends on it."""

    def __post_init__(self) -> None:
        """Refuse what no run can be made of: the name, the rule, the value."""
        if not self.env:
            raise ValueError("env must name an environment, got ''")
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            choices = get_args(field.type) if get_origin(field.type) is Literal else ()
            if choices and value not in choices:
                offer = nearest(str(value), choices)
                raise ValueError(
                    f"{field.name} must be one of {', '.join(choices)}, got {value!r}{offer}"
                )
        checks.settings(self)
        checks.positive(max_kl=self.max_kl)
        if estimators.NAMED[self.estimator].compares_trajectories and self.envs * self.episodes < 2:
            raise ValueError(f"envs or episodes must be at least 2 with {self.estimator}, got 1")
        if self.group_baseline != "off" and self.episodes < 2:
            raise ValueError(
                f"episodes must be at least 2 with group_baseline, got {self.episodes}"
            )
        if not 0 <= self.greedy < 1:
            raise ValueError(f"greedy must lie in [0, 1), got {self.greedy}")
        if any(width < 1 for width in self.hidden):
            widths = " ".join(map(str, self.hidden))
            raise ValueError(f"hidden must hold widths of at least 1, got {widths}")

    @property
    def whole_episodes(self) -> bool:
        """Whether an update collects whole episodes: without V nothing stands for a cut tail."""
        kind = estimators.NAMED[self.estimator]
        return (
            self.horizon == 0
            or self.group_baseline != "off"
            or kind.needs_whole_episodes
            or not kind.uses_value
        )


FIELDS = tuple(field.name for field in dataclasses.fields(Config))
