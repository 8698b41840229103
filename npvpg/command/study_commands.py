"""
The commands of the studies: read the words, work it out, print a table, draw, print the path.

What a study needs is imported after its words have been read: a mistake is told at once.
"""
# ruff: noqa: PLC0415

from npvpg.command import study_arguments as arguments


def exact(words: list[str]) -> None:
    """
    Draw what estimators are worth in a process of which everything is known.

    Parameters
    ----------
    words : list of str
        The words after the name of the command.

    Raises
    ------
    ValueError
        If the words are wrong, or what they ask for cannot be worked out.
    """
    options = arguments.exact(words)

    from npvpg.studies import exact

    asked = exact.study(
        options.states,
        options.actions,
        options.horizon,
        options.gamma,
        options.episodes,
        options.error,
        options.seed,
    )
    print(exact.table(asked))
    exact.draw(options.out, asked)
    print(options.out)


def variance(words: list[str]) -> None:
    """
    Measure gradient variances at fixed policies, and set exact ones beside.

    Parameters
    ----------
    words : list of str
        The words after the name of the command.

    Raises
    ------
    ValueError
        If the words are wrong, or what they ask for cannot be worked out.
    """
    options = arguments.variance(words)

    from npvpg.runs import environments
    from npvpg.studies import variance

    with environments.quiet():
        panels = variance.measure_all(options.runs, options.episodes, options.seed)
    print(variance.table(panels))
    variance.draw(options.out, panels)
    print(options.out)


def random_walk(words: list[str]) -> None:
    """
    Draw what looking n steps ahead is worth on the random walk.

    Parameters
    ----------
    words : list of str
        The words after the name of the command.

    Raises
    ------
    ValueError
        If the words are wrong, or what they ask for cannot be worked out.
    """
    options = arguments.random_walk(words)

    from npvpg.studies import random_walk

    found = random_walk.curves(random_walk.repetitions(options.seed, options.repetitions))
    print(random_walk.table(found))
    random_walk.draw(options.out, found, options.repetitions)
    print(options.out)


def analytic(words: list[str]) -> None:
    """
    Compare pathwise with score-function gradients.

    Parameters
    ----------
    words : list of str
        The words after the name of the command.

    Raises
    ------
    ValueError
        If the words are wrong, or what they ask for cannot be worked out.
    """
    options = arguments.analytic(words)

    from npvpg.studies import analytic

    settings = {
        "linear-quadratic": analytic.quadratic(),
        "Pendulum-v1": analytic.pendulum(options.seed),
    }
    found = {
        name: analytic.variances(setting, options.episodes, options.seed)
        for name, setting in settings.items()
    }
    print(analytic.table(found))
    analytic.draw(options.out, found, options.seed)
    print(options.out)
