// What of android.text.format.Formatter is used.

package android.text.format;

import android.content.Context;

public final class Formatter {
    public static String formatShortFileSize(Context context, long sizeBytes) {
        throw new RuntimeException("Stub!");
    }
}
