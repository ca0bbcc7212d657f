"""Runs the trials of a study as Ray tasks: one for each line of trials.txt.

A task that was told to stop ends with 75 at a whole checkpoint and is run again; so is one whose node is lost. A trial that
failed is reported and loses nobody else's work. Every node must see the study's folder under the same path.
"""

import os
import subprocess
import sys

import ray

STUDY = @FOLDER_QUOTED@
TRIALS = @TRIALS@
PROCESSORS = @PROCESSORS@
PARALLEL = @PARALLEL@
RETRY = 75


class Interrupted(Exception):
    """The trial's checkpoint is whole; it is to be run again."""


@ray.remote(num_cpus=PROCESSORS, max_retries=@RETRIES@, retry_exceptions=[Interrupted])
def trial(index: int) -> int:
    command = [os.environ.get("SEAWALL", "seawall"), "--quiet", "trial", STUDY, "--index", str(index)]
    status = subprocess.run([*command, "--threads", str(PROCESSORS)], check=False).returncode
    if status == RETRY:
        raise Interrupted(index)
    return status


def main() -> int:
    ray.init(address=os.environ.get("RAY_ADDRESS"))
    waiting, failed, index_of = list(range(TRIALS)), [], {}
    while waiting or index_of:
        while waiting and len(index_of) < PARALLEL:
            index = waiting.pop(0)
            index_of[trial.remote(index)] = index
        done, _ = ray.wait(list(index_of), num_returns=1)
        for task in done:
            index = index_of.pop(task)
            try:
                status = ray.get(task)
            except Exception as error:  # A node that is lost for good must not end the others.
                print(f"trial {index}: {error}", file=sys.stderr)
                status = RETRY
            if status != 0:
                failed.append((index, status))
    for index, status in failed:
        print(f"trial {index} ended with {status}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
