"""Conversations, prompts and tokens."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

import hala

from .shared import JOINED, TINY, engine, long_run

GREEDY = {"temperature": 0.0, "max_tokens": 12}


class Chat(unittest.TestCase):
    def test_a_completion_is_in_the_shape_of_the_api(self) -> None:
        told = engine().chat([{"role": "user", "content": "Good morning."}], temperature=0, max_tokens=12, model="it")
        choice = told.choices[0]
        self.assertEqual((choice.index, choice.message.role, told.model), (0, "assistant", "it"))
        self.assertEqual((told.text, str(told)), (choice.message.content, choice.message.content))
        self.assertIn(choice.finish_reason, ("stop", "length"))
        self.assertGreater(told.usage.prompt_tokens, 0)
        self.assertEqual(told.to_dict()["object"], "chat.completion")
        self.assertEqual(told.to_dict()["choices"][0]["message"]["content"], told.text)

    def test_a_text_and_a_whole_request_are_conversations_too(self) -> None:
        messages = [{"role": "user", "content": "Good morning."}]
        told = engine().chat(messages, temperature=0, max_tokens=12).text
        self.assertEqual(engine().chat("Good morning.", temperature=0, max_tokens=12).text, told)
        self.assertEqual(engine().chat({"messages": messages, **GREEDY}).text, told)

    def test_a_stream_s_texts_are_the_completion_s(self) -> None:
        with engine().chat("Good morning.", n=2, seed=3, temperature=1.0, max_tokens=12, stream=True) as stream:
            events = list(stream)
        last = events[-1]
        self.assertEqual((last.kind, last.completion), ("done", stream.result))
        assert last.completion is not None
        for choice in last.completion.choices:
            told = "".join(event.text for event in events if event.kind == "text" and event.index == choice.index)
            self.assertEqual(told, choice.message.content)

    def test_log_probabilities_come_where_asked_for(self) -> None:
        told = engine().chat("Good morning.", temperature=0, max_tokens=3, logprobs=True, top_logprobs=2)
        logprobs = told.choices[0].logprobs
        assert logprobs is not None
        self.assertEqual(len(logprobs["content"][0]["top_logprobs"]), 2)

    def test_what_means_nothing_is_refused(self) -> None:
        for wrong in ({"messages": "hi"}, {}, {"messages": [], "stream": True}, {"messages": [], "x": 1}):
            with self.assertRaises(hala.InvalidRequest, msg=str(wrong)):
                engine().chat(wrong)
        with self.assertRaises(hala.InvalidRequest):
            engine().chat("hi", temperature=float("nan"))
        with self.assertRaises(hala.ContextLengthExceeded):
            engine().chat("word " * 4000)

    def test_a_session_computes_only_what_is_new(self) -> None:
        messages = [{"role": "user", "content": "Good morning."}]
        with engine().session() as session:
            first = engine().chat(messages, session=session, temperature=0, max_tokens=12)
            messages += [
                {"role": "assistant", "content": first.text},
                {"role": "user", "content": "How are you?"},
            ]
            second = engine().chat(messages, session=session, temperature=0, max_tokens=12)
            self.assertGreaterEqual(second.usage.cached_tokens, first.usage.prompt_tokens)
        self.assertEqual(second.text, engine().chat(messages, temperature=0, max_tokens=12).text)

    def test_a_session_has_one_turn_at_a_time(self) -> None:
        with engine().session() as session:
            with long_run(session=session) as stream:
                next(stream)
                with self.assertRaises(hala.Busy):
                    engine().chat("Good morning.", session=session)
            self.assertTrue(engine().chat("Good morning.", session=session, temperature=0, max_tokens=12).text)

    def test_a_session_goes_on_after_its_states_were_given_back(self) -> None:
        messages = [{"role": "user", "content": "Good morning."}]
        with engine().session() as session:
            first = engine().chat(messages, session=session, temperature=0, max_tokens=12)
            engine().trim(sessions=True)
            messages += [{"role": "assistant", "content": first.text}, {"role": "user", "content": "Thanks."}]
            again = engine().chat(messages, session=session, temperature=0, max_tokens=12)
            self.assertEqual(again.usage.cached_tokens, 0)
        self.assertEqual(again.text, engine().chat(messages, temperature=0, max_tokens=12).text)

    def test_a_session_comes_back_from_its_file(self) -> None:
        messages = [{"role": "user", "content": "Good morning."}]
        with tempfile.TemporaryDirectory() as folder, engine().session() as session:
            first = engine().chat(messages, session=session, temperature=0, max_tokens=12)
            path = Path(folder) / "kept"
            session.save(path)
            messages += [{"role": "assistant", "content": first.text}, {"role": "user", "content": "Thanks."}]
            expected = engine().chat(messages, session=session, temperature=0, max_tokens=12)
            with engine().restore(path) as restored:
                again = engine().chat(messages, session=restored, temperature=0, max_tokens=12)
            self.assertEqual(again.text, expected.text)
            # All of the first prompt, but for what its end may have in common with the second by chance.
            self.assertGreaterEqual(again.usage.cached_tokens, first.usage.prompt_tokens - 8)
            with self.assertRaisesRegex(hala.ReadError, "none"):
                engine().restore(Path(folder) / "none")
            path.write_bytes(path.read_bytes()[:-1])
            with self.assertRaisesRegex(hala.SessionError, "cut off"):
                engine().restore(path)
            with hala.load(TINY, backend="cpu") as tiny:
                session.save(path)
                with self.assertRaises(hala.SessionError) as told:
                    tiny.restore(path)
            self.assertEqual(told.exception.code, "other-model")

    def test_a_session_is_its_engine_s(self) -> None:
        with hala.load(TINY, backend="cpu") as tiny, tiny.session() as session:
            with self.assertRaisesRegex(hala.InvalidRequest, "another engine"):
                engine().chat("hi", session=session)


class Generate(unittest.TestCase):
    def test_text_and_its_ids_are_the_same_prompt(self) -> None:
        told = engine().generate("Good morning", temperature=0, max_tokens=6)
        ids = engine().tokenize("Good morning", special=True)
        self.assertEqual(engine().generate(ids, temperature=0, max_tokens=6).text, told.text)
        self.assertEqual((told.choices[0].text, str(told)), (told.text, told.text))
        self.assertEqual(told.to_dict()["object"], "text_completion")

    def test_a_stream_s_texts_are_the_completion_s(self) -> None:
        with long_run(n=2) as stream:
            events = [next(stream) for _ in range(20)]
        self.assertTrue(all(event.text for event in events))
        with engine().generate("Good", n=2, seed=3, max_tokens=6, stream=True) as stream:
            events = list(stream)
        assert stream.result is not None
        for choice in stream.result.choices:
            told = "".join(event.text for event in events if event.index == choice.index)
            self.assertEqual(told, choice.text)

    def test_a_stop_string_ends_a_text(self) -> None:
        whole = engine().generate("Good morning", temperature=0, max_tokens=20, ignore_eos=True)
        stop = whole.text[4:6]
        told = engine().generate("Good morning", temperature=0, max_tokens=20, ignore_eos=True, stop=stop)
        self.assertEqual(told.text, whole.text[: whole.text.index(stop)])
        self.assertEqual(told.choices[0].finish_reason, "stop")


class Tokens(unittest.TestCase):
    def test_tokens_come_back_as_their_text(self) -> None:
        for text in ("", "Good morning.", JOINED):
            self.assertEqual(engine().detokenize(engine().tokenize(text, bos=False)), text)

    def test_special_tokens_are_text_unless_asked_for(self) -> None:
        text = "<|im_end|>"
        self.assertEqual(len(engine().tokenize(text, bos=False, special=True)), 1)
        self.assertGreater(len(engine().tokenize(text, bos=False)), 1)
        self.assertEqual(engine().tokenize(text)[1:], engine().tokenize(text, bos=False))

    def test_ids_are_counted_from_0(self) -> None:
        self.assertEqual(engine().detokenize([]), "")
        for ids in ([-1], [1 << 32]):
            with self.assertRaises(hala.InvalidRequest):
                engine().detokenize(ids)
        with self.assertRaises(hala.Error):
            engine().detokenize([1 << 31])

    def test_a_prompt_is_counted_as_a_chat_computes_it(self) -> None:
        told = engine().chat("Good morning.", max_tokens=1)
        self.assertEqual(engine().count_prompt("Good morning."), told.usage.prompt_tokens)
