// What programs of tests have in common: each test has a sentence for its name, and the last line says how many passed.

package org.hala

import java.io.File
import kotlin.system.exitProcess
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout

/** Ends a test that hangs; no slow machine meets it. */
private const val LIMIT_MS = 300_000L

/** Tests, run as they are added. */
internal class Checks(private val filter: String) {
    var nPassed = 0
    var nFailed = 0

    fun test(name: String, work: suspend CoroutineScope.() -> Unit) {
        if (filter !in name) return
        val started = System.nanoTime()
        try {
            runBlocking { withTimeout(LIMIT_MS) { work() } }
            nPassed++
            println("test $name ... ok (${(System.nanoTime() - started) / 1_000_000} ms)")
        } catch (failure: Throwable) {
            nFailed++
            println("test $name ... FAILED")
            failure.printStackTrace(System.out)
        }
    }
}

/** Fails unless both are the same. */
internal fun <T> same(found: T, expected: T) {
    if (found != expected) throw AssertionError("found    $found\nexpected $expected")
}

/** Fails unless it holds. */
internal inline fun holds(condition: Boolean, what: () -> Any?) {
    if (!condition) throw AssertionError(what().toString())
}

/** The failure of work that must fail with this code. */
internal suspend fun failure(code: String, work: suspend () -> Any?): HalaException {
    val given = try {
        work()
    } catch (failure: HalaException) {
        same(failure.code, code)
        return failure
    }
    throw AssertionError("$given instead of a failure with code $code")
}

/** A translator on one thread. */
internal suspend fun loaded(): Hala = Hala.load(options = LoadOptions(backend = "cpu", threads = 1))

/** Does something with an empty folder. */
internal suspend fun <T> inFolder(work: suspend (File) -> T): T {
    val folder = kotlin.io.path.createTempDirectory("hala").toFile()
    try {
        return work(folder)
    } finally {
        folder.deleteRecursively()
    }
}

/** Says how many passed, and ends the program. */
internal fun Checks.end(): Nothing {
    println("$nPassed passed, $nFailed failed")
    exitProcess(if (nFailed == 0 && nPassed > 0) 0 else 1)
}
