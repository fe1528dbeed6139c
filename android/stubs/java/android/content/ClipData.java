// What of android.content.ClipData is used.

package android.content;

public class ClipData {
    public static ClipData newPlainText(CharSequence label, CharSequence text) {
        throw new RuntimeException("Stub!");
    }
}
