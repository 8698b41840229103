"""Collecting alone: how many steps per second the compiled CartPole and a policy make."""

from verification.speed.contestants import CARTPOLE, FLOORS, npvpg
from verification.speed.session import Session
from verification.speed.tables import Table
from verification.speed.timing import Sample, ratio

ENVS = (1, 8, 64)
STEPS = 4096  # a call collects that many, over all sub-environments


def measure(session: Session) -> list[Table]:
    """
    Collect with 1, 8 and 64 sub-environments, beside what its parts cost.

    Parameters
    ----------
    session : Session
        The run of the program.

    Returns
    -------
    list of Table
        One table.
    """
    plan, hidden = session.plan, [64, 64]
    ours, floors = session.start(npvpg("npvpg", CARTPOLE)), session.start(FLOORS)
    assert ours is not None
    assert floors is not None
    found: dict[tuple[int, str], list[float]] = {}

    def note(n_envs: int, what: str, answer: dict[str, float]) -> None:
        found.setdefault((n_envs, what), []).append(answer["steps"] / answer["seconds"])

    with ours, floors:
        for repetition in range(plan.repetitions):
            session.say(f"rollout {repetition + 1}/{plan.repetitions}")
            for n in ENVS:
                common = {"n_envs": n, "seconds": plan.seconds}
                collect = {**common, "env": CARTPOLE, "n_steps": STEPS // n, "hidden": hidden}
                note(n, "first", ours.ask("rollout", **collect, updates=0))
                note(n, "trained", ours.ask("rollout", **collect, updates=plan.updates))
                sizes = [4, *hidden, 2]
                forward = {"sizes": sizes, "n_rows": n, "dtype": "float32"}
                note(n, "forward", floors.ask("forward", **forward, seconds=plan.seconds))
                bare = {**common, "env": CARTPOLE, "kind": "compiled"}
                note(n, "env", floors.ask("env_steps", **bare))
    table = Table(
        "Rollout alone, compiled CartPole-v1",
        f"{' x '.join(map(str, hidden))} tanh policy in float32, steps/s over all "
        f"sub-environments; the first policy falls after some 20 steps, the trained one "
        f"({plan.updates} updates) seldom. Beside it what the parts cost by themselves: the "
        "matrix products and tanh of one step, called from NumPy, and the environment stepped at "
        "random, called from Python.",
    )
    for n in ENVS:
        sample = {
            what: Sample(tuple(found[n, what])) for what in ("first", "trained", "forward", "env")
        }
        table.rows.append(
            {
                "sub-environments": n,
                "first policy": sample["first"],
                "trained policy": sample["trained"],
                "products and tanh": sample["forward"],
                "environment": sample["env"],
                "trained / products and tanh": ratio(sample["trained"], sample["forward"]),
            }
        )
    return [table]
