"""Gradient steps of Stable-Baselines3's SAC at its defaults, one for each step of the pendulum."""

import sys

import stable_baselines3
import torch
from stable_baselines3 import SAC

import workload as w

STEPS = 50


def main(seconds, threads):
    torch.set_num_threads(threads)
    model = SAC("MlpPolicy", "Pendulum-v1", buffer_size=100_000, device="cpu", seed=0)
    # The first hundred steps are random and learn nothing.
    model.learn(150)
    iterate = lambda: model.learn(STEPS, reset_num_timesteps=False)
    w.measure(f"Stable-Baselines3 {stable_baselines3.__version__} SAC", iterate, seconds, STEPS, "updates")


main(float(sys.argv[1]), int(sys.argv[2]))
