// Tests of which networks are allowed.

package org.hala.android

import android.net.ConnectivityManager
import android.net.Network
import android.net.NetworkCapabilities
import android.net.NetworkCapabilities.NET_CAPABILITY_INTERNET
import android.net.NetworkCapabilities.NET_CAPABILITY_NOT_METERED
import android.net.NetworkCapabilities.NET_CAPABILITY_NOT_ROAMING
import android.net.NetworkCapabilities.NET_CAPABILITY_TEMPORARILY_NOT_METERED
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import org.hala.Checks
import org.hala.same

/** What a network can. */
private class FakeCapabilities(private vararg val all: Int) : NetworkCapabilities() {
    override fun hasCapability(capability: Int): Boolean = capability in all
}

private val MOBILE = FakeCapabilities(NET_CAPABILITY_INTERNET, NET_CAPABILITY_NOT_ROAMING)
private val ABROAD = FakeCapabilities(NET_CAPABILITY_INTERNET)
private val WIFI = FakeCapabilities(NET_CAPABILITY_INTERNET, NET_CAPABILITY_NOT_ROAMING, NET_CAPABILITY_NOT_METERED)
private val FREE = FakeCapabilities(NET_CAPABILITY_INTERNET, NET_CAPABILITY_NOT_ROAMING, NET_CAPABILITY_TEMPORARILY_NOT_METERED)
private val PRINTER = FakeCapabilities(NET_CAPABILITY_NOT_ROAMING, NET_CAPABILITY_NOT_METERED)

/** The network that apps use by default, which tests change. */
private class FakeConnectivity(private var now: NetworkCapabilities?) : ConnectivityManager() {
    val callbacks = ArrayList<NetworkCallback>()
    private val network = Network()

    override fun getActiveNetwork(): Network? = now?.let { network }

    override fun getNetworkCapabilities(network: Network?): NetworkCapabilities? = now

    override fun registerDefaultNetworkCallback(networkCallback: NetworkCallback) {
        callbacks.add(networkCallback)
        now?.let(::change)
    }

    override fun unregisterNetworkCallback(networkCallback: NetworkCallback) {
        callbacks.remove(networkCallback)
    }

    fun change(next: NetworkCapabilities?) {
        now = next
        callbacks.forEach { if (next == null) it.onLost(network) else it.onCapabilitiesChanged(network, next) }
    }
}

internal fun Checks.ofNetworks() {
    test("networks are told apart by what they cost") {
        val found = listOf(MOBILE, ABROAD, WIFI, FREE, PRINTER, null)
        same(found.map(Networks.UNMETERED::allow), listOf(false, false, true, true, false, false))
        same(found.map(Networks.NOT_ROAMING::allow), listOf(true, false, true, true, false, false))
        same(found.map(Networks.ANY::allow), listOf(true, true, true, true, false, false))
        onVersion(27) { same(found.map(Networks.NOT_ROAMING::allow), listOf(true, true, true, true, false, false)) }
        onVersion(29) { same(found.map(Networks.UNMETERED::allow), listOf(false, false, true, false, false, false)) }
    }

    test("a policy follows the network, and lets go of it") {
        val connectivity = FakeConnectivity(null)
        val changes = listOf(WIFI, FREE, MOBILE, WIFI, null).iterator()
        val told = ArrayList<Boolean>()
        FakeContext(services = arrayOf(connectivity)).networkPolicy(Networks.UNMETERED).isAllowed().take(5).collect { isAllowed ->
            told.add(isAllowed)
            // Another one that is allowed is no change.
            if (told.size == 2) connectivity.change(changes.next())
            if (changes.hasNext()) connectivity.change(changes.next())
        }
        same(told, listOf(false, true, false, true, false))
        same(connectivity.callbacks.size, 0)
        same(FakeContext(services = arrayOf(FakeConnectivity(WIFI))).networkPolicy(Networks.UNMETERED).isAllowed().first(), true)
    }
}
