"""Serve SmolLM2 until stopped, for work by hand: python -m tests.support.xllama_serve (prints the address)."""

import time

from consciousness_cluster.quickstart.model import gguf

from tests.conftest import MODELS
from tests.support.xllama import XllamaServer

if __name__ == "__main__":
    with XllamaServer(gguf(MODELS)) as server:
        print(server.url, flush=True)
        while True:
            time.sleep(60)
