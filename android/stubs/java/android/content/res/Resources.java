// What of android.content.res.Resources is used.

package android.content.res;

public class Resources {
    public String getString(int id, Object... formatArgs) {
        throw new RuntimeException("Stub!");
    }
}
