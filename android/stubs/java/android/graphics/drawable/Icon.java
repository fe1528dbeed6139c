// What of android.graphics.drawable.Icon is used.

package android.graphics.drawable;

public final class Icon {
}
