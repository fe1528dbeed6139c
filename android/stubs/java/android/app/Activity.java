// What of android.app.Activity is used.

package android.app;

import android.content.ContextWrapper;
import android.os.Bundle;

public class Activity extends ContextWrapper {
    protected void onCreate(Bundle savedInstanceState) {
        throw new RuntimeException("Stub!");
    }
}
