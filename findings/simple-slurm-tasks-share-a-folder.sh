#!/usr/bin/env bash
# simple_slurm 0.3.6: with job_file="sweep.sh", which keeps the script that is submitted,
# $SLURM_ARRAY_TASK_ID in a command is no variable any more, but text.
#
# Dollars are escaped for the here-document by which scripts are handed to sbatch, whose
# shell takes the escapes off; a script that goes into a file is escaped all the same, and
# nobody takes them off. One would have guessed that the file holds the script that is run
# without it. All tasks of an array get the same command line, which a folder or a name
# takes without complaint: a sweep of three seeds writes one folder three times over, and
# the figures of the task that was last are those of all. convert=False, documented for
# here-documents that have no variables, gives the right file.
#
# A stand-in runs here for sbatch, which takes a script from a file or from its input.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check simple_slurm==0.3.6
cat >sbatch <<'SH'
#!/usr/bin/env bash
cat ${1:+"$1"} >script
for SLURM_ARRAY_TASK_ID in 0 1 2; do
	export SLURM_ARRAY_TASK_ID
	bash script
done
echo Submitted batch job 7
SH
chmod +x sbatch
got=$(env/bin/python - <<'PY'
import os
import shutil

from simple_slurm import Slurm

for options in {}, {"job_file": "sweep.sh"}, {"job_file": "sweep.sh", "convert": False}:
    Slurm(array=range(3)).sbatch("mkdir -p runs/seed-" + Slurm.SLURM_ARRAY_TASK_ID, sbatch_cmd="./sbatch",
                                 verbose=False, **options)
    print(options, *sorted(os.listdir("runs")))
    shutil.rmtree("runs")
PY
)
printf '%s\n' "$got"
[[ $got == '{} seed-0 seed-1 seed-2
{'"'job_file': 'sweep.sh'"'} seed-$SLURM_ARRAY_TASK_ID
{'"'job_file': 'sweep.sh', 'convert': False"'} seed-0 seed-1 seed-2' ]]
