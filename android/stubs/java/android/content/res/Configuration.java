// What of android.content.res.Configuration is used.

package android.content.res;

public final class Configuration {
}
