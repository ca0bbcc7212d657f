"""Runs every peer that is installed and `seawall bench train` by turns, and prints what each does as a ratio.

    python bench/peers/compare.py [--seawall PATH] [--seconds 5] [--rounds 3] [--threads 1]

Each round runs everybody once; the best round of each counts, since other work on a machine only ever takes away.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
PPO = ["sb3_ppo.py", "cleanrl_ppo.py", "purejaxrl_ppo.py"]
SAC = ["sb3_sac.py"]


def environment(threads):
    pools = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"]
    return os.environ | {pool: str(threads) for pool in pools}


def peer(script, seconds, threads):
    command = [sys.executable, str(HERE / script), str(seconds), str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(threads))
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        print(f"{script}: left out: {reason[0]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.strip().splitlines()[-1])


def ours(seawall, seconds, threads):
    command = [*seawall.split(), "bench", "train", "--json", "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(threads), check=True)
    figures = json.loads(done.stdout)
    per_cpu_s, per_s = figures["train.steps_per_cpu_s"], figures["train.steps_per_s"]
    ppo = {"name": "seawall PPO", "unit": "steps", "per_cpu_s": per_cpu_s, "per_s": per_s}
    sac = figures["train.sac_updates_per_cpu_s"]
    return ppo, {"name": "seawall SAC", "unit": "updates", "per_cpu_s": sac, "per_s": float("nan")}


def table(rows):
    reference = rows[0]["per_cpu_s"]
    print(f"| trainer | {rows[0]['unit']} per CPU second | per second | seawall is |\n|---|---|---|---|")
    for row in rows:
        wall = f"{row['per_s']:,.0f}" if row["per_s"] == row["per_s"] else ""
        print(f"| {row['name']} | {row['per_cpu_s']:,.0f} | {wall} | {reference / row['per_cpu_s']:.1f} × |")
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seawall", default="cargo run --release --quiet --")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    best = {}
    for _ in range(chosen.rounds):
        found = dict(zip(("ppo", "sac"), ours(chosen.seawall, chosen.seconds, chosen.threads)))
        found |= {script: peer(script, chosen.seconds, chosen.threads) for script in PPO + SAC}
        for key, row in found.items():
            if row is not None and (key not in best or row["per_cpu_s"] > best[key]["per_cpu_s"]):
                best[key] = row
    table([best[key] for key in ["ppo", *PPO] if key in best])
    table([best[key] for key in ["sac", *SAC] if key in best])


main()
