// What of android.content.ClipboardManager is used.

package android.content;

public class ClipboardManager {
    public void setPrimaryClip(ClipData clip) {
        throw new RuntimeException("Stub!");
    }
}
