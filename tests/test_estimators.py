"""One batch of two short trajectories, every weight worked by hand."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from npvpg.estimators import (
    GAE,
    ActionValue,
    BaselinedReturn,
    Estimator,
    LeaveOneOut,
    NStep,
    RewardToGo,
    TDResidual,
    TotalReturn,
    standardize,
)

# The first trajectory was cut in a state of value 8, the second terminated.
REW = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
VAL = np.array([2.0, 4.0, 6.0, 8.0, 10.0])
LAST_VAL = np.array([8.0, 0.0])
START = np.array([0, 3, 5])
BATCH = (REW, VAL, LAST_VAL, START)

WORKED: list[tuple[Estimator, list[float], bool]] = [
    (TotalReturn(0.5), [3, 3, 3, 16, 16], False),
    (LeaveOneOut(0.5), [-13, -13, -13, 13, 13], False),
    (RewardToGo(0.5), [4, 6, 8, 16, 16], False),
    (BaselinedReturn(0.5), [2, 2, 2, 8, 6], True),
    (TDResidual(0.5), [1, 1, 2, 5, 6], True),
    (NStep(0.5, 2), [1.5, 2, 2, 8, 6], True),
    (GAE(0.5, 0.5), [1.375, 1.5, 2, 6.5, 6], True),
    (ActionValue(TDResidual(0.5)), [3, 5, 8, 13, 16], True),
    (ActionValue(GAE(0.5, 0.5)), [3.375, 5.5, 8, 14.5, 16], True),
]
ESTIMATORS = [estimator for estimator, _, _ in WORKED]


@pytest.mark.parametrize(("estimator", "want", "uses_value"), WORKED)
def test_worked_by_hand(estimator: Estimator, want: list[float], uses_value: bool) -> None:
    psi = estimator(*BATCH)
    assert psi.tolist() == want
    assert psi.dtype == np.float64
    assert estimator.uses_value is uses_value
    assert estimator.gamma == 0.5


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_what_claims_to_use_no_value_uses_none(estimator: Estimator) -> None:
    same = np.array_equal(estimator(REW, VAL + 1, LAST_VAL, START), estimator(*BATCH))
    assert same is not estimator.uses_value


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("integer", [np.int32, np.uint64])
def test_single_precision_and_other_integers_are_converted(
    estimator: Estimator, integer: type[Any]
) -> None:
    rew, val, last_val = (x.astype(np.float32) for x in (REW, VAL, LAST_VAL))
    psi = estimator(rew, val, last_val, START.astype(integer))
    assert psi.tolist() == estimator(*BATCH).tolist()
    assert psi.dtype == np.float64


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_strided_and_read_only_arrays_are_welcome(estimator: Estimator) -> None:
    strided = [np.repeat(x, 2)[::2] for x in BATCH]
    for x in strided:
        x.flags.writeable = False
    assert np.array_equal(estimator(*strided), estimator(*BATCH))


def test_three_trajectories_leave_one_out() -> None:
    rew, start = np.array([1.0, 2.0, 6.0]), np.array([0, 1, 2, 3])
    psi = LeaveOneOut(1.0)(rew, np.zeros(3), np.zeros(3), start)
    assert psi.tolist() == [1 - 4, 2 - 3.5, 6 - 1.5]


@pytest.mark.parametrize("k", [0, 1])
def test_one_trajectory_has_no_other(k: int) -> None:
    message = rf"^trajectories must number at least 2, got {k}$"
    with pytest.raises(ValueError, match=message):
        LeaveOneOut(0.5)(np.ones(k), np.ones(k), np.ones(k), np.arange(k + 1))


@pytest.mark.parametrize("estimator", [e for e in ESTIMATORS if not e.compares_trajectories])
def test_no_trajectories_have_no_weights(estimator: Estimator) -> None:
    nothing = np.zeros(0)
    assert estimator(nothing, nothing, nothing, np.array([0])).shape == (0,)


@pytest.mark.parametrize(
    "kind", [TotalReturn, LeaveOneOut, RewardToGo, BaselinedReturn, TDResidual]
)
@pytest.mark.parametrize("gamma", [-0.1, 1.2, float("nan")])
def test_gamma_lies_in_the_unit_interval(kind: type[Any], gamma: float) -> None:
    with pytest.raises(ValueError, match=rf"^gamma must lie in \[0, 1\], got {gamma}$"):
        kind(gamma)


def test_other_parameters_are_checked() -> None:
    with pytest.raises(ValueError, match=r"^gamma must lie in \[0, 1\], got 2$"):
        NStep(2, 1)
    with pytest.raises(ValueError, match=r"^n must be at least 1, got 0$"):
        NStep(0.5, 0)
    with pytest.raises(ValueError, match=r"^gamma must lie in \[0, 1\], got 2$"):
        GAE(2, 0.5)
    with pytest.raises(ValueError, match=r"^lam must lie in \[0, 1\], got -1$"):
        GAE(0.5, -1)
    assert (NStep(0.0, 1).n, NStep(1.0, 1).gamma, GAE(1.0, 0.0).lam) == (1, 1.0, 0.0)


@pytest.mark.parametrize("inner", [RewardToGo(0.5), ActionValue(TDResidual(0.5))])
def test_a_value_is_added_back_only_where_one_was_subtracted(inner: Estimator) -> None:
    with pytest.raises(ValueError, match=r"^advantage must be one with V subtracted, got .*gamma"):
        ActionValue(inner)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_arrays_that_do_not_fit_are_refused(estimator: Estimator) -> None:
    wrong: list[tuple[tuple[NDArray[Any], ...], str]] = [
        ((REW[:, np.newaxis], VAL, LAST_VAL, START), r"rew must have shape \(any,\), got \(5, 1\)"),
        ((REW, VAL[:1], LAST_VAL, START), r"val must have shape \(5,\), got \(1,\)"),
        ((REW, VAL, LAST_VAL[:1], START), r"last_val must have shape \(2,\), got \(1,\)"),
        ((REW, VAL, LAST_VAL, START[:2]), r"start must rise strictly from 0 to 5, got \[0 3\]"),
        ((np.where(REW == 4, np.nan, REW), *BATCH[1:]), r"rew must be finite, got nan at index 2"),
    ]
    for arrays, message in wrong:
        with pytest.raises(ValueError, match=f"^{message}$"):
            estimator(*arrays)


def test_formulas_differ() -> None:
    formulas = {type(estimator).formula for estimator in ESTIMATORS}
    assert len(formulas) == len({type(estimator) for estimator in ESTIMATORS})
    assert all(formula.startswith("Φₜ = ") for formula in formulas)


def test_standardized_weights() -> None:
    psi = standardize(np.array([1.0, 3.0, 5.0, 7.0]))  # mean 4, standard deviation sqrt(5)
    np.testing.assert_allclose(psi, np.array([-3, -1, 1, 3]) / (np.sqrt(5) + 1e-8), rtol=1e-15)
    assert psi.dtype == np.float64
    assert standardize(np.array([1.0, 3.0], np.float32)).dtype == np.float64
    assert standardize(np.full(3, 7.0)).tolist() == [0, 0, 0]
    assert standardize(np.array([7.0])).tolist() == [0]
    empty = standardize(np.zeros(0))
    assert empty.shape == (0,)
    assert empty.dtype == np.float64


def test_a_tiny_spread_is_not_blown_up() -> None:
    # The standard deviation is 1e-8: the small number that guards the division doubles it.
    assert standardize(np.array([0.0, 2e-8])) == pytest.approx([-0.5, 0.5])


def test_standardize_takes_a_vector() -> None:
    with pytest.raises(ValueError, match=r"^psi must have shape \(any,\), got \(2, 1\)$"):
        standardize(np.zeros((2, 1)))
