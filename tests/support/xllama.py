"""A real llama.cpp server with SmolLM2, behind a proxy that keeps every request it passes on."""

import json
import re
import shutil
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.support.http import Handler, LocalServer

_LAYER = re.compile(r"\.layers\.(\d+)\.")


def write_shallow(weights: Path, out: Path, layers: int) -> None:
    """A copy of a GGUF file with its first layers."""
    import gguf

    given = gguf.GGUFReader(weights)
    count = f"{given.fields['general.architecture'].contents()}.block_count"
    writer = gguf.GGUFWriter(out, given.fields["general.architecture"].contents())
    for name, field in given.fields.items():
        if not name.startswith("GGUF.") and name != "general.architecture":
            value, kind, *of = (layers if name == count else field.contents()), *field.types
            writer.add_key_value(name, value, kind, of[-1] if of else None)
    for tensor in given.tensors:
        block = tensor.name.split(".")
        if block[0] != "blk" or int(block[1]) < layers:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def copy_shallow(model: Path, out: Path, layers: int) -> None:
    """A copy of a model in Hugging Face format with its first layers."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(model, out, ignore=shutil.ignore_patterns("*.safetensors"))
    kept = {
        name: tensor
        for name, tensor in load_file(model / "model.safetensors").items()
        if not (found := _LAYER.search(name)) or int(found[1]) < layers
    }
    save_file(kept, out / "model.safetensors", {"format": "pt"})
    config = json.loads((out / "config.json").read_text(encoding="utf-8"))
    (out / "config.json").write_text(json.dumps(config | {"num_hidden_layers": layers}), encoding="utf-8")


class _Proxy(Handler):
    def do_POST(self) -> None:
        owner: XllamaServer = self.server.owner  # type: ignore[attr-defined]
        body = self.body()
        owner.requests.append(json.loads(body))
        request = urllib.request.Request(
            owner.upstream + self.path, data=body, headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                self.send(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            self.send(error.code, error.read())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class XllamaServer(LocalServer):
    """`url` is the recorded address; `requests` holds the JSON body of each request."""

    def __init__(self, gguf: Path) -> None:
        import xllamacpp

        super().__init__(_Proxy)
        port = _free_port()
        self.upstream = f"http://127.0.0.1:{port}"
        self.requests: list[dict[str, Any]] = []
        params = xllamacpp.CommonParams()
        params.model.path = str(gguf)
        params.hostnames = ["127.0.0.1"]
        params.port = port
        params.n_parallel = 8
        params.n_ctx = 2048 * 8
        params.model_alias = {"smol"}
        params.cpuparams.n_threads = 1
        params.cpuparams_batch.n_threads = 1
        self._engine = xllamacpp.Server(params)

    def __enter__(self) -> Any:
        for _ in range(120):
            try:
                urllib.request.urlopen(self.upstream + "/health", timeout=2)
                return super().__enter__()
            except OSError:
                time.sleep(0.5)
        raise RuntimeError("the xllamacpp server did not become ready in a minute")
