// What of android.content.Intent is used.

package android.content;

public class Intent {
    public static final String ACTION_SEND = "android.intent.action.SEND";
    public static final String EXTRA_TEXT = "android.intent.extra.TEXT";

    public Intent(String action) {
        throw new RuntimeException("Stub!");
    }

    public Intent setType(String type) {
        throw new RuntimeException("Stub!");
    }

    public Intent putExtra(String name, String value) {
        throw new RuntimeException("Stub!");
    }

    public static Intent createChooser(Intent target, CharSequence title) {
        throw new RuntimeException("Stub!");
    }
}
