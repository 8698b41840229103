"""Sums over time: nanoseconds per element, beside what else computes them."""

from verification.speed.contestants import SUMS, SUMS_IN_JAX
from verification.speed.session import Session
from verification.speed.tables import Table
from verification.speed.timing import Sample, ratio
from verification.speed.worker import MissingPackageError

OURS = "npvpg"
HERE = (OURS, "npvpg, many episodes", "npvpg, float32", "scipy.signal.lfilter", "Python loop")
SUMMED = ("GAE", "reward-to-go")


def measure(session: Session) -> list[Table]:
    """
    Sum over time in every way that is installed, in turn.

    Parameters
    ----------
    session : Session
        The run of the program.

    Returns
    -------
    list of Table
        One table.
    """
    plan = session.plan
    found: dict[tuple[str, str], list[float]] = {}
    here, jax = session.start(SUMS), session.start(SUMS_IN_JAX)
    assert here is not None
    workers = dict.fromkeys(HERE, here) | ({SUMS_IN_JAX.name: jax} if jax else {})
    try:
        for repetition in range(plan.repetitions):
            session.say(f"kernels {repetition + 1}/{plan.repetitions}")
            for name, worker in list(workers.items()):
                for what in SUMMED:
                    common = {"n": plan.elements, "seconds": plan.seconds / 2}
                    try:
                        if worker is here:
                            answer = here.ask("sums", how=name, what=what, **common)
                        else:
                            answer = worker.ask("scan", name=what, **common)
                    except MissingPackageError as missing:
                        session.skip(name, str(missing))
                        del workers[name]
                        break
                    found.setdefault((name, what), []).append(answer["ns"])
    finally:
        here.close()
        if jax is not None:
            jax.close()
    table = Table(
        "Sums over time",
        f"ns per element, {plan.elements:,} elements of one episode in float64; many episodes: of "
        "200 steps each; JAX: float32, compiled, its arrays in place. Times: of npvpg's.",
    )
    for name in workers:
        samples = [Sample(tuple(found[name, what])) for what in SUMMED]
        ours = [Sample(tuple(found[OURS, what])) for what in SUMMED]
        table.rows.append(
            {
                "": name,
                **dict(zip(SUMMED, samples, strict=True)),
                **{
                    f"{what}, times": None if name == OURS else ratio(one, our)
                    for what, one, our in zip(SUMMED, samples, ours, strict=True)
                },
            }
        )
    return [table]
