"""Threads, Ctrl-C, the garbage collector, and the end of the interpreter."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from typing import Any, List
from unittest import mock

import hala
from hala import _native

from .shared import ARABIC, ENGLISH, TINY, engine, long_run, run


class Threads(unittest.TestCase):
    def test_eight_threads_get_what_one_gets(self) -> None:
        texts = [ENGLISH, ARABIC, "Good morning.", "شكرا."] * 2
        alone = [engine().translate(text).text for text in texts]
        barrier = threading.Barrier(8)

        def work(text: str) -> List[str]:
            barrier.wait()
            return [engine().translate(text).text for _ in range(3)]

        with ThreadPoolExecutor(8) as pool:
            for told, expected in zip(pool.map(work, texts), alone):
                self.assertEqual(told, [expected] * 3)

    def test_other_threads_run_while_the_library_works(self) -> None:
        n_counted, is_done = 0, False

        def count() -> None:
            nonlocal n_counted
            while not is_done:
                n_counted += 1
                time.sleep(0)

        interval = sys.getswitchinterval()
        with engine().chat("word " * 900, stream=True) as stream:
            counter = threading.Thread(target=count)
            # From here on only who gives the interpreter away lets another thread run, and the call does so.
            sys.setswitchinterval(1000)
            try:
                counter.start()
                before = n_counted
                next(stream)
                after, is_done = n_counted, True
            finally:
                is_done = True
                sys.setswitchinterval(interval)
            counter.join()
        self.assertGreater(after, before)

    def test_several_threads_share_a_stream(self) -> None:
        with engine().generate("Good", max_tokens=60, seed=1, ignore_eos=True, stream=True) as stream:
            with ThreadPoolExecutor(4) as pool:
                parts = list(pool.map(lambda _: list(stream), range(4)))
        assert stream.result is not None
        self.assertEqual(sum(len(event.text) for part in parts for event in part), len(stream.result.text))

    def test_another_thread_stops_work_by_each_way(self) -> None:
        cancel = hala.Cancel()
        for stop, kind in (("flag", hala.Aborted), ("cancel", hala.Aborted), ("close", StopIteration)):
            stream = long_run(cancel=cancel if stop == "flag" else None)
            is_begun = threading.Event()

            def work() -> None:
                is_begun.wait()
                {"flag": cancel.set, "cancel": stream.cancel, "close": stream.close}[stop]()

            other = threading.Thread(target=work)
            other.start()
            with self.assertRaises(kind, msg=stop):
                while True:
                    next(stream)
                    is_begun.set()
            other.join()
            self.assertIsNone(stream.result)

    def test_a_long_prompt_is_stopped_too(self) -> None:
        cancel = hala.Cancel()
        other = threading.Thread(target=cancel.set)
        stream = engine().chat("word " * 900, cancel=cancel, stream=True)
        other.start()
        other.join()
        with self.assertRaises(hala.Aborted):
            next(stream)


class Interrupts(unittest.TestCase):
    def setUp(self) -> None:
        # Whoever started this may have had the signal ignored.
        self.addCleanup(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT))
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupt_after(self, n_events: int, work: Any) -> int:
        """Has another thread send Ctrl-C's signal once so many events have come, and gives how many came in all."""
        n_come, is_time = 0, threading.Event()
        wait = _native.lib.hala_stream_next

        def counted(*arguments: Any) -> Any:
            nonlocal n_come
            status = wait(*arguments)
            n_come += 1
            if n_come == n_events:
                is_time.set()
            return status

        def press() -> None:
            is_time.wait()
            os.kill(os.getpid(), signal.SIGINT)

        # Where no event comes, the test is to fail and not to wait.
        presser = threading.Thread(target=press, daemon=True)
        presser.start()
        with mock.patch.object(_native.lib, "hala_stream_next", counted), self.assertRaises(KeyboardInterrupt):
            work()
        presser.join()
        return n_come

    def test_ctrl_c_stops_a_text_and_the_engine_goes_on(self) -> None:
        def work() -> None:
            engine().generate("Good morning", max_tokens=1900, ignore_eos=True, seed=1)

        self.assertLess(self.interrupt_after(3, work), 1000)
        self.assertEqual(engine().translate("Good morning.").text, "صباح الخير.")

    def test_ctrl_c_stops_many_translations(self) -> None:
        texts = [ENGLISH] * 1000
        self.assertLess(self.interrupt_after(3, lambda: list(engine().translate_all(texts))), 5000)
        self.assertEqual(engine().translate("Good morning.").text, "صباح الخير.")

    def test_ctrl_c_stops_a_turn_and_the_session_goes_on(self) -> None:
        with engine().session() as session:
            self.interrupt_after(3, lambda: list(long_run(session=session)))
            self.assertTrue(engine().chat("Good morning.", session=session, temperature=0, max_tokens=12).text)

    def test_ctrl_c_stops_the_loading(self) -> None:
        def press(_: hala.Progress) -> None:
            os.kill(os.getpid(), signal.SIGINT)

        with self.assertRaises(KeyboardInterrupt):
            hala.load(on_progress=press)


class Garbage(unittest.TestCase):
    def test_what_nobody_has_is_released(self) -> None:
        release = mock.Mock()
        with mock.patch.object(_native.lib, "hala_stream_release", release):
            for _ in engine().stream_translation(ENGLISH):
                break
            release.assert_called_once()

    def test_circles_are_collected_on_any_thread_and_inside_of_callbacks(self) -> None:
        def circle() -> None:
            ring: List[Any] = [engine().stream_translation(ENGLISH), engine().session(), hala.load(TINY, backend="cpu")]
            next(ring[0])
            ring.append(ring)

        def collect(_: hala.Progress) -> None:
            gc.collect()

        circle()
        hala.load(on_progress=collect).close()
        circle()
        collector = threading.Thread(target=gc.collect)
        collector.start()
        collector.join()
        self.assertEqual(engine().translate("Good morning.").text, "صباح الخير.")

    def test_a_collection_does_not_take_an_error_s_words(self) -> None:
        begin, release = _native.lib.hala_translate_start, mock.Mock(side_effect=_native.lib.hala_cancel_release)

        def begin_and_collect(*arguments: Any) -> Any:
            """The collector may come at any time: here it comes after the call and before its error is read."""
            status = begin(*arguments)
            ring: List[Any] = [hala.Cancel()]
            ring.append(ring)
            del ring
            gc.collect()
            return status

        with mock.patch.object(_native.lib, "hala_cancel_release", release):
            with mock.patch.object(_native.lib, "hala_translate_start", begin_and_collect):
                with self.assertRaisesRegex(hala.InvalidRequest, 'unknown language "fr"'):
                    engine().translate("Good morning.", to="fr")
        release.assert_called_once()

    def test_an_engine_lives_while_it_is_used(self) -> None:
        other = hala.load()
        stream = other.generate("a", max_tokens=4, seed=1, ignore_eos=True, stream=True)
        other.close()
        del other
        gc.collect()
        self.assertEqual(stream.finish().usage.completion_tokens, 4)


class End(unittest.TestCase):
    def check(self, program: str) -> None:
        done = run("import hala, threading, logging, sys\n" + program)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "done\n", ""))

    def test_whatever_is_open_is_closed_at_the_end(self) -> None:
        self.check(
            "engine = hala.load(); session = engine.session(); stream = engine.stream_translation('Good morning.')\n"
            "hala.set_log(logging.getLogger('hala'), logging.DEBUG)\n"
            "next(stream); ring = [engine, stream]; ring.append(ring); print('done')"
        )

    def test_a_thread_may_be_at_work_at_the_end(self) -> None:
        self.check(
            "engine = hala.load(); is_begun = threading.Event()\n"
            "def work():\n"
            "    for _ in engine.generate('Good', max_tokens=1900, ignore_eos=True, stream=True): is_begun.set()\n"
            "threading.Thread(target=work, daemon=True).start(); is_begun.wait(); print('done')"
        )
        self.check(
            "is_begun = threading.Event()\n"
            "def work():\n"
            "    while True: hala.load(on_progress=lambda _: is_begun.set()).close()\n"
            "threading.Thread(target=work, daemon=True).start(); is_begun.wait(); print('done')"
        )
