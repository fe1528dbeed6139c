// What of android.app.NotificationChannel is used.

package android.app;

public final class NotificationChannel {
    public NotificationChannel(String id, CharSequence name, int importance) {
    }
}
