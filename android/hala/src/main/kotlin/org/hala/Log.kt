// What is good to know and belongs to no call.

package org.hala

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/** How much a line of the log matters, and how much of it is wanted. */
public enum class LogLevel(internal val number: Int) {
    /** Something failed. */
    ERROR(1),

    /** Something is not as it should be: a GPU that is left alone, a device that was lost, a download that is tried again. */
    WARN(2),

    /** Something is good to know. */
    INFO(3),

    /** For those who look for a fault: what drivers say. */
    DEBUG(4),
}

/**
 * A line of the log.
 *
 * @property lost Lines before it that were left out, as too many waited to be collected.
 */
public data class LogLine(val level: LogLevel, val text: String, val lost: Int = 0)

/** The log of the whole library. */
internal fun logOf(level: LogLevel): Flow<LogLine> = flow {
    Pull.LOG.each({ Native.log(level.number) }) { _, told ->
        val of = LogLevel.entries.find { it.number == told.int("level") } ?: LogLevel.DEBUG
        emit(LogLine(of, told.text("text"), told.int("n_lost")))
    }
}
