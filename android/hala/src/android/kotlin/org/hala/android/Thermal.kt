// How hot the device is.

package org.hala.android

import android.content.Context
import android.os.Build
import android.os.PowerManager
import java.util.concurrent.Executor
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.flowOf

/** How hot the device is, in the system's words: from [SEVERE] on it slows itself down much, and at [SHUTDOWN] it goes off. */
public enum class ThermalStatus {
    NONE,
    LIGHT,
    MODERATE,
    SEVERE,
    CRITICAL,
    EMERGENCY,
    SHUTDOWN;

    internal companion object {
        /** A status of PowerManager's. One above those that are known is worse than them. */
        fun of(status: Int): ThermalStatus = entries[status.coerceIn(0, entries.lastIndex)]
    }
}

/** How hot the device is, now and whenever that changes. Android before version 10 does not tell: there it is always [ThermalStatus.NONE]. */
public fun Context.thermalStatus(): Flow<ThermalStatus> {
    if (Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) return flowOf(ThermalStatus.NONE)
    val power = getSystemService(PowerManager::class.java) ?: return flowOf(ThermalStatus.NONE)
    return callbackFlow {
        val listener = PowerManager.OnThermalStatusChangedListener { trySend(ThermalStatus.of(it)) }
        trySend(ThermalStatus.of(power.currentThermalStatus))
        power.addThermalStatusListener(Executor(Runnable::run), listener)
        awaitClose { power.removeThermalStatusListener(listener) }
    }.conflate().distinctUntilChanged()
}
