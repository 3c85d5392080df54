#!/bin/sh
# A run in eight jobs of a Slurm array, and one that joins the parts when all have ended well:
#
#   array=$(sbatch --parsable slurm.sh scenario.toml results)
#   sbatch --dependency=afterok:$array --wrap "regionsim merge results/*/shard-*-of-8.json --out results"
#
#SBATCH --job-name=regionsim
#SBATCH --array=1-8
#SBATCH --cpus-per-task=1
set -eu
exec regionsim run "$1" --shard auto --jobs "${SLURM_CPUS_PER_TASK:-1}" --out "$2" --quiet
