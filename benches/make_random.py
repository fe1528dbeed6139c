"""Writes a checkpoint of a published model's shape with seeded random weights: the same bytes move as in the published one, and no text
that comes out means anything.

Run: python benches/make_random.py lfm3-1.7b|lfm2-1.2b OUT
Needs: torch, transformers >= 5.23, safetensors
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import Lfm2Config, Lfm2ForCausalLM, Lfm3Config, Lfm3ForCausalLM

LFM2 = dict(vocab_size=65536, hidden_size=2048, intermediate_size=12288, num_hidden_layers=16, num_attention_heads=32, num_key_value_heads=8,
            max_position_embeddings=128000, full_attn_idxs=[2, 5, 8, 10, 12, 14], block_multiple_of=256, block_ffn_dim_multiplier=1.0,
            rope_theta=1000000.0)
SIZES = {
    "lfm3-1.7b": (Lfm3ForCausalLM, Lfm3Config(max_position_embeddings=262144)),
    "lfm2-1.2b": (Lfm2ForCausalLM, Lfm2Config(**LFM2)),
}


def weights(model):
    """A tensor for each name, under the names of published files."""
    generator = torch.Generator().manual_seed(7)
    for name, w in model.named_parameters():
        x = torch.randn(w.shape, generator=generator)
        x = 1 + 0.2 * x if "norm" in name else x / w.shape[-1] ** 0.5
        yield name.replace(".g_proj.", ".gate_proj."), x.to(torch.bfloat16)


def main():
    size, out = sys.argv[1], Path(sys.argv[2])
    family, config = SIZES[size]
    with torch.device("meta"):
        model = family(config)
    out.mkdir(parents=True, exist_ok=True)
    config.architectures, config.dtype = [family.__name__], "bfloat16"
    config.save_pretrained(out)
    tensors = dict(weights(model))
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})
    print(f"{out}: {sum(w.numel() for w in tensors.values()):,} parameters")


main()
