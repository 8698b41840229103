import numpy as np
import pytest

from npvpg.optimizers import (
    SGD,
    Adam,
    Ascent,
    Linear,
    Optimizer,
    clip_by_global_norm,
    global_norm,
)

OPTIMIZERS: list[Optimizer] = [SGD(), Adam()]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_step_climbs_and_leaves_its_arguments_alone(optimizer: Optimizer) -> None:
    theta, grad = np.array([1.0, -2.0]), np.array([3.0, -4.0])
    state = optimizer.init(theta)
    for x in (theta, grad, state.first, state.second):
        x.flags.writeable = False
    new, after = optimizer.step(theta, grad, state, 0.1)
    assert ((new - theta) * grad > 0).all()
    assert (state.n_made, after.n_made) == (0, 1)
    down, _ = optimizer.step(theta, grad, state, -0.1)
    np.testing.assert_allclose(down - theta, theta - new)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_float32_stays_float32(optimizer: Optimizer) -> None:
    theta = np.zeros(3, np.float32)
    state = optimizer.init(theta)
    for _ in range(2):
        theta, state = optimizer.step(theta, np.ones(3, np.float32), state, 0.1)
    assert {theta.dtype, state.first.dtype, state.second.dtype} == {np.dtype(np.float32)}


def test_moments_start_at_zero() -> None:
    state = Adam().init(np.ones(3, np.float32))
    for moment in state[:2]:
        assert moment.tolist() == [0, 0, 0]
        assert moment.dtype == np.float32


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_no_parameters_are_allowed(optimizer: Optimizer) -> None:
    theta, state = optimizer.step(np.zeros(0), np.zeros(0), optimizer.init(np.zeros(0)), 0.1)
    assert theta.shape == (0,)
    assert state.n_made == 1


def test_plain_ascent_remembers_nothing() -> None:
    state = SGD().init(np.ones(3, np.float32))
    assert state.first.shape == state.second.shape == (0,)
    assert state.first.dtype == state.second.dtype == np.float32


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("shape", [(1,), (3, 1), ()])
def test_a_gradient_that_would_broadcast_is_refused(
    optimizer: Optimizer, shape: tuple[int, ...]
) -> None:
    theta = np.zeros(3)
    with pytest.raises(ValueError, match=r"^grad must have shape \(3,\), got \("):
        optimizer.step(theta, np.zeros(shape), optimizer.init(theta), 0.1)


def test_a_zero_gradient_moves_nothing() -> None:
    theta = np.ones(2)
    assert np.array_equal(Adam().step(theta, np.zeros(2), Adam().init(theta), 0.1)[0], theta)


@pytest.mark.parametrize("name", ["beta1", "beta2"])
@pytest.mark.parametrize("value", [-0.1, 1.0, float("nan")])
def test_betas_lie_below_1(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"^{name} must lie in \[0, 1\), got {value}$"):
        Adam(**{name: value})


def test_without_momentum_the_step_has_the_sign_of_the_gradient() -> None:
    adam, theta = Adam(0.0, 0.0, 1e-300), np.zeros(2)
    state = adam.init(theta)
    for grad in (np.array([7.0, -1e-3]), np.array([-1e9, 2.0])):
        theta, state = adam.step(np.zeros(2), grad, state, 0.5)
        assert theta.tolist() == (0.5 * np.sign(grad)).tolist()


@pytest.mark.parametrize("eps", [0.0, -1e-8, float("inf")])
def test_eps_is_positive(eps: float) -> None:
    with pytest.raises(ValueError, match=f"^eps must be positive and finite, got {eps}$"):
        Adam(eps=eps)


def test_clipping_keeps_the_direction_and_what_is_short() -> None:
    grad = np.array([3.0, -4.0])
    assert global_norm(grad) == 5
    assert clip_by_global_norm(grad, 5.0) is grad
    np.testing.assert_allclose(clip_by_global_norm(grad, 2.5), grad / 2)
    assert np.array_equal(grad, [3, -4])


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_a_norm_whose_squares_leave_the_range(size: float) -> None:
    grad = np.array([3.0, 4.0]) * size
    np.testing.assert_allclose(global_norm(grad) / size, 5, rtol=1e-15)
    np.testing.assert_allclose(clip_by_global_norm(grad, size) / size, [0.6, 0.8], rtol=1e-15)


def test_the_norm_of_nothing() -> None:
    assert global_norm(np.zeros(3)) == global_norm(np.zeros(0)) == 0
    assert clip_by_global_norm(np.full(2, 2, np.float32), 1.0).dtype == np.float32


@pytest.mark.parametrize("bound", [0.0, -1.0, float("nan")])
def test_the_bound_is_positive(bound: float) -> None:
    message = f"^max_grad_norm must be positive and finite, got {bound}$"
    with pytest.raises(ValueError, match=message):
        clip_by_global_norm(np.ones(2), bound)


@pytest.mark.parametrize("bound", [-1.0, float("inf"), float("nan")])
def test_the_bound_of_a_chain_is_a_length_or_0(bound: float) -> None:
    message = f"^max_grad_norm must be at least 0 and finite, got {bound}$"
    with pytest.raises(ValueError, match=message):
        Ascent(Linear(1.0, 1.0), max_grad_norm=bound)


def test_a_schedule_is_constant_beyond_its_ends() -> None:
    schedule = Linear(0.4, 0.2)
    assert [schedule(f) for f in (-1, 0, 1, 7)] == [0.4, 0.4, 0.2, 0.2]
    assert schedule(0.5) == pytest.approx(0.3)


@pytest.mark.parametrize("name", ["start", "stop"])
@pytest.mark.parametrize("value", [-1e-3, float("inf"), float("nan")])
def test_a_schedule_is_nowhere_negative(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be at least 0 and finite, got {value}$"):
        Linear(**{"start": 1.0, "stop": 1.0, name: value})
