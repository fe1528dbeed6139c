// What of android.app.PendingIntent is used.

package android.app;

public final class PendingIntent {
}
