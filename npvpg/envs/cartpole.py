"""CartPole-v1, compiled."""

from gymnasium.envs.classic_control.cartpole import CartPoleEnv

from npvpg.envs.classic import ClassicVectorEnv
from npvpg.kernels.physics import cartpole


class CartPoleVectorEnv(ClassicVectorEnv):
    """A pole on a cart; state (position, velocity, angle, angular velocity)."""

    env_id = "CartPole-v1"
    original = CartPoleEnv
    kernels = (cartpole.draw, cartpole.move)
    option = ("sutton_barto_reward", False)
    state_size = 4
    low = (-0.05,) * 4
    high = (0.05,) * 4
