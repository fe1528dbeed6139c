// What of android.app.Application is used.

package android.app;

import android.content.ContextWrapper;

public class Application extends ContextWrapper {
}
