"""Reference values for the statistics, made by the packages that define them.

    pip install numpy scipy statsmodels rliable arch 'pandas<3'
    python eval/tests/reference.py > eval/tests/reference.json

The inputs are drawn here once and written beside the results, bootstrap indices included, so that the
comparison is of formulas and not of random number generators.
"""

import json
import sys
from importlib.metadata import version
from types import SimpleNamespace

try:
    import numpy as np
    from arch.bootstrap import IIDBootstrap
    from rliable import library, metrics
    from scipy import optimize, stats
    from statsmodels.stats.multitest import multipletests
except Exception as error:  # A package that is there and does not load is as good as missing.
    print(f"needs numpy, scipy, statsmodels, rliable and arch: {error!r}", file=sys.stderr)
    sys.exit(77)

RNG = np.random.default_rng(2021)
CONFIDENCE = 0.95


class FixedStratified(library.StratifiedBootstrap):
    """rliable's stratified bootstrap, with runs that were drawn elsewhere."""

    def __init__(self, scores, indices):
        super().__init__(scores)
        self._rows = iter(indices)

    def update_indices(self):
        return (next(self._rows), *self._strata_indices)


class FixedIndependent(IIDBootstrap):
    """arch's bootstrap, with observations that were drawn elsewhere."""

    def __init__(self, values, indices):
        super().__init__(values)
        self._rows = indices
        self._next = 0

    def update_indices(self):
        self._next += 1
        return self._rows[(self._next - 1) % len(self._rows)]


def expected_shortfall(values, share):
    """The upper tail by Rockafellar and Uryasev's minimisation; the minimum is at one of the values."""
    losses = [t + np.maximum(values - t, 0.0).mean() / share for t in values]
    return min(losses)


def location():
    values = RNG.standard_t(3, size=41) * 10.0
    prefixes = list(range(1, 14)) + [41]
    shares = [0.01, 0.05, 0.1, 0.33, 1.0]
    levels = [0.0, 0.025, 0.25, 0.5, 0.9, 0.975, 1.0]
    return {
        "values": values.tolist(),
        "prefixes": prefixes,
        "mean": [np.mean(values[:n]) for n in prefixes],
        "iqm": [stats.trim_mean(values[:n], 0.25) for n in prefixes],
        "levels": levels,
        "quantile": np.quantile(values, levels).tolist(),
        "shares": shares,
        "tail_high": [expected_shortfall(values, share) for share in shares],
        "tail_low": [-expected_shortfall(-values, share) for share in shares],
    }


def scores():
    # Rounded, so that ties occur; runs × tasks.
    x = np.round(RNG.normal(0.6, 0.3, size=(8, 3)), 1)
    y = np.round(RNG.normal(0.5, 0.3, size=(6, 3)), 1)
    indices = RNG.integers(0, 8, size=(100, 8, 3))
    interval = FixedStratified(x, indices).conf_int(
        lambda s: np.array([metrics.aggregate_iqm(s)]), reps=len(indices), size=CONFIDENCE, method="percentile"
    )
    thresholds = [0.0, 0.3, 0.5, 0.6, 1.2]
    return {
        "x": x.tolist(),
        "y": y.tolist(),
        "indices": indices.tolist(),
        "iqm": metrics.aggregate_iqm(x),
        "iqm_interval": interval[:, 0].tolist(),
        "optimality_gap": metrics.aggregate_optimality_gap(x, 0.7),
        "thresholds": thresholds,
        "profile": [library.run_score_deviation(x, tau) for tau in thresholds],
        "improvement": metrics.probability_of_improvement(x, y),
        "correlation": stats.pearsonr(x[:, 0], x[:, 1]).statistic,
    }


def bias_corrected():
    sizes = [12, 9, 15]
    strata = [RNG.lognormal(0.0, 1.2, size=size) for size in sizes]
    indices = [[RNG.integers(0, size, size=size) for size in sizes] for _ in range(150)]

    def pooled(*samples, axis=-1):
        return sum(np.sum(sample, axis=axis) for sample in samples) / sum(sample.shape[axis] for sample in samples)

    distribution = np.array([pooled(*(x[i] for x, i in zip(strata, rows))) for rows in indices])
    given = SimpleNamespace(bootstrap_distribution=distribution)
    options = dict(n_resamples=0, bootstrap_result=given, confidence_level=CONFIDENCE, vectorized=True)
    intervals = {
        name: stats.bootstrap(tuple(strata), pooled, method=name, **options).confidence_interval
        for name in ("BCa", "percentile")
    }
    return {
        "strata": [stratum.tolist() for stratum in strata],
        "indices": [[row.tolist() for row in rows] for rows in indices],
        "bca": list(intervals["BCa"]),
        "percentile": list(intervals["percentile"]),
    }


def independent():
    values = np.round(RNG.lognormal(0.0, 1.0, size=30), 4)
    indices = RNG.integers(0, 30, size=(100, 30))

    def tail(sample):
        return expected_shortfall(np.asarray(sample), 0.1)

    def interval(statistic, method):
        found = FixedIndependent(values, list(indices)).conf_int(
            statistic, reps=len(indices), method=method, size=CONFIDENCE
        )
        return found[:, 0].tolist()

    return {
        "values": values.tolist(),
        "indices": indices.tolist(),
        "percentile": interval(np.mean, "percentile"),
        "bca": interval(np.mean, "bca"),
        "tail_share": 0.1,
        "tail_percentile": interval(tail, "percentile"),
    }


def pareto():
    values = np.concatenate([RNG.normal(0.0, 1.0, size=540), 2.0 + stats.genpareto.rvs(0.3, size=60, random_state=RNG)])
    values = np.round(values, 4)
    share = 0.1
    threshold = np.sort(values)[::-1][int(share * len(values))]
    excesses = values[values > threshold] - threshold

    # scipy's own default stops at a ten thousandth of a parameter.
    def simplex(function, start, args=(), disp=0):
        return optimize.fmin(function, start, args=args, disp=disp, xtol=1e-13, ftol=1e-15, maxiter=20_000, maxfun=20_000)

    shape, _, scale = stats.genpareto.fit(excesses, floc=0.0, optimizer=simplex)
    beyond = len(excesses) / len(values)
    given = stats.genpareto(0.25, loc=0.0, scale=1.5)
    shares = [0.1, 0.05, 0.01]
    quantiles = [given.isf(share / beyond) for share in shares]
    return {
        "values": values.tolist(),
        "share": share,
        "excesses": excesses.tolist(),
        "threshold": threshold,
        "shape": shape,
        "scale": scale,
        "log_likelihood": stats.genpareto.logpdf(excesses, shape, 0.0, scale).mean(),
        "given": {"shape": 0.25, "scale": 1.5},
        "given_log_likelihood": given.logpdf(excesses).mean(),
        "shares": shares,
        "value_at_risk": [threshold + quantile for quantile in quantiles],
        # Over a quantile q the excess is generalised Pareto again, of scale β + ξq: scipy's mean of that.
        "expected_shortfall": [
            threshold + q + stats.genpareto.mean(0.25, loc=0.0, scale=1.5 + 0.25 * q) for q in quantiles
        ],
    }


def two_level():
    sizes = [4, 6]
    values = RNG.normal(size=(5, 1)) + RNG.normal(size=(1, 10)) + RNG.normal(size=(5, 10))
    runs = [RNG.integers(0, 5, size=5) for _ in range(100)]
    starts = np.cumsum([0] + sizes[:-1])
    cells = [np.concatenate([s + RNG.integers(0, n, size=n) for s, n in zip(starts, sizes)]) for _ in range(100)]
    distribution = [values[np.ix_(r, c)].mean() for r, c in zip(runs, cells)]
    outside = 50.0 * (1.0 - CONFIDENCE)
    return {
        "values": values.tolist(),
        "runs": [row.tolist() for row in runs],
        "cells": [row.tolist() for row in cells],
        "interval": np.percentile(distribution, [outside, 100.0 - outside]).tolist(),
    }


def tests():
    differences = RNG.normal(0.9, 1.0, size=11)
    p_values = [0.04, 0.001, 0.03, 0.2, 0.03, 0.9]
    test = stats.permutation_test(
        (differences,), lambda x, axis: np.mean(x, axis=axis), permutation_type="samples", n_resamples=np.inf, vectorized=True
    )
    return {
        "differences": differences.tolist(),
        "sign_flip": test.pvalue,
        "p_values": p_values,
        "holm": multipletests(p_values, method="holm")[1].tolist(),
    }


REFERENCE = {
    "versions": {package: version(package) for package in ("numpy", "scipy", "statsmodels", "rliable", "arch")},
    "confidence": CONFIDENCE,
    "location": location(),
    "scores": scores(),
    "bias_corrected": bias_corrected(),
    "two_level": two_level(),
    "tests": tests(),
    "independent": independent(),
    "pareto": pareto(),
}
print(json.dumps(REFERENCE, default=float))
