// Tests of the log.

package org.hala

import java.io.File
import java.util.concurrent.ConcurrentLinkedQueue
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.launch

/** A model whose config.json has a part that no maths reads, which is worth a line. The tests run where the project lies. */
private val NOTED = ModelSource.Path(File("tests/fixtures/lfm3/as-published"))

private suspend fun loadNoted() = Hala.load(NOTED, LoadOptions(backend = "cpu", threads = 1)).close()

internal fun Checks.ofLogs() {
    test("what is good to know while a model loads is in the log, up to the level that is wanted") {
        val lines = ConcurrentLinkedQueue<LogLine>()
        val log = launch(Dispatchers.Default) { Hala.log(LogLevel.INFO).collect { lines.add(it) } }
        // The log is read from some moment on.
        while (lines.isEmpty()) loadNoted()
        val line = lines.first()
        holds(line.level == LogLevel.INFO && line.text.length > 20 && line.lost == 0) { line }
        log.cancelAndJoin()
        lines.clear()
        loadNoted()
        same(lines.toList(), emptyList())
    }

    test("that no GPU is there is told, and what is known of GPUs is kept in the folder of the app's") {
        inFolder { folder ->
            val lines = ConcurrentLinkedQueue<LogLine>()
            val log = launch(Dispatchers.Default) { Hala.log().collect { lines.add(it) } }
            val devices = File(folder, "devices")
            while (lines.isEmpty()) {
                Hala.load(NOTED, LoadOptions(backend = "auto", threads = 1, devices = devices)).use { same(it.info.backend, "cpu") }
            }
            same(lines.first().level, LogLevel.WARN)
            holds(devices.isDirectory) { "the search for GPUs has noted nothing" }
            log.cancelAndJoin()
        }
    }

    test("one that takes the log ends the flow of the one before, and it ends when it is cancelled") {
        val isRead = CompletableDeferred<Unit>()
        val before = launch(Dispatchers.Default) {
            Pull.LOG.each({ Native.log(1).also { isRead.complete(Unit) } }) { _, told -> throw AssertionError(told.text("text")) }
        }
        isRead.await()
        val after = launch(Dispatchers.Default) { Hala.log(LogLevel.ERROR).collect() }
        before.join()
        holds(!before.isCancelled) { "it did not end by itself" }
        after.cancelAndJoin()
        holds(after.isCancelled) { "it ended" }
    }
}
