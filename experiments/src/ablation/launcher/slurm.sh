#!/usr/bin/env bash
# One array task for each line of trials.txt. A task that Slurm takes its node from ends with 75 at a whole checkpoint and is
# queued again; a task that failed is not, and the others go on.
#SBATCH --job-name=seawall-@NAME@
#SBATCH --array=0-@LAST@%@PARALLEL@
#SBATCH --cpus-per-task=@PROCESSORS@
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@120
set -u

study=@FOLDER_QUOTED@
"${SEAWALL:-seawall}" --quiet trial "$study" --index "$SLURM_ARRAY_TASK_ID" --threads @PROCESSORS@ &
trial=$!
# Slurm tells the batch shell alone, so the shell passes it on.
trap 'kill -TERM "$trial" 2>/dev/null' TERM INT
wait "$trial"
status=$?
# A signal ends `wait` before the trial has saved.
while kill -0 "$trial" 2>/dev/null; do
    wait "$trial"
    status=$?
done
if [ "$status" -eq 75 ]; then
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
fi
exit "$status"
