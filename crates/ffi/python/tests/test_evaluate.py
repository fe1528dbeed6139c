"""The example that scores a model."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import sys
import types
import unittest
from typing import Any, Dict, List
from unittest import mock

from .shared import ROOT

EXAMPLE = ROOT / "crates/ffi/python/examples/evaluate.py"


def share(texts: List[str], references: List[List[str]], **_: Any) -> types.SimpleNamespace:
    """Stands in for a metric of sacrebleu where that is not installed: how many of 100 texts are their references."""
    same = sum(text == reference for text, reference in zip(texts, references[0]))
    return types.SimpleNamespace(score=100 * same / len(texts))


def modules() -> Dict[str, types.ModuleType]:
    """What stands in for modules that are not installed."""
    if importlib.util.find_spec("sacrebleu") is not None:
        return {}
    sacrebleu = types.ModuleType("sacrebleu")
    vars(sacrebleu).update(corpus_chrf=share, corpus_bleu=share)
    return {"sacrebleu": sacrebleu}


class Evaluate(unittest.TestCase):
    def test_it_prints_a_row_for_each_direction(self) -> None:
        with mock.patch.dict(sys.modules, modules()):
            spec = importlib.util.spec_from_file_location("evaluate", EXAMPLE)
            assert spec is not None and spec.loader is not None
            evaluate = importlib.util.module_from_spec(spec)
            with mock.patch.dict(sys.modules, {"evaluate": evaluate}), mock.patch.object(sys, "argv", ["evaluate.py"]):
                spec.loader.exec_module(evaluate)
                printed = io.StringIO()
                with contextlib.redirect_stdout(printed):
                    evaluate.main()
        head, columns, *rows = printed.getvalue().splitlines()
        self.assertTrue(head.startswith("lfm2, 8.7 M parameters, on "), head)
        self.assertEqual(columns.split(), ["texts", "failed", "chrF++", "BLEU", "texts/s", "tokens/s"])
        self.assertEqual([row[:7] for row in rows], ["ar → en", "en → ar"])
        for row in rows:
            n_texts, n_failed, chrf, *_ = row[7:].split()
            self.assertEqual((n_texts, n_failed), ("12", "0"))
            self.assertGreater(float(chrf), 0)
