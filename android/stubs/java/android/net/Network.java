// What of android.net.Network is used.

package android.net;

public class Network {
}
