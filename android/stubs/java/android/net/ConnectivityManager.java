// What of android.net.ConnectivityManager is used.

package android.net;

public class ConnectivityManager {
    public static class NetworkCallback {
        public NetworkCallback() {
        }

        public void onCapabilitiesChanged(Network network, NetworkCapabilities networkCapabilities) {
        }

        public void onLost(Network network) {
        }
    }

    public Network getActiveNetwork() {
        throw new RuntimeException("Stub!");
    }

    public NetworkCapabilities getNetworkCapabilities(Network network) {
        throw new RuntimeException("Stub!");
    }

    public void registerDefaultNetworkCallback(NetworkCallback networkCallback) {
        throw new RuntimeException("Stub!");
    }

    public void unregisterNetworkCallback(NetworkCallback networkCallback) {
        throw new RuntimeException("Stub!");
    }
}
