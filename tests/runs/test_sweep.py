"""A sweep: what it tries, and how it is told that it cannot be tried."""

import math
from pathlib import Path

import numpy as np
import pytest

from npvpg.runs.sweep import Between, read
from npvpg.runs.sweep_directory import SweepDirectory

HEAD = 'env = "CartPole-v1"\nseeds = "0-2"\n'


def write(path: Path, text: str) -> Path:
    file = path / "sweep-file.toml"
    file.write_text(text)
    return file


def test_a_grid_is_every_combination_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = HEAD + "[settings]\nsteps = 1e3\n[vary]\nhidden = [[8], [4, 4]]\ngamma = [0.9, 1]\n"
    sweep = read(write(tmp_path, text))
    assert sweep.drawn() == [
        {"hidden": (8,), "gamma": 0.9},
        {"hidden": (8,), "gamma": 1.0},
        {"hidden": (4, 4), "gamma": 0.9},
        {"hidden": (4, 4), "gamma": 1.0},
    ]
    configs = sweep.configs()
    assert [(c.hidden, c.gamma, c.steps, c.envs) for c in configs[1:3]] == [
        ((8,), 1.0, 1000, 16),  # of the preset
        ((4, 4), 0.9, 1000, 16),
    ]


def test_an_algorithm_is_a_setting_below_the_others(tmp_path: Path) -> None:
    text = HEAD + '[settings]\nclip = 0.3\n[vary]\nalgorithm = ["ppo", "vpg"]\nlam = [0.5]\n'
    configs = read(write(tmp_path, text)).configs()
    assert [(c.update, c.clip, c.lam) for c in configs] == [
        ("ppo", 0.3, 0.5),
        ("gradient", 0.3, 0.5),
    ]


def test_draws_lie_in_their_intervals_and_no_other_setting_changes_them(tmp_path: Path) -> None:
    lr = "policy_lr = {low = 1e-4, high = 1e-1, log = true}\n"
    rest = "n = {low = 2, high = 9}\nhidden = [[8], [16]]\n"
    text = f"{HEAD}trials = 400\nseed = 5\n[vary]\n"
    both = read(write(tmp_path, text + lr + rest)).drawn()
    alone = read(write(tmp_path, text + lr)).drawn()
    assert [row["policy_lr"] for row in both] == [row["policy_lr"] for row in alone]
    rates = np.array([row["policy_lr"] for row in both])
    assert (rates >= 1e-4).all()
    assert (rates <= 1e-1).all()
    assert all(float(f"{rate:.4g}") == rate for rate in rates.tolist())
    # of 400 logarithms, uniform: half below the middle, by at most 5 standard deviations
    assert abs(int((rates < math.sqrt(1e-5)).sum()) - 200) < 50
    assert {type(row["n"]) for row in both} == {int}
    assert {row["n"] for row in both} == set(range(2, 10))
    assert {row["hidden"] for row in both} == {(8,), (16,)}
    other = read(write(tmp_path, text.replace("seed = 5", "seed = 6") + lr)).drawn()
    assert other != alone


def test_a_number_that_is_rounded_stays_inside() -> None:
    rng = np.random.default_rng(0)
    narrow = Between(1.00001, 1.00002)
    assert all(narrow.low <= narrow.draw(rng) <= narrow.high for _ in range(20))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('seeds = "0-2"\n[vary]\ngamma = [1.0]\n', "env must be given"),
        (HEAD, "vary must be given"),
        (HEAD + "[vary]\n", "vary must name at least one setting, got none"),
        (
            HEAD + "trails = 3\n[vary]\ngamma = [1.0]\n",
            r"unknown key 'trails' \(did you mean trial",
        ),
        (HEAD + "[vary]\ngama = [1.0]\n", r"unknown key 'gama' \(did you mean gamma"),
        (HEAD + "[vary]\ngamma = 1.0\n", "gamma must be a list of values or an interval, got 1.0"),
        (HEAD + "[vary]\ngamma = []\n", "gamma must be a list of values or an interval, got"),
        (HEAD + '[vary]\ngamma = ["a"]\n', "gamma must be of type float, got 'a'"),
        (HEAD + "[vary]\ngamma = {low = 0, high = 1}\n", "gamma is an interval: say how many"),
        (HEAD + "[vary]\ngamma = {low = 0}\n", "gamma must have low, high and, if need be, log"),
        (HEAD + "trials=2\n[vary]\ngamma = {low = 1, high = 0}\n", "gamma: low must be below high"),
        (
            HEAD + "trials=2\n[vary]\ngamma = {low = 0, high = 1, log = true}\n",
            "gamma: low must be positive where log is true, got 0",
        ),
        (
            HEAD + "trials=2\n[vary]\nhidden = {low = 1, high = 2}\n",
            "hidden must be a number to lie",
        ),
        (HEAD + "trials = 0\n[vary]\ngamma = [1.0]\n", "trials must be at least 1, got 0"),
        (HEAD + '[vary]\nalgorithm = ["pop"]\n', "algorithm must be one of .* got 'pop'"),
        (HEAD + "[vary]\nseed = [1]\n", "seed must stand outside of settings and vary"),
    ],
)
def test_what_cannot_be_tried(text: str, told: str, tmp_path: Path) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ValueError, match=f"^{file}: {told}"):
        read(file)


def test_a_trial_that_there_cannot_be_is_named_before_any_begins(tmp_path: Path) -> None:
    file = write(tmp_path, HEAD + "[vary]\ngamma = [0.9, 1.5]\n")
    with pytest.raises(ValueError, match=r"^trial 1: gamma must lie in \[0, 1\], got 1.5"):
        SweepDirectory(tmp_path / "out").create(file)
    assert not (tmp_path / "out").exists()
