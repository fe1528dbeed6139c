"""Loading, what there is to know of a model, the log, and errors."""

from __future__ import annotations

import dataclasses
import json
import logging
import pickle
import sys
import unittest
from typing import Any, List, Tuple
from unittest import mock

import hala
from hala import _native, _options, errors, results
from hala._call import string

from .shared import NOTED, TINY, engine, run


class Load(unittest.TestCase):
    def test_info_tells_what_runs(self) -> None:
        info = engine().info
        self.assertEqual((info.family, info.backend, info.threads), ("lfm2", "cpu", 2))
        self.assertGreater(info.weight_bytes, info.parameters)
        self.assertIn("lfm2", repr(engine()))
        told = json.loads(string(_native.lib.hala_engine_info, engine()._held.handle))
        self.assertEqual({results._snake(name) for name in told}, {field.name for field in dataclasses.fields(info)})

    def test_files_in_memory_are_a_folder(self) -> None:
        files = {path.name: path.read_bytes() for path in TINY.iterdir() if path.is_file()}
        with hala.load(files=files, backend="cpu") as loaded, hala.load(TINY, backend="cpu") as opened:
            self.assertEqual(loaded.info, opened.info)

    def test_options_are_followed(self) -> None:
        with hala.load(str(TINY), backend="plain", weights="int8", context=64, threads=1) as tiny:
            info = tiny.info
        self.assertEqual((info.context, info.threads), (64, 1))
        self.assertLess(info.weight_bytes, 2 * info.parameters)

    def test_progress_is_told_to_the_end(self) -> None:
        told: List[hala.Progress] = []
        hala.load(on_progress=told.append).close()
        self.assertEqual({step.kind for step in told}, {"loading"})
        self.assertEqual(told[-1].done, told[-1].total)

    def test_progress_stops_by_false_and_by_what_it_raises(self) -> None:
        with self.assertRaises(hala.Aborted):
            hala.load(on_progress=lambda _: False)
        for raised in (KeyError("mine"), KeyboardInterrupt()):
            with self.assertRaises(type(raised)) as caught:
                hala.load(on_progress=mock.Mock(side_effect=raised))
            self.assertIs(caught.exception, raised)

    def test_a_flag_stops_the_loading(self) -> None:
        cancel = hala.Cancel()
        cancel.set()
        self.assertTrue(cancel.is_set())
        with self.assertRaises(hala.Aborted):
            hala.load(cancel=cancel)
        cancel.clear()
        hala.load(cancel=cancel).close()

    def test_an_estimate_is_of_the_loaded_model(self) -> None:
        told = hala.estimate()
        self.assertEqual(told.weight_bytes, engine().info.weight_bytes)
        self.assertEqual(told.cache_bytes_per_token, engine().info.cache_bytes_per_token)
        self.assertGreater(told.peak_bytes, told.weight_bytes)

    def test_trim_leaves_the_engine_at_work(self) -> None:
        engine().trim()
        self.assertEqual(engine().translate("Good morning.").text, "صباح الخير.")

    def test_a_path_goes_before_a_hub_id(self) -> None:
        for text, is_hub in (
            ("LiquidAI/LFM2-1.2B", True),
            ("LiquidAI/LFM2-1.2B-GGUF:Q4_K_M", True),
            ("owner/name@main:file.gguf", True),
            ("folder/model.gguf", False),
            ("./folder", False),
            ("/folder/model", False),
            ("a/b/c", False),
            ("model", False),
            (str(TINY), False),
        ):
            self.assertEqual(_options.is_hub_id(text), is_hub, text)


class Errors(unittest.TestCase):
    def test_each_has_its_code_and_the_class_that_people_expect(self) -> None:
        for do, kind, code in (
            (lambda: hala.load("no/such/folder"), FileNotFoundError, "missing-file"),
            (lambda: hala.load(backend="abacus"), ValueError, "invalid-argument"),
            (lambda: hala.load(weights="int1"), ValueError, "invalid-argument"),
            (lambda: hala.load(context=0), ValueError, "invalid-argument"),
            (lambda: hala.load(TINY, files={}), ValueError, "invalid-argument"),
            (lambda: hala.load(files={}), ValueError, "invalid-argument"),
            (lambda: hala.load(files={"config.json": b"{}"}), hala.ModelError, None),
            (lambda: hala.load(""), ValueError, "invalid-argument"),
            (lambda: hala.download(), ValueError, "invalid-argument"),
        ):
            with self.assertRaises(kind) as caught:
                do()
            error = caught.exception
            assert isinstance(error, hala.Error)
            self.assertTrue(error.code == code or code is None, error.code)
            self.assertTrue(str(error))

    def test_what_was_closed_says_so(self) -> None:
        tiny = hala.load(TINY, backend="cpu")
        session = tiny.session()
        session.close()
        with self.assertRaisesRegex(hala.Closed, "session is closed"):
            tiny.chat("hi", session=session)
        tiny.close()
        tiny.close()
        with self.assertRaisesRegex(hala.Closed, "engine is closed"):
            tiny.tokenize("a")
        self.assertIn("closed", repr(tiny))

    def test_calls_inside_of_callbacks_are_refused(self) -> None:
        def inside(_: hala.Progress) -> None:
            engine().tokenize("a")

        with self.assertRaises(hala.Reentered):
            hala.load(on_progress=inside)

    def test_errors_travel_between_processes(self) -> None:
        for code in errors.CLASSES:
            error = errors.of(code, "why", 7)
            again = pickle.loads(pickle.dumps(error))
            self.assertEqual((type(again), again.code, str(again)), (type(error), code, "why"))
        self.assertEqual(pickle.loads(pickle.dumps(errors.of("out-of-memory", "why", 7))).n_bytes, 7)
        self.assertIsInstance(errors.of("out-of-memory", ""), MemoryError)
        self.assertIs(type(errors.of("something-new", "why")), hala.Error)

    def test_a_missing_library_is_told_with_what_to_do(self) -> None:
        done = run("import os; os.environ['HALA_LIBRARY'] = '/nowhere/libhala.so'\nimport hala")
        self.assertIn("ImportError: the native library is not at /nowhere/libhala.so: install", done.stderr)


class Log(unittest.TestCase):
    def tearDown(self) -> None:
        hala.set_log(None)

    def test_it_goes_to_a_logger_and_to_a_function(self) -> None:
        with self.assertLogs("hala", logging.INFO) as logged:
            hala.set_log(logging.getLogger("hala"))
            hala.load(NOTED, backend="cpu").close()
        lines: List[Tuple[int, str]] = []
        hala.set_log(lambda level, line: lines.append((level, line)))
        hala.load(NOTED, backend="cpu").close()
        self.assertEqual([record.getMessage() for record in logged.records], [line for _, line in lines])
        self.assertEqual({level for level, _ in lines}, {logging.INFO})
        hala.set_log(lambda level, line: lines.append((level, line)), logging.ERROR)
        hala.load(NOTED, backend="cpu").close()
        hala.set_log(None)
        hala.load(NOTED, backend="cpu").close()
        self.assertEqual(len(lines), len(logged.records))

    def test_what_it_raises_is_told_and_stops_nothing(self) -> None:
        told: List[Any] = []

        def broken(level: int, line: str) -> None:
            raise KeyError(line)

        with mock.patch.object(sys, "unraisablehook", told.append):
            hala.set_log(broken)
            hala.load(NOTED, backend="cpu").close()
        self.assertEqual(told[0].exc_type, KeyError)
