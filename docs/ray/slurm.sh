#!/bin/bash
# sbatch docs/ray/slurm.sh /share/archive /share/colour
# Both folders and the environment AUTOCHROME are on a disk that all nodes see. The same command
# goes on after a stop.
#SBATCH --job-name=autochrome
#SBATCH --nodes=8
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --mem-per-cpu=1750M
#SBATCH --time=24:00:00
#SBATCH --requeue
set -euo pipefail

photos=$1
out=$2
source "${AUTOCHROME:?the folder of the virtual environment}/bin/activate"

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
export RAY_USAGE_STATS_ENABLED=0

# On every node: Ray starts; the command runs on the first one, once all are there, and Ray ends
# with it.
srun --kill-on-bad-exit=1 ray symmetric-run \
    --address "$head:6379" \
    --min-nodes "$SLURM_JOB_NUM_NODES" \
    --num-cpus "$SLURM_CPUS_PER_TASK" \
    -- python -m colorize_core batch "$photos" --out "$out" --engine ray --address auto
