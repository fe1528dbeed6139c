// Tests of translations: whole, streamed, several, by several at once.

package org.hala

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.yield

private const val TEXT = "Good morning. Where is the station?\n\n\uD83D\uDE00 I don't understand this word."

internal fun Checks.ofTranslations() {
    test("a text is translated, and each sentence has its place") {
        loaded().use { hala ->
            val translation = hala.translate(TEXT)
            holds(translation.text.startsWith("صباح الخير. أين")) { translation }
            same(listOf(translation.from, translation.to), listOf(Language.ENGLISH, Language.ARABIC))
            same(translation.finishReason, FinishReason.STOP)
            val first = translation.segments.first()
            same(TEXT.substring(first.source.start, first.source.end).trim(), "Good morning.")
            same(translation.text.substring(first.target.start, first.target.end).trim(), "صباح الخير.")
            val last = translation.segments.last()
            same(Pair(last.source.end, last.target.end), Pair(TEXT.length, translation.text.length))
            holds(translation.usage.completionTokens > 10 && translation.timings.predictedPerSecond > 0) { translation }
            same(hala.translate("صباح الخير.").text, "Good morning.")
            same(failure("same-language") { hala.translate("Good morning.", to = Language.ENGLISH, from = Language.ENGLISH) }.bytes, 0)
        }
    }

    test("a slow collector misses no piece") {
        loaded().use { hala ->
            val expected = hala.translate(TEXT).text
            val streamed: List<Flow<TranslationEvent>> = hala.translateStreaming(TEXT).let { listOf(it, it.buffer(2), it.buffer(1000)) }
            for (flow in streamed) {
                val (text, sources) = Pair(StringBuilder(), ArrayList<Span>())
                var done: Translation? = null
                flow.collect { event ->
                    delay(3)
                    when (event) {
                        is TranslationEvent.Text -> {
                            same(event.target, Span(text.length, text.length + event.text.length))
                            text.append(event.text)
                            sources.add(event.source)
                        }
                        is TranslationEvent.Done -> done = event.translation
                    }
                }
                same(Pair(text.toString(), done?.text), Pair(expected, expected))
                holds(sources.size > 10 && sources.all { TEXT.substring(it.start, it.end).isNotEmpty() }) { sources }
                holds(sources.zipWithNext().all { (a, b) -> a.start <= b.start }) { sources }
            }
        }
    }

    test("several texts are translated in their order, and one that fails stops no other") {
        loaded().use { hala ->
            val texts = listOf("Good morning.", "صباح الخير.", "Where is the station?")
            val items = hala.translateAll(texts, to = Language.ARABIC, from = null).toList()
            same(items.map { it.index }, listOf(0, 1, 2))
            same(items[0].result.getOrThrow().text, "صباح الخير.")
            same((items[1].result.exceptionOrNull() as? HalaException)?.code ?: items[1].result.getOrNull()?.text, "صباح الخير.")
            same(items[2].result.getOrThrow().text, hala.translate(texts[2]).text)
            val wrong = hala.translateAll(listOf("a b", "Good morning."), from = Language.ARABIC, to = Language.ARABIC).toList()
            same(wrong.map { (it.result.exceptionOrNull() as HalaException).code }, listOf("same-language", "same-language"))
            same(hala.translateAll(emptyList()).toList(), emptyList())
        }
    }

    test("eight coroutines share a model, and two models a process") {
        val (one, other) = Pair(loaded(), loaded())
        val expected = one.translate(TEXT).text
        val found = (0 until 8).map { i -> async(Dispatchers.Default) { (if (i % 4 == 3) other else one).translate(TEXT).text } }
        same(found.awaitAll().toSet(), setOf(expected))
        one.close()
        same(other.translate(TEXT).text, expected)
        other.close()
    }

    test("the caller's thread is never waited on") {
        // This test's coroutines have one thread between them.
        val here = Thread.currentThread()
        val told = ArrayList<Thread>()
        val hala = Hala.load(options = LoadOptions(backend = "cpu", threads = 1)) { told.add(Thread.currentThread()) }
        holds(told.isNotEmpty() && told.all { it == here }) { told }
        var nTurns = 0
        val other = launch { while (true) { nTurns++; yield() } }
        hala.translateStreaming(TEXT).collect { same(Thread.currentThread(), here) }
        other.cancel()
        // As many turns at least as there were pieces to wait for.
        holds(nTurns > 10) { nTurns }
        hala.close()
    }
}
