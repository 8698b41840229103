"""What other libraries call the flags: each of their names leads to ours."""

from collections.abc import Container

_NAMES: dict[str, str] = {
    "activation_fn": "activation",
    "algo": "algorithm",
    "anneal_lr": "lr_decay",
    "batch_size": "value_minibatch",
    "capture_video": "video_every",
    "deterministic": "greedy",
    "discount": "gamma",
    "ent_coef": "entropy_weight",
    "entropy_coef": "entropy_weight",
    "env_id": "env",
    "env_kwargs": "env_arg",
    "env_name": "env",
    "eval_episodes": "evaluation_episodes",
    "eval_freq": "eval_every",
    "exp_name": "out",
    "gae_lambda": "lam",
    "hid": "hidden",
    "hidden_sizes": "hidden",
    "hidden_size": "hidden",
    "lambda": "lam",
    "html": "out",
    "learning_rate": "policy_lr value_lr",
    "log_dir": "out",
    "log_std_init": "init_log_sigma",
    "lr": "policy_lr value_lr",
    "lr_schedule": "lr_decay",
    "max_steps": "steps",
    "minibatch_size": "value_minibatch",
    "n_envs": "envs",
    "n_epochs": "value_steps",
    "n_eval_episodes": "evaluation_episodes",
    "n_steps": "horizon",
    "n_timesteps": "steps",
    "net_arch": "hidden",
    "norm_adv": "standardize",
    "norm_obs": "normalize_obs",
    "norm_reward": "normalize_rewards",
    "normalize_advantage": "standardize",
    "num_envs": "envs",
    "num_steps": "horizon",
    "output": "out",
    "pi_lr": "policy_lr",
    "rollout_length": "horizon",
    "save_freq": "checkpoint_every",
    "squash_output": "action_bound",
    "steps_per_epoch": "horizon",
    "total_steps": "steps",
    "total_timesteps": "steps",
    "train_v_iters": "value_steps",
    "update_epochs": "value_steps",
    "value_coef": "value_lr",
    "vf_coef": "value_lr",
    "vf_lr": "value_lr",
    "video_freq": "video_every",
}


def ours(name: str, known: Container[str]) -> str:
    """
    Say what a flag of another library is called here.

    Parameters
    ----------
    name : str
        Its name, without dashes in front.
    known : container of str
        Fields of the command.

    Returns
    -------
    str
        " (here it is --horizon)" and the like; empty if nobody is known to call one so.
    """
    found = [each for each in _NAMES.get(name, "").split() if each in known]
    flags = [f"--{each.replace('_', '-')}" for each in found]
    return f" (here it is {' and '.join(flags)})" if flags else ""
