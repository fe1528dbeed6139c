// What of android.net.NetworkCapabilities is used. It is final in Android; here tests have their own.

package android.net;

public class NetworkCapabilities {
    public static final int NET_CAPABILITY_NOT_METERED = 11;
    public static final int NET_CAPABILITY_INTERNET = 12;
    public static final int NET_CAPABILITY_VALIDATED = 16;
    /** Since API 28. */
    public static final int NET_CAPABILITY_NOT_ROAMING = 18;
    /** Since API 30. */
    public static final int NET_CAPABILITY_TEMPORARILY_NOT_METERED = 25;

    public boolean hasCapability(int capability) {
        throw new RuntimeException("Stub!");
    }
}
