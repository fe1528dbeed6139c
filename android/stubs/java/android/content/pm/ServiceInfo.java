// What of android.content.pm.ServiceInfo is used.

package android.content.pm;

public class ServiceInfo {
    /** Since API 29. */
    public static final int FOREGROUND_SERVICE_TYPE_DATA_SYNC = 1;
}
