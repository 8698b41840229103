"""What others have published on the same environments, and how they measured it."""

from typing import NamedTuple


class Source(NamedTuple):
    """
    Where numbers come from.

    Attributes
    ----------
    label : str
        Whose numbers they are, in a cell of the table.
    text : str
        Where they stand, and what was measured.
    """

    label: str
    text: str


class Published(NamedTuple):
    """
    One published number.

    Attributes
    ----------
    env : str
        Environment, by the name it has here; others may have used an earlier version of it.
    source : str
        Key of `SOURCES`.
    steps : int
        Environment steps it was trained for.
    value : float
        Mean return [reward].
    sampled : bool
        Whether it is the return at the end of the policy that is trained, sampled, and not a best
        value or that of the greedy policy.
    """

    env: str
    source: str
    steps: int
    value: float
    sampled: bool


SOURCES = {
    "su": Source(
        "Spinning Up VPG",
        "Spinning Up, PyTorch VPG, 10 seeds, decoded from the curves of its benchmark: return of "
        "the sampled policy while it trains, v3 of the environments",
    ),
    "slm": Source(
        "SLM-Lab A2C",
        "SLM-Lab, docs/BENCHMARKS.md, A2C with GAE, 4 sessions: moving average of the return of "
        "the policy that trains",
    ),
    "zoo": Source(
        "SB3 zoo A2C",
        "rl-baselines3-zoo, benchmark.md, one run each, greedy policy after training, "
        "MuJoCo v3, LunarLander v2, discrete and continuous; state-dependent exploration on "
        "Pendulum and MountainCarContinuous",
    ),
    "ts": Source(
        "tianshou A2C",
        "tianshou, examples/mujoco, 10 seeds: the **best** mean of 10 test episodes in the whole "
        "of a training, not its end; v2 and v3 of the environments",
    ),
    "ts-re": Source("tianshou REINFORCE", "the same, REINFORCE without a value function"),
}
PUBLISHED = (
    Published("CartPole-v1", "slm", 200_000, 497.0, True),
    Published("CartPole-v1", "zoo", 500_000, 500.0, False),
    Published("Acrobot-v1", "slm", 300_000, -84.0, True),
    Published("Acrobot-v1", "zoo", 500_000, -83.0, False),
    Published("MountainCar-v0", "zoo", 1_000_000, -111.0, False),
    Published("MountainCarContinuous-v0", "zoo", 100_000, 91.2, False),
    Published("Pendulum-v1", "slm", 300_000, -821.0, True),
    Published("Pendulum-v1", "zoo", 1_000_000, -163.0, False),
    Published("LunarLander-v3", "slm", 300_000, 27.0, True),
    Published("LunarLander-v3", "zoo", 200_000, 156.0, False),
    Published("LunarLanderContinuous-v3", "slm", 300_000, -77.0, True),
    Published("LunarLanderContinuous-v3", "zoo", 5_000_000, 84.0, False),
    Published("InvertedPendulum-v5", "ts", 1_000_000, 1000.0, False),
    Published("Reacher-v5", "ts-re", 3_000_000, -10.5, False),
    Published("Reacher-v5", "ts", 1_000_000, -6.7, False),
    Published("Swimmer-v5", "su", 1_000_000, 36.0, True),
    Published("Swimmer-v5", "ts", 1_000_000, 36.6, False),
    Published("Swimmer-v5", "zoo", 1_000_000, 201.0, False),
    Published("Hopper-v5", "su", 1_000_000, 391.0, True),
    Published("Hopper-v5", "ts", 1_000_000, 1253.0, False),
    Published("Hopper-v5", "zoo", 1_000_000, 733.0, False),
    Published("Walker2d-v5", "su", 1_000_000, 293.0, True),
    Published("Walker2d-v5", "ts", 1_000_000, 1092.0, False),
    Published("Walker2d-v5", "zoo", 1_000_000, 582.0, False),
    Published("HalfCheetah-v5", "su", 1_000_000, -51.0, True),
    Published("HalfCheetah-v5", "ts", 1_000_000, 1830.0, False),
    Published("HalfCheetah-v5", "zoo", 1_000_000, 3041.0, False),
    Published("Ant-v5", "su", 1_000_000, -26.0, True),
    Published("Ant-v5", "ts", 1_000_000, 3485.0, False),
    Published("Ant-v5", "zoo", 1_000_000, -44.0, False),
)


def published(env: str) -> tuple[Published, ...]:
    """
    List what is published on an environment.

    Parameters
    ----------
    env : str
        Environment.

    Returns
    -------
    tuple of Published
        The numbers, those measured as here first.
    """
    return tuple(number for number in PUBLISHED if number.env == env)
