"""PPO with environment, rollout and learning in one compiled program, in the manner of PureJaxRL."""

import os
import sys

if int(sys.argv[2]) == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp
import optax

import workload as w

TABLE = jnp.asarray(w.table())
LOG_TAU = jnp.log(2 * jnp.pi)


def network(key, outputs, gain):
    widths = [w.OBSERVATION, *w.UNITS, outputs]
    gains = [2**0.5] * len(w.UNITS) + [gain]
    keys = jax.random.split(key, len(gains))
    weights = [jax.nn.initializers.orthogonal(g)(k, pair) for k, g, pair in zip(keys, gains, zip(widths, widths[1:]))]
    return [(weight, jnp.zeros(weight.shape[1])) for weight in weights]


def forward(layers, x):
    for weight, bias in layers[:-1]:
        x = jnp.tanh(x @ weight + bias)
    weight, bias = layers[-1]
    return x @ weight + bias


def log_density(parameters, mean, action):
    z = (action - mean) * jnp.exp(-parameters["log_std"])
    return (-0.5 * z * z - parameters["log_std"] - 0.5 * LOG_TAU).sum(-1)


def observe(start, step):
    return TABLE[(start + step) % w.ROWS]


OPTIMISER = optax.chain(optax.clip_by_global_norm(w.GRADIENT_NORM_MAX), optax.adam(w.LEARNING_RATE, eps=1e-5))


def collect(carry, _):
    parameters, start, step, key = carry
    key, noise, restart = jax.random.split(key, 3)
    observation = observe(start, step)
    mean = forward(parameters["actor"], observation)
    action = mean + jnp.exp(parameters["log_std"]) * jax.random.normal(noise, mean.shape)
    value = forward(parameters["critic"], observation)[:, 0]
    step = step + 1
    over = step == w.EPISODE
    final_value = forward(parameters["critic"], observe(start, step))[:, 0]
    start = jnp.where(over, jax.random.randint(restart, start.shape, 0, w.ROWS), start)
    step = jnp.where(over, 0, step)
    reward = jnp.clip(action[:, 0], -1, 1)
    sample = (observation, action, log_density(parameters, mean, action), value, reward, over, final_value)
    return (parameters, start, step, key), sample


def estimate(carry, sample):
    following, advantage = carry
    _, _, _, value, reward, over, final_value = sample
    error = reward + w.DISCOUNT * jnp.where(over, final_value, following) - value
    advantage = error + w.DISCOUNT * w.TRACE_DECAY * jnp.where(over, 0.0, advantage)
    return (value, advantage), (advantage, advantage + value)


def loss(parameters, batch):
    observation, action, old, advantage, returns = batch
    ratio = jnp.exp(log_density(parameters, forward(parameters["actor"], observation), action) - old)
    advantage = (advantage - advantage.mean()) / (advantage.std(ddof=1) + 1e-8)
    policy = -jnp.minimum(ratio * advantage, jnp.clip(ratio, 1 - w.CLIP, 1 + w.CLIP) * advantage).mean()
    value = forward(parameters["critic"], observation)[:, 0]
    return policy + w.VALUE_WEIGHT * jnp.square(value - returns).mean()


def descend(carry, batch):
    parameters, state = carry
    updates, state = OPTIMISER.update(jax.grad(loss)(parameters, batch), state)
    return (optax.apply_updates(parameters, updates), state), None


@jax.jit
def iterate(parameters, state, start, step, key):
    (parameters, start, step, key), samples = jax.lax.scan(collect, (parameters, start, step, key), None, w.HORIZON)
    last = forward(parameters["critic"], observe(start, step))[:, 0]
    _, (advantage, returns) = jax.lax.scan(estimate, (last, jnp.zeros_like(last)), samples, reverse=True)
    flat = [part.reshape(-1, *part.shape[2:]) for part in (*samples[:3], advantage, returns)]

    def epoch(carry, key):
        order = jax.random.permutation(key, w.STEPS_PER_ITERATION)
        batches = [part[order].reshape(-1, w.MINIBATCH, *part.shape[1:]) for part in flat]
        return jax.lax.scan(descend, carry, batches)

    key, shuffle = jax.random.split(key)
    (parameters, state), _ = jax.lax.scan(epoch, (parameters, state), jax.random.split(shuffle, w.EPOCHS))
    return parameters, state, start, step, key


def main(seconds):
    actor, critic, key = jax.random.split(jax.random.PRNGKey(0), 3)
    parameters = {
        "actor": network(actor, w.ACTION, 0.01),
        "critic": network(critic, 1, 1.0),
        "log_std": jnp.full(w.ACTION, w.INITIAL_LOG_STD),
    }
    start, step = jnp.arange(w.ENVIRONMENTS) * 61 % w.ROWS, jnp.zeros(w.ENVIRONMENTS, jnp.int32)
    held = [(parameters, OPTIMISER.init(parameters), start, step, key)]

    def once():
        held[0] = jax.block_until_ready(iterate(*held[0]))

    w.measure(f"JAX {jax.__version__} PPO, PureJaxRL's way", once, seconds, warm=2)


main(float(sys.argv[1]))
