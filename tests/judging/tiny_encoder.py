"""A real encoder of a few thousand weights, with a tokenizer of letters, in the form of a pretrained one."""

import string
from pathlib import Path
from typing import Any


def tiny_base(folder: Path) -> Path:
    """Write config.json, model.safetensors and tokenizer.json into the folder; returns it."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from transformers import BertConfig, BertModel

    letters = [*string.ascii_lowercase, *string.digits, *".,?!'"]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "yes", "no", *letters, *(f"##{letter}" for letter in letters)]
    tokenizer: Any = Tokenizer(WordPiece({piece: place for place, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = BertNormalizer(), BertPreTokenizer()
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    BertModel(BertConfig(vocab_size=len(pieces), **shape), add_pooling_layer=False).save_pretrained(folder)
    return folder
