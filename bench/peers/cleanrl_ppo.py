"""PPO in one torch file, in the manner of CleanRL's `ppo_continuous_action.py`, on the reference workload.

Written anew for a native vector environment: the original's seven wrappers per environment would be what is measured.
"""

import sys

import numpy as np
import torch
from torch import nn
from torch.distributions import Normal

import workload as w


def layer(inputs, outputs, gain=2**0.5):
    made = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(made.weight, gain)
    nn.init.zeros_(made.bias)
    return made


def network(outputs, gain):
    widths = [w.OBSERVATION, *w.UNITS]
    hidden = [part for pair in zip(widths, widths[1:]) for part in (layer(*pair), nn.Tanh())]
    return nn.Sequential(*hidden, layer(widths[-1], outputs, gain))


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.critic = network(1, 1.0)
        self.actor = network(w.ACTION, 0.01)
        self.log_std = nn.Parameter(torch.full((1, w.ACTION), w.INITIAL_LOG_STD))

    def act(self, observation, action=None):
        mean = self.actor(observation)
        policy = Normal(mean, self.log_std.expand_as(mean).exp())
        action = policy.sample() if action is None else action
        return action, policy.log_prob(action).sum(1), policy.entropy().sum(1), self.critic(observation).squeeze(1)


class Trainer:
    def __init__(self):
        torch.manual_seed(0)
        self.envs, self.agent = w.Lockstep(), Agent()
        self.adam = torch.optim.Adam(self.agent.parameters(), lr=w.LEARNING_RATE, eps=1e-5)
        self.next = torch.as_tensor(self.envs.observe())
        shape = (w.HORIZON, w.ENVIRONMENTS)
        self.observation = torch.zeros(*shape, w.OBSERVATION)
        self.action = torch.zeros(*shape, w.ACTION)
        self.log_density, self.reward, self.value = (torch.zeros(shape) for _ in range(3))
        self.over, self.final_value = torch.zeros(shape), torch.zeros(shape)

    @torch.no_grad()
    def collect(self):
        for t in range(w.HORIZON):
            action, log_density, _, value = self.agent.act(self.next)
            self.observation[t], self.action[t], self.log_density[t], self.value[t] = self.next, action, log_density, value
            observed, reward, truncated, final = self.envs.step(np.clip(action.numpy(), -1, 1))
            self.reward[t], self.over[t] = torch.as_tensor(reward), torch.as_tensor(truncated, dtype=torch.float32)
            if truncated.any():
                self.final_value[t] = self.agent.critic(torch.as_tensor(final)).squeeze(1)
            self.next = torch.as_tensor(observed)

    @torch.no_grad()
    def estimate(self):
        advantage, carry = torch.zeros_like(self.reward), 0.0
        following = self.agent.critic(self.next).squeeze(1)
        for t in reversed(range(w.HORIZON)):
            running = 1.0 - self.over[t]
            bootstrap = running * following + self.over[t] * self.final_value[t]
            error = self.reward[t] + w.DISCOUNT * bootstrap - self.value[t]
            carry = error + w.DISCOUNT * w.TRACE_DECAY * running * carry
            advantage[t], following = carry, self.value[t]
        return advantage, advantage + self.value

    def iterate(self):
        self.collect()
        advantage, returns = (part.flatten() for part in self.estimate())
        observation, action = self.observation.flatten(0, 1), self.action.flatten(0, 1)
        old = self.log_density.flatten()
        for _ in range(w.EPOCHS):
            for pick in torch.randperm(w.STEPS_PER_ITERATION).split(w.MINIBATCH):
                _, log_density, _, value = self.agent.act(observation[pick], action[pick])
                ratio = (log_density - old[pick]).exp()
                scaled = advantage[pick]
                scaled = (scaled - scaled.mean()) / (scaled.std() + 1e-8)
                policy = torch.max(-scaled * ratio, -scaled * ratio.clamp(1 - w.CLIP, 1 + w.CLIP)).mean()
                loss = policy + w.VALUE_WEIGHT * (value - returns[pick]).square().mean()
                self.adam.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self.agent.parameters(), w.GRADIENT_NORM_MAX)
                self.adam.step()


def main(seconds, threads):
    torch.set_num_threads(threads)
    w.measure(f"torch {torch.__version__} PPO, CleanRL's way", Trainer().iterate, seconds)


main(float(sys.argv[1]), int(sys.argv[2]))
