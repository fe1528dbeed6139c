// What of android.content.Context is used.

package android.content;

import android.content.res.Resources;
import java.io.File;

public abstract class Context {
    public static final int MODE_PRIVATE = 0;

    public abstract Context getApplicationContext();

    public final <T> T getSystemService(Class<T> serviceClass) {
        return serviceClass.cast(getSystemService(serviceClass.getName()));
    }

    public abstract Object getSystemService(String name);

    public abstract File getFilesDir();

    public abstract File getNoBackupFilesDir();

    public abstract File getCacheDir();

    public abstract void registerComponentCallbacks(ComponentCallbacks callback);

    public abstract void unregisterComponentCallbacks(ComponentCallbacks callback);

    public abstract void startActivity(Intent intent);

    public final String getString(int resId) {
        return getString(resId, new Object[0]);
    }

    public final String getString(int resId, Object... formatArgs) {
        return getResources().getString(resId, formatArgs);
    }

    public abstract Resources getResources();

    public abstract SharedPreferences getSharedPreferences(String name, int mode);
}
