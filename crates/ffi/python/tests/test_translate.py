"""Translations: whole, in pieces, and many."""

from __future__ import annotations

import unittest
from typing import Iterator, List

import hala

from .shared import ARABIC, ENGLISH, JOINED, TINY, engine


class Translate(unittest.TestCase):
    def test_a_translation_has_its_sentences_in_code_points(self) -> None:
        told = engine().translate(ARABIC)
        self.assertEqual((told.from_, told.to, told.finish_reason), ("ar", "en", "stop"))
        self.assertTrue(told.text.startswith("Good morning"), told.text)
        self.assertEqual(str(told), told.text)
        sentences = [segment.source.of(ARABIC) for segment in told.segments]
        self.assertEqual(sentences, ["صباح الخير.", "كيف حالك؟", "أنا بخير، شكرا."])
        self.assertEqual(" ".join(segment.target.of(told.text) for segment in told.segments), told.text)
        self.assertGreater(told.usage.completion_tokens, 0)
        self.assertEqual(told.usage.total_tokens, told.usage.prompt_tokens + told.usage.completion_tokens)

    def test_languages_are_as_asked_for(self) -> None:
        self.assertEqual(engine().translate(ENGLISH, to="ar").to, "ar")
        self.assertEqual(engine().translate("OK", "ar", "en").from_, "en")
        with self.assertRaises(hala.SameLanguage):
            engine().translate(ENGLISH, to="en", from_="en")

    def test_pieces_are_whole_characters_and_make_the_translation(self) -> None:
        for source in (ARABIC, ENGLISH, JOINED, "", " \n "):
            with engine().translate(source, stream=True) as stream:
                pieces = list(stream)
            result = stream.result
            assert result is not None
            self.assertEqual("".join(piece.text for piece in pieces), result.text)
            self.assertEqual(result.text, engine().translate(source).text)
            for piece in pieces:
                self.assertEqual(piece.target.of(result.text), piece.text)
                self.assertTrue(piece.text)
            sentences = {piece.source for piece in pieces if piece.source.of(source).strip()}
            self.assertEqual(sentences, {segment.source for segment in result.segments}, source)

    def test_what_is_no_text_is_refused(self) -> None:
        with self.assertRaises(hala.InvalidRequest) as caught:
            engine().translate("\ud800")
        self.assertEqual(caught.exception.code, "invalid-utf8")
        self.assertIsInstance(caught.exception, ValueError)

    def test_a_model_that_cannot_translate_says_so(self) -> None:
        with hala.load(TINY, backend="cpu") as tiny, self.assertRaises(hala.Error) as caught:
            tiny.translate(ENGLISH)
        self.assertTrue(str(caught.exception))

    def test_leaving_a_loop_ends_the_work(self) -> None:
        stream = engine().stream_translation(ENGLISH)
        for _ in stream:
            break
        stream.close()
        self.assertIsNone(stream.result)
        self.assertEqual(list(stream), [])
        with self.assertRaises(hala.Closed):
            stream.finish()
        self.assertEqual(engine().translate("Good morning.").text, "صباح الخير.")


class TranslateAll(unittest.TestCase):
    TEXTS = ["Good morning.", "", "How are you?", "شكرا.", "I am fine."] * 5

    def test_many_are_what_each_is_alone_and_in_order(self) -> None:
        alone = {text: engine().translate(text).text for text in set(self.TEXTS)}
        for window in (1, 3, 64):
            told = [each.text for each in engine().translate_all(self.TEXTS, window=window)]
            self.assertEqual(told, [alone[text] for text in self.TEXTS])

    def test_no_more_texts_are_read_than_there_is_room_for(self) -> None:
        read: List[str] = []

        def endless() -> Iterator[str]:
            while True:
                read.append("Thanks.")
                yield read[-1]

        with engine().translate_all(endless(), window=4) as translations:
            for n_given, _ in enumerate(translations):
                self.assertLessEqual(len(read), n_given + 4)
                if n_given == 6:
                    break
        self.assertEqual(list(translations), [])

    def test_an_error_is_told_in_its_place(self) -> None:
        texts = ["Good morning.", "\ud800", "How are you?"]
        told = list(engine().translate_all(texts, return_exceptions=True))
        self.assertEqual([type(each) for each in told], [hala.Translation, hala.InvalidRequest, hala.Translation])
        translations = engine().translate_all(texts)
        self.assertEqual(next(translations).text, "صباح الخير.")
        with self.assertRaises(hala.InvalidRequest):
            next(translations)
        self.assertTrue(next(translations).text)
        self.assertRaises(StopIteration, next, translations)

    def test_what_the_texts_raise_is_raised(self) -> None:
        def broken() -> Iterator[str]:
            yield "Good morning."
            raise OSError("the file is gone")

        with self.assertRaisesRegex(OSError, "gone"):
            list(engine().translate_all(broken()))

    def test_a_flag_stops_all_of_them(self) -> None:
        cancel = hala.Cancel()
        translations = engine().translate_all(self.TEXTS, return_exceptions=True, window=8, cancel=cancel)
        next(translations)
        cancel.set()
        with self.assertRaises(hala.Aborted):
            list(translations)
        self.assertEqual(list(translations), [])

    def test_a_window_has_room_for_one(self) -> None:
        with self.assertRaises(hala.InvalidRequest):
            engine().translate_all([], window=0)
