"""A tiny LFM3 that a page can talk with: random seeded weights, and as many ids as the built-in model's tokenizer has.

What it says makes no sense, but is the same on every backend: each token is the likeliest by far more than f32 rounds. `said.txt` is
what the command makes of it; tests/cli/lfm3_page.rs and tests/web/lfm3.spec.ts hold the command and the page to it. Tokenizer and
template are those of crates/demo-model/files.

Run: python tests/web/lfm3/make_lfm3_page.py
Needs: torch, transformers
"""

from pathlib import Path

import torch
from transformers import Lfm3Config, Lfm3ForCausalLM

HERE = Path(__file__).parent

CONFIG = dict(
    vocab_size=8192,
    hidden_size=32,
    intermediate_size=64,
    num_hidden_layers=5,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=16,
    sliding_window=8,
    max_position_embeddings=512,
    bos_token_id=1,
    eos_token_id=7,
    pad_token_id=0,
)


@torch.no_grad()
def main():
    torch.manual_seed(1)
    model = Lfm3ForCausalLM(Lfm3Config(**CONFIG)).eval()
    for name, w in model.named_parameters():
        w.copy_(1 + 0.2 * torch.randn_like(w) if "norm" in name else torch.randn_like(w) / w.shape[-1] ** 0.5)
    model.to(torch.bfloat16).save_pretrained(HERE)
    (HERE / "generation_config.json").unlink(missing_ok=True)


main()
