"""What is seen of several seeds while they train."""

import io
from pathlib import Path

from npvpg.runs.group import GroupDirectory
from npvpg.runs.report import Report, State
from npvpg.show.board import Board
from npvpg.show.console import Console


def steps(*seeds: int) -> dict[str, int]:
    return {str(seed): 1000 for seed in seeds}


class Terminal:
    """A board on a terminal of so many lines, and what is on it."""

    def __init__(self, height: int) -> None:
        self.console = Console(
            file=io.StringIO(), force_terminal=True, width=90, height=height, color_system=None
        )
        self.board = Board(self.console)

    def lines(self) -> list[str]:
        aside = Console(file=(out := io.StringIO()), width=90)
        aside.print(self.board._table())
        return [line.rstrip() for line in out.getvalue().splitlines()]


def report(seed: int, state: State, steps: int = 0, text: str = "") -> Report:
    return Report(str(seed), state, steps, 12.5, 500 if steps == 1000 else None, 2000.0, text)


def test_every_seed_has_a_line() -> None:
    terminal = Terminal(24)
    with terminal.board.live(steps(0, 1, 2, 3, 10)):
        terminal.board.report(report(0, "finished", 1000))
        terminal.board.report(report(1, "training", 500))
        terminal.board.report(report(2, "compiling", text="compiling (once; kept in the cache)"))
        terminal.board.report(report(3, "failed", 100, "obs[0] must be [finite]"))
        head, *rows = terminal.lines()
    assert head.split() == ["seed", "steps", "return"]
    words = [row.replace("━", " ").replace("╸", " ").split() for row in rows]
    assert words == [
        ["0", "1,000", "12.5", "solved", "at", "500"],
        ["1", "500", "12.5", "2,000", "steps/s"],
        ["2", "compiling"],
        ["3", "100", "12.5", "failed:", "obs[0]", "must", "be", "[finite]"],
        ["10", "waiting"],
    ]


def test_where_they_do_not_fit_those_that_move_are_shown() -> None:
    terminal = Terminal(12)
    with terminal.board.live(steps(*range(30))):
        for seed in range(5):
            terminal.board.report(report(seed, "finished", 1000))
        terminal.board.report(report(5, "training", 10))
        terminal.board.report(report(6, "starting"))
        head, *rows = terminal.lines()
    assert head.split()[3:] == ["5", "ended", "·", "23", "waiting"]
    assert [row.split()[0] for row in rows] == ["5", "6"]


def test_compiling_is_said_once_for_all_and_a_failure_at_once() -> None:
    console = Console(file=(out := io.StringIO()), width=90)
    board = Board(console)
    with board.live(steps(0, 1)):
        for seed in (0, 1):
            board.report(report(seed, "compiling", text="compiling (once; kept in the cache)"))
        board.report(report(1, "failed", text="[b]ad"))
        board.report(report(0, "training", 10))
        assert out.getvalue() == (
            "kernels     compiling (once; kept in the cache)\nseed 1      failed: [b]ad\n"
        )


def test_nothing_but_a_failure_is_printed_of_no_result() -> None:
    console = Console(file=(out := io.StringIO()), width=90)
    Board(console).result({"runs": []}, GroupDirectory(Path("group")))
    assert out.getvalue() == ""
