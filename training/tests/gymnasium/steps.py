"""Plays Gymnasium's classic control and prints every step, for tests/classic.rs to repeat.

Lines: `start NAME state...` for the reset seeds 10000 to 10099, and
`step NAME state... | action | observation... reward terminated truncated | next state...`; a list is separated by
commas, and the state is the one before the step.
"""

import gymnasium
import numpy

TASKS = {"CartPole-v1": 3, "Pendulum-v1": 3, "MountainCarContinuous-v0": 2}


def text(values):
    return ",".join(repr(float(value)) for value in values)


def actions(name, task, generator, episode):
    """An action every step, uniform; in the last episode the full force, against the angle or with the speed."""
    while True:
        if name == "CartPole-v1":
            # What leans is caught, so that one episode lasts to the time limit.
            lean = task.state[2] + 0.5 * task.state[3] + 0.02 * task.state[0] + 0.1 * task.state[1]
            yield int(generator.integers(2)) if episode == 0 else int(lean > 0)
        elif episode == 1:
            yield numpy.array([1.0 if task.state[1] >= 0 else -1.0])
        else:
            yield generator.uniform(-1.0, 1.0, size=1)


for name, episodes in TASKS.items():
    env = gymnasium.make(name, disable_env_checker=True)
    task = env.unwrapped
    for seed in range(10_000, 10_100):
        env.reset(seed=seed)
        print("start", name, text(task.state))
    generator = numpy.random.default_rng(7)
    for episode in range(episodes):
        env.reset(seed=episode)
        for action in actions(name, task, generator, episode):
            before = text(task.state)
            scaled = 2.0 * action if name == "Pendulum-v1" else action
            observation, reward, terminated, truncated, _ = env.step(scaled)
            shown = repr(action) if name == "CartPole-v1" else repr(float(action[0]))
            ends = f"{int(terminated)},{int(truncated)}"
            print("step", name, before, shown, f"{text(observation)},{float(reward)!r},{ends}", text(task.state))
            if terminated or truncated:
                break
