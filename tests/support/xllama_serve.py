"""Serve SmolLM2 until stopped, for work by hand: python -m tests.support.xllama_serve (prints the address)."""

import time

from consciousness_cluster.small_models.fetch import gguf_file
from consciousness_cluster.small_models.known import small_model

from tests.conftest import MODELS, SMOLLM2
from tests.support.xllama import XllamaServer

if __name__ == "__main__":
    with XllamaServer(gguf_file(small_model(SMOLLM2), MODELS)) as server:
        print(server.url, flush=True)
        while True:
            time.sleep(60)
