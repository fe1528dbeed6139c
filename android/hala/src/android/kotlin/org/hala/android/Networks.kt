// Which networks downloads may use.

package org.hala.android

import android.content.Context
import android.net.ConnectivityManager
import android.net.Network
import android.net.NetworkCapabilities
import android.os.Build
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.distinctUntilChanged
import org.hala.NetworkPolicy

/** Networks that a download may use. */
public enum class Networks {
    /** Those that cost nothing by the byte, as most of Wi-Fi. */
    UNMETERED,

    /** Any in one's own country's network. */
    NOT_ROAMING,

    /** Any. */
    ANY,
}

/** A policy that allows the network that apps use by default when it is one of these. Needs the permission ACCESS_NETWORK_STATE, which this library's manifest asks for. */
public fun Context.networkPolicy(networks: Networks): NetworkPolicy {
    val manager = getSystemService(ConnectivityManager::class.java)
    return NetworkPolicy { manager.isAllowed(networks) }
}

private fun ConnectivityManager.isAllowed(networks: Networks): Flow<Boolean> = callbackFlow {
    val callback = object : ConnectivityManager.NetworkCallback() {
        override fun onCapabilitiesChanged(network: Network, networkCapabilities: NetworkCapabilities) {
            trySend(networks.allow(networkCapabilities))
        }

        override fun onLost(network: Network) {
            trySend(false)
        }
    }
    // Where there is no network nothing is called, and whoever collects waits for a first word.
    trySend(networks.allow(activeNetwork?.let(::getNetworkCapabilities)))
    registerDefaultNetworkCallback(callback)
    awaitClose { unregisterNetworkCallback(callback) }
}.conflate().distinctUntilChanged()

/** Whether a network with these capabilities may be used; null is none. */
internal fun Networks.allow(found: NetworkCapabilities?): Boolean {
    if (found?.hasCapability(NetworkCapabilities.NET_CAPABILITY_INTERNET) != true) return false
    return when (this) {
        Networks.ANY -> true
        // Android 8 does not tell roaming apart: there it is the networks' cost alone that says something.
        Networks.NOT_ROAMING ->
            Build.VERSION.SDK_INT < Build.VERSION_CODES.P || found.hasCapability(NetworkCapabilities.NET_CAPABILITY_NOT_ROAMING)
        Networks.UNMETERED ->
            found.hasCapability(NetworkCapabilities.NET_CAPABILITY_NOT_METERED) ||
                Build.VERSION.SDK_INT >= Build.VERSION_CODES.R &&
                found.hasCapability(NetworkCapabilities.NET_CAPABILITY_TEMPORARILY_NOT_METERED)
    }
}
