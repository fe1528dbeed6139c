"""Scores a model's translations between Arabic and English: chrF++ and BLEU by sacrebleu, and the speed.

    pip install sacrebleu
    python evaluate.py                                             # the built-in model, on the pairs beside this file
    python evaluate.py --model hammh0a/Hala-1.2B --pairs my.tsv    # lines of Arabic, tab, English
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import List, NamedTuple, Tuple

import hala
import sacrebleu


class Score(NamedTuple):
    """How well and how fast one direction went."""

    direction: str
    n_texts: int
    n_failed: int
    chrf: float
    bleu: float
    seconds: float
    n_tokens: int


def read_pairs(path: Path) -> List[Tuple[str, str]]:
    """Lines of Arabic, tab, English."""
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t") for line in lines if line.strip()]
    return [(arabic.strip(), english.strip()) for arabic, english in pairs]


def score(engine: hala.Engine, sources: List[str], references: List[str], from_: str, to: str) -> Score:
    """Translates all sources, and compares them with the references."""
    began = time.perf_counter()
    translations = list(engine.translate_all(sources, to=to, from_=from_, return_exceptions=True))
    seconds = time.perf_counter() - began
    # What could not be translated counts as an empty text: a model must not gain by refusing.
    texts = ["" if isinstance(each, hala.Error) else each.text for each in translations]
    n_tokens = sum(each.usage.completion_tokens for each in translations if isinstance(each, hala.Translation))
    n_failed = sum(isinstance(each, hala.Error) for each in translations)
    chrf = sacrebleu.corpus_chrf(texts, [references], word_order=2).score
    bleu = sacrebleu.corpus_bleu(texts, [references]).score
    return Score(f"{from_} → {to}", len(sources), n_failed, chrf, bleu, seconds, n_tokens)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a Hub id, a folder, a .safetensors or GGUF file; else the built-in translator")
    parser.add_argument("--weights", default="auto", help="auto, f32, bf16, f16, fp8, int8 or int4")
    parser.add_argument("--pairs", type=Path, default=Path(__file__).with_name("pairs.tsv"))
    arguments = parser.parse_args()
    pairs = read_pairs(arguments.pairs)
    arabic, english = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    with hala.load(arguments.model, weights=arguments.weights) as engine:
        info = engine.info
        print(f"{info.family}, {info.parameters / 1e6:.1f} M parameters, on {info.device}")
        print(f"{'':9}{'texts':>6}{'failed':>8}{'chrF++':>8}{'BLEU':>7}{'texts/s':>9}{'tokens/s':>10}")
        for each in (
            score(engine, arabic, english, "ar", "en"),
            score(engine, english, arabic, "en", "ar"),
        ):
            speeds = f"{each.n_texts / each.seconds:9.1f}{each.n_tokens / each.seconds:10.0f}"
            print(f"{each.direction:9}{each.n_texts:6}{each.n_failed:8}{each.chrf:8.1f}{each.bleu:7.1f}{speeds}")


if __name__ == "__main__":
    main()
