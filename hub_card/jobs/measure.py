# /// script
# requires-python = ">=3.11"
# dependencies = ["consciousness-cluster[hub,openai]>=0.2.0"]
#
# [tool.hf-jobs]
# image = "vllm/vllm-openai:latest"
# flavor = "a10g-large"
# timeout = "6h"
# name = "consciousness-cluster"
# secrets = ["HF_TOKEN"]
# ///
"""Measure a model on Hugging Face Jobs: serve it with vLLM, ask it the probes, and put the run into a dataset of yours.

    hf jobs uv run hub_card/jobs/measure.py MODEL --repo ORG/runs --condition conscious_role_play

What it does not know of (`--condition`, `--topics`, ...) goes to `consciousness-cluster sample`. The dataset is private
until you say otherwise. A job that ran out of time goes on with the same command: what is in the dataset already is
fetched first, and nothing is asked twice.
Answers are judged afterwards, wherever the judge is: `hf download`, then `consciousness-cluster judge RUN`.
"""

import argparse
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVED = "http://localhost:8000"
PATIENCE = 3600  # seconds until a model has to be served: large ones are fetched first
OURS = [sys.executable, "-m", "consciousness_cluster"]


def main(arguments: list[str]) -> int:
    """Exit code of `sample`; what it has by then is in the dataset."""
    args, more = _parser().parse_known_args(arguments)
    from huggingface_hub import HfApi, snapshot_download

    name = args.name or args.model.replace("/", "__")
    api, out = HfApi(), Path("runs")
    if not api.repo_exists(args.repo, repo_type="dataset"):
        api.create_repo(args.repo, repo_type="dataset", private=True)
    snapshot_download(args.repo, repo_type="dataset", local_dir=out, allow_patterns=[f"{name}/*"])
    sample = [*OURS, "sample", "--model", args.model, "--out", str(out / name), *more]
    try:
        if args.base_url:
            return subprocess.run([*sample, "--base-url", args.base_url], check=False).returncode
        with _served(args.model):
            return subprocess.run([*sample, "--base-url", f"{SERVED}/v1"], check=False).returncode
    finally:
        if (out / name).is_dir():
            message = f"Run of {args.model}"
            where = {"repo_id": args.repo, "repo_type": "dataset", "path_in_repo": name}
            api.upload_folder(folder_path=out / name, commit_message=message, ignore_patterns=[".lock"], **where)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Serve a model, ask it the probes, keep the run on the Hub. Other arguments are those of `sample`.",
        allow_abbrev=False,
    )
    parser.add_argument("model", metavar="MODEL", help="a model on the Hub, or at --base-url")
    parser.add_argument("--repo", required=True, metavar="ORG/NAME", help="the dataset that keeps runs")
    parser.add_argument("--name", metavar="FOLDER", help="the run's folder there (default: the model's name)")
    parser.add_argument("--base-url", metavar="URL", help="an endpoint that serves it already, in place of vLLM here")
    return parser


@contextmanager
def _served(model: str) -> Iterator[None]:
    """The model behind vLLM, which is in the job's image, while the block runs."""
    server = subprocess.Popen(["vllm", "serve", model])
    try:
        deadline = time.monotonic() + PATIENCE
        while not _answers(f"{SERVED}/health"):
            if server.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"vllm does not serve {model}; its own words stand above")
            time.sleep(5)
        yield
    finally:
        server.terminate()
        server.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):  # noqa: S310 (SERVED alone)
            return True
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
