// Pauses between pieces of text, so that a hot device can cool.

package org.hala.android

import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch

/**
 * How long a model rests. The number of its threads is chosen when it is loaded and stays, so pauses are what there is: they lower the power that is
 * drawn on average, at the cost of speed that the system would take away anyway, and less evenly.
 */
public fun interface CoolingPolicy {
    /** How long to rest after [worked], the time that the last piece took. */
    public fun rest(status: ThermalStatus, worked: Duration): Duration

    public companion object {
        /** No rest up to [ThermalStatus.LIGHT]; then as long as the work, from [ThermalStatus.SEVERE] on three times that, at most 2 seconds. */
        public val GENTLE: CoolingPolicy = CoolingPolicy { status, worked ->
            val times = when {
                status <= ThermalStatus.LIGHT -> 0
                status == ThermalStatus.MODERATE -> 1
                else -> 3
            }
            minOf(worked * times, 2.seconds)
        }
    }
}

/**
 * The same pieces, with the rests of a policy between them. The model goes as far as a flow is collected, so it rests meanwhile; put this next to the
 * flow of Hala, before any `buffer()`.
 *
 *     chat.send("…").cooled(context.thermalStatus()).collect { … }
 */
public fun <T> Flow<T>.cooled(status: Flow<ThermalStatus>, policy: CoolingPolicy = CoolingPolicy.GENTLE): Flow<T> =
    cooled(status, policy, TimeSource.Monotonic) { delay(it) }

/** The same by another clock. */
internal fun <T> Flow<T>.cooled(
    status: Flow<ThermalStatus>,
    policy: CoolingPolicy,
    clock: TimeSource,
    rest: suspend (Duration) -> Unit,
): Flow<T> = flow {
    val now = MutableStateFlow(ThermalStatus.NONE)
    coroutineScope {
        val watch = launch { status.collect(now) }
        var began = clock.markNow()
        collect { piece ->
            val worked = began.elapsedNow()
            emit(piece)
            val pause = policy.rest(now.value, worked)
            if (pause.isPositive()) rest(pause)
            began = clock.markNow()
        }
        watch.cancel()
    }
}
