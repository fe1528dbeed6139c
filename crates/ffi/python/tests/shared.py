"""What tests have in common: one engine with the built-in model."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import hala

#: The root of the checkout.
ROOT = Path(__file__).resolve().parents[4]
#: A model of two layers, which is no translator.
TINY = ROOT / "tests/fixtures/lfm2/two-layer"
#: One whose config.json has something that a notice tells of.
NOTED = ROOT / "tests/fixtures/lfm3/as-published"

ARABIC = "صباح الخير. كيف حالك؟ أنا بخير، شكرا."
ENGLISH = "Good morning. How are you? I am fine, thanks."
#: Letters with marks, a family of four joined by zero-width joiners, a flag, and a zero in the text.
JOINED = "مُحَمَّد قرأ الكتاب. 👨‍👩‍👧‍👦 Good morning 🇪🇬! e\u0301\0 end."


@functools.lru_cache(maxsize=None)
def engine() -> hala.Engine:
    """The engine that tests share."""
    return hala.load(threads=2)


def long_run(**more: Any) -> hala.TextStream:
    """Work that goes on for so many tokens that a test can stop it."""
    return engine().generate("Good morning", max_tokens=1900, ignore_eos=True, seed=1, stream=True, **more)


def run(program: str) -> subprocess.CompletedProcess[str]:
    """Runs a program in a Python of its own, with this package."""
    environment = dict(os.environ, PYTHONPATH=str(Path(__file__).resolve().parents[1]))
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )
