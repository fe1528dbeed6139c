// Streams and tasks of the native library, as coroutines take what they give.

package org.hala

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.withContext

/** The native methods of one kind of thing that gives pieces. */
internal enum class Pull(
    private val next: (Long) -> ByteArray?,
    private val cancel: (Long) -> Unit,
    private val release: (Long) -> Unit,
) {
    STREAM(Native::streamNext, Native::streamCancel, Native::streamRelease),
    TASK(Native::taskNext, Native::taskCancel, Native::taskRelease),
    LOG(Native::logNext, Native::logCancel, Native::logRelease);

    /**
     * Begins something, and hands its handle and each of its pieces to [take], which runs where the caller does; all else runs on threads that may wait. When the
     * caller is cancelled the work is stopped, and this returns when it has ended.
     */
    suspend fun each(begin: () -> Long, take: suspend (Long, Fields) -> Unit) {
        var number = 0L
        var hasEnded = false
        try {
            // Noted inside: where the caller is cancelled meanwhile, nothing comes back.
            withContext(Dispatchers.IO) { number = begin() }
            while (true) take(number, Json.parse(next(number) ?: break))
            hasEnded = true
        } finally {
            val begun = number
            if (begun != 0L) withContext(NonCancellable + Dispatchers.IO) { end(begun, hasEnded) }
        }
    }

    /** Lets go of it, once it has ended. */
    private fun end(number: Long, hasEnded: Boolean) {
        try {
            if (!hasEnded) {
                cancel(number)
                while (next.invoke(number) != null) continue
            }
        } catch (_: HalaException) {
            // It has ended with that, or was told before how.
        } finally {
            release(number)
        }
    }

    private suspend fun next(number: Long): ByteArray? = coroutineScope {
        // What it fails with is handed over, not thrown: thrown in here it would come before the cancelling that caused it.
        val piece = async(Dispatchers.IO) { runCatching { next.invoke(number) } }
        try {
            piece.await().getOrThrow()
        } catch (stopped: CancellationException) {
            // The thread that waits comes back before the next token, and this scope waits for it.
            cancel(number)
            throw stopped
        }
    }
}

/** Does something that may take a moment on a thread that may wait. */
internal suspend fun <T> aside(work: () -> T): T = withContext(Dispatchers.IO) { work() }
