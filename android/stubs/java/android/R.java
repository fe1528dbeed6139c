// What of android.R is used.

package android;

public final class R {
    public static final class drawable {
        public static final int stat_sys_download = 0x01080081;
    }
}
