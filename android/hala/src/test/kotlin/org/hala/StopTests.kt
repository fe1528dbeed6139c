// Tests of stopping: a coroutine that is cancelled stops the work before its next token.

package org.hala

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch

/** Ends no earlier than it is stopped. */
private val LONG = GenerateOptions(temperature = 0f, maxTokens = 3000)

internal fun Checks.ofStopping() {
    test("a coroutine that is cancelled stops decoding") {
        loaded().use { hala ->
            var nPieces = 0
            val third = CompletableDeferred<Unit>()
            val job = launch { hala.generate("Hello", LONG, ignoresEnd = true).collect { if (++nPieces == 3) third.complete(Unit) } }
            third.await()
            job.cancelAndJoin()
            // This thread was the collector's: a piece that was on its way when it stopped may have come yet.
            holds(nPieces in 3..5) { nPieces }
            same(hala.translate("Good morning.").text, "صباح الخير.")
        }
    }

    test("a coroutine that is cancelled stops a long prompt") {
        loaded().use { hala ->
            // Work beside it, each of whose steps computes a part of the prompt too.
            val (isThere, mayGoOn) = Pair(CompletableDeferred<Unit>(), CompletableDeferred<Unit>())
            val other = launch {
                hala.generate("Hello", LONG.copy(maxTokens = 6), ignoresEnd = true).collect {
                    isThere.complete(Unit)
                    mayGoOn.await()
                }
            }
            isThere.await()
            val prompt = IntArray(1900) { i -> if (i == 0) 1 else 300 + i * 7 % 6000 }
            val request = Json.bytes(mapOf("prompt" to prompt.asList(), "max_tokens" to 5, "ignore_eos" to true))
            val hasBegun = CompletableDeferred<Unit>()
            var nPieces = 0
            val job = launch {
                val begin = { hala.engine.use { Native.generate(it, 0, request) }.also { hasBegun.complete(Unit) } }
                Pull.STREAM.each(begin) { _, _ -> nPieces++ }
            }
            hasBegun.await()
            job.cancelAndJoin()
            same(nPieces, 0)
            mayGoOn.complete(Unit)
            other.join()
            same(hala.translate("Good morning.").text, "صباح الخير.")
        }
    }

    test("whoever has enough stops the work") {
        loaded().use { hala ->
            same(hala.generate("Hello", LONG, ignoresEnd = true).take(2).toList().size, 2)
            same(hala.translateStreaming("Good morning. Good evening.").take(1).toList().size, 1)
            same(hala.translate("Good morning.").text, "صباح الخير.")
        }
    }

    test("a coroutine that is cancelled stops the loading") {
        val told = CompletableDeferred<Unit>()
        val job = launch {
            Hala.load(options = LoadOptions(backend = "cpu", threads = 1)) {
                told.complete(Unit)
                throw kotlinx.coroutines.CancellationException("enough")
            }.close()
            throw AssertionError("it was loaded")
        }
        told.await()
        job.join()
        holds(job.isCancelled) { "it was not cancelled" }
    }
}
