// What of android.os.PowerManager is used. It is final in Android; here tests put one of their own in its place.

package android.os;

import java.util.concurrent.Executor;

public class PowerManager {
    public static final int THERMAL_STATUS_NONE = 0;
    public static final int THERMAL_STATUS_LIGHT = 1;
    public static final int THERMAL_STATUS_MODERATE = 2;
    public static final int THERMAL_STATUS_SEVERE = 3;
    public static final int THERMAL_STATUS_CRITICAL = 4;
    public static final int THERMAL_STATUS_EMERGENCY = 5;
    public static final int THERMAL_STATUS_SHUTDOWN = 6;

    public interface OnThermalStatusChangedListener {
        void onThermalStatusChanged(int status);
    }

    /** Since API 29. */
    public int getCurrentThermalStatus() {
        throw new RuntimeException("Stub!");
    }

    /** Since API 29. */
    public void addThermalStatusListener(Executor executor, OnThermalStatusChangedListener listener) {
        throw new RuntimeException("Stub!");
    }

    /** Since API 29. */
    public void removeThermalStatusListener(OnThermalStatusChangedListener listener) {
        throw new RuntimeException("Stub!");
    }
}
