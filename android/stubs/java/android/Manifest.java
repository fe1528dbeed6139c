// What of android.Manifest is used.

package android;

public final class Manifest {
    public static final class permission {
        /** Since API 33. */
        public static final String POST_NOTIFICATIONS = "android.permission.POST_NOTIFICATIONS";
    }
}
