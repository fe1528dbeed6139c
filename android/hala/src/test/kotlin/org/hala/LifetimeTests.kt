// Tests of what is let go of: by closing, and by nobody who could.

package org.hala

import java.io.File
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.toList

/** 300 KB that each load would leave behind is more; what the Java machine compiles meanwhile is less. */
private const val MOST_GROWTH = 24L shl 20

private const val N_LOADS = 100

internal fun Checks.ofLifetimes() {
    test("a hundred loads and closes leave memory as it was") {
        suspend fun loadAndClose() {
            loaded().use { hala ->
                same(hala.translate("Good morning.").text, "صباح الخير.")
                hala.chat().close()
            }
        }
        repeat(N_LOADS / 5) { loadAndClose() }
        val before = resident()
        repeat(N_LOADS - N_LOADS / 5) { loadAndClose() }
        val after = resident()
        println("  ${before shr 10} KiB after ${N_LOADS / 5} loads, ${after shr 10} KiB after $N_LOADS")
        holds(after < before + MOST_GROWTH) { "${after - before} bytes more" }
        same(Reaper.size, 0)
    }

    test("what nobody closes is let go of when nobody can reach it") {
        same(Reaper.size, 0)
        leave()
        // A collection may leave what it found to the next.
        while (Reaper.size > 0) {
            System.gc()
            delay(10)
        }
    }

    test("what was closed is told from what is there, and closing again is nothing") {
        val hala = loaded()
        val chat = hala.chat()
        chat.close()
        failure(HalaException.DISPOSED) { chat.send("a").toList() }
        hala.close()
        hala.close()
        failure(HalaException.DISPOSED) { hala.translate("Good morning.") }
        failure(HalaException.DISPOSED) { hala.tokenize("a") }
        failure(HalaException.DISPOSED) { hala.chat() }
    }

    test("what is under way when a model is closed comes to its end") {
        val hala = loaded()
        var text = ""
        hala.translateStreaming("Good morning. Where is the station?").collect { event ->
            hala.close()
            if (event is TranslationEvent.Done) text = event.translation.text
        }
        holds(text.startsWith("صباح الخير. أين")) { text }
    }
}

/** Leaves a model and a conversation of it open. */
private suspend fun leave() {
    val hala = loaded()
    hala.chat(options = ChatOptions(GenerateOptions(maxTokens = 2))).send("Hello").collect()
    holds(Reaper.size == 2) { Reaper.size }
}

/** Bytes of memory that this process holds, without what the Java machine has of its own where it can be told apart. */
private fun resident(): Long {
    repeat(3) { System.gc() }
    val status = File("/proc/self/status").readLines().first { it.startsWith("RssAnon:") }
    val kib = status.filter(Char::isDigit).toLong()
    val runtime = Runtime.getRuntime()
    return (kib shl 10) - runtime.totalMemory()
}
