// Tests of how heat is told, and of pauses.

package org.hala.android

import android.os.PowerManager
import java.util.concurrent.Executor
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TestTimeSource
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.yield
import org.hala.Checks
import org.hala.same

/** The system's word on heat, which tests change. */
private class FakePower(private var status: Int) : PowerManager() {
    val listeners = LinkedHashMap<OnThermalStatusChangedListener, Executor>()

    override fun getCurrentThermalStatus(): Int = status

    override fun addThermalStatusListener(executor: Executor, listener: OnThermalStatusChangedListener) {
        listeners[listener] = executor
        tell(status)
    }

    override fun removeThermalStatusListener(listener: OnThermalStatusChangedListener) {
        listeners.remove(listener)
    }

    fun tell(next: Int) {
        status = next
        listeners.forEach { (listener, executor) -> executor.execute { listener.onThermalStatusChanged(next) } }
    }
}

internal fun Checks.ofHeat() {
    test("heat is told at first and at each change, in the system's words") {
        val power = FakePower(PowerManager.THERMAL_STATUS_LIGHT)
        val next = listOf(PowerManager.THERMAL_STATUS_LIGHT, PowerManager.THERMAL_STATUS_SEVERE, 9, PowerManager.THERMAL_STATUS_NONE).iterator()
        val told = ArrayList<ThermalStatus>()
        FakeContext(services = arrayOf(power)).thermalStatus().take(4).collect {
            told.add(it)
            if (next.hasNext()) power.tell(next.next())
            // The same again is no change, so that one more is told for it.
            if (told.size == 1) power.tell(next.next())
        }
        same(told, listOf(ThermalStatus.LIGHT, ThermalStatus.SEVERE, ThermalStatus.SHUTDOWN, ThermalStatus.NONE))
        same(power.listeners.size, 0)
    }

    test("where the system does not tell, it is never hot") {
        same(onVersion(28) { FakeContext(services = arrayOf(FakePower(4))).thermalStatus().toList() }, listOf(ThermalStatus.NONE))
        same(FakeContext().thermalStatus().toList(), listOf(ThermalStatus.NONE))
    }

    test("a hot device rests after each piece for as long as its policy says") {
        val clock = TestTimeSource()
        suspend fun rests(status: ThermalStatus): List<Duration> {
            val rests = ArrayList<Duration>()
            val pieces = flow {
                // The first word on heat comes.
                yield()
                for (i in 1..3) {
                    clock += (100 * i).milliseconds
                    emit(i)
                }
            }
            val told = pieces.cooled(flowOf(status), CoolingPolicy.GENTLE, clock) { rests.add(it); clock += it }.toList()
            same(told, listOf(1, 2, 3))
            return rests
        }
        same(rests(ThermalStatus.LIGHT), emptyList())
        same(rests(ThermalStatus.MODERATE), listOf(100.milliseconds, 200.milliseconds, 300.milliseconds))
        same(rests(ThermalStatus.CRITICAL), listOf(300.milliseconds, 600.milliseconds, 900.milliseconds))
        same(CoolingPolicy.GENTLE.rest(ThermalStatus.SEVERE, 5.seconds), 2.seconds)
    }

    test("what goes wrong with the pieces, or is enough of them, ends the watch") {
        val never = flow<ThermalStatus> { kotlinx.coroutines.awaitCancellation() }
        same(flowOf(1, 2, 3).cooled(never).take(2).toList(), listOf(1, 2))
        val failing = flow<Int> { throw IllegalArgumentException("no") }
        same(runCatching { failing.cooled(never).toList() }.exceptionOrNull()?.message, "no")
    }
}
