"""The reference workload: what `seawall bench train` measures, for trainers in Python.

16 environments in lockstep, 48 observations, 8 actions in [-1, 1], episodes of 1,000 steps that are truncated; a step
reads the next row of a table. Networks of 64 and 64 units for actor and critic each, rollouts of 256 steps, 10 epochs,
minibatches of 256, Adam.
"""

import json
import time

import numpy as np

ENVIRONMENTS = 16
HORIZON = 256
MINIBATCH = 256
EPOCHS = 10
OBSERVATION = 48
ACTION = 8
ROWS = 1024
EPISODE = 1000
UNITS = (64, 64)
LEARNING_RATE = 3e-4
CLIP = 0.2
DISCOUNT = 0.99
TRACE_DECAY = 0.95
GRADIENT_NORM_MAX = 0.5
VALUE_WEIGHT = 0.5
INITIAL_LOG_STD = -0.7

STEPS_PER_ITERATION = ENVIRONMENTS * HORIZON


def table():
    """Rows that observations are read from, [ROWS, OBSERVATION]."""
    return np.random.default_rng(0).uniform(-1, 1, (ROWS, OBSERVATION)).astype(np.float32)


class Lockstep:
    """All environments, same-step autoreset: a row of observations after an end belongs to the next episode."""

    def __init__(self):
        self.table = table()
        self.rng = np.random.default_rng(1)
        self.start = self.rng.integers(ROWS, size=ENVIRONMENTS)
        self.step_count = np.zeros(ENVIRONMENTS, dtype=np.int64)

    def observe(self):
        return self.table[(self.start + self.step_count) % ROWS]

    def step(self, actions):
        """Observations, rewards, which episodes were truncated, and their last observations."""
        self.step_count += 1
        rewards = actions[:, 0].astype(np.float32)
        truncated = self.step_count == EPISODE
        final = self.observe()
        if truncated.any():
            self.start[truncated] = self.rng.integers(ROWS, size=int(truncated.sum()))
            self.step_count[truncated] = 0
        return self.observe(), rewards, truncated, final


def measure(name, iterate, seconds, per_iteration=STEPS_PER_ITERATION, unit="steps", warm=1):
    """Runs whole iterations for so many seconds of processor time and prints one line of JSON.

    `warm` iterations come first: compilation, caches and allocators are not what is compared.
    """
    for _ in range(warm):
        iterate()
    done, cpu, wall = 0, time.process_time(), time.perf_counter()
    while time.process_time() - cpu < seconds:
        iterate()
        done += per_iteration
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(json.dumps({"name": name, "unit": unit, "per_cpu_s": done / cpu, "per_s": done / wall}))
