"""Stable-Baselines3's PPO on the reference workload."""

import sys

import numpy as np
import stable_baselines3
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv

import workload as w


class Adapter(VecEnv):
    """The workload as Stable-Baselines3 wants it."""

    def __init__(self):
        observation = spaces.Box(-1, 1, (w.OBSERVATION,), np.float32)
        action = spaces.Box(-1, 1, (w.ACTION,), np.float32)
        self.envs = w.Lockstep()
        self.nothing = [{} for _ in range(w.ENVIRONMENTS)]
        super().__init__(w.ENVIRONMENTS, observation, action)

    def reset(self):
        return self.envs.observe()

    def step_async(self, actions):
        self.actions = actions

    def step_wait(self):
        observations, rewards, truncated, final = self.envs.step(self.actions)
        infos = self.nothing
        if truncated.any():
            infos = [
                {"terminal_observation": final[b], "TimeLimit.truncated": True} if over else {}
                for b, over in enumerate(truncated)
            ]
        return observations, rewards, truncated, infos

    def close(self):
        pass

    def get_attr(self, attr_name, indices=None):
        return [None] * w.ENVIRONMENTS

    def set_attr(self, attr_name, value, indices=None):
        pass

    def env_method(self, method_name, *args, indices=None, **kwargs):
        return [None] * w.ENVIRONMENTS

    def env_is_wrapped(self, wrapper_class, indices=None):
        return [False] * w.ENVIRONMENTS


def main(seconds, threads):
    torch.set_num_threads(threads)
    model = PPO(
        "MlpPolicy",
        Adapter(),
        learning_rate=w.LEARNING_RATE,
        n_steps=w.HORIZON,
        batch_size=w.MINIBATCH,
        n_epochs=w.EPOCHS,
        gamma=w.DISCOUNT,
        gae_lambda=w.TRACE_DECAY,
        clip_range=w.CLIP,
        max_grad_norm=w.GRADIENT_NORM_MAX,
        vf_coef=w.VALUE_WEIGHT,
        policy_kwargs={"net_arch": list(w.UNITS), "log_std_init": w.INITIAL_LOG_STD},
        device="cpu",
        seed=0,
    )
    iterate = lambda: model.learn(w.STEPS_PER_ITERATION, reset_num_timesteps=False)
    w.measure(f"Stable-Baselines3 {stable_baselines3.__version__} PPO", iterate, seconds)


main(float(sys.argv[1]), int(sys.argv[2]))
