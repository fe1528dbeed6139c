// What of android.app.Notification is used. What is built here is empty.

package android.app;

import android.content.Context;
import android.graphics.drawable.Icon;

public class Notification {
    public static final String CATEGORY_PROGRESS = "progress";
    /** Since API 31. */
    public static final int FOREGROUND_SERVICE_IMMEDIATE = 1;

    public static class Action {
        public static final class Builder {
            public Builder(Icon icon, CharSequence title, PendingIntent intent) {
            }

            public Action build() {
                return new Action();
            }
        }
    }

    public static class Builder {
        public Builder(Context context, String channelId) {
        }

        public Builder setSmallIcon(int icon) {
            return this;
        }

        public Builder setContentTitle(CharSequence title) {
            return this;
        }

        public Builder setContentText(CharSequence text) {
            return this;
        }

        public Builder setCategory(String category) {
            return this;
        }

        public Builder setOngoing(boolean ongoing) {
            return this;
        }

        public Builder setOnlyAlertOnce(boolean onlyAlertOnce) {
            return this;
        }

        public Builder setProgress(int max, int progress, boolean indeterminate) {
            return this;
        }

        /** Since API 31. */
        public Builder setForegroundServiceBehavior(int behavior) {
            return this;
        }

        public Builder addAction(Action action) {
            return this;
        }

        public Notification build() {
            return new Notification();
        }
    }
}
