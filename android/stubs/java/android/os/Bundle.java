// What of android.os.Bundle is used.

package android.os;

public final class Bundle {
}
