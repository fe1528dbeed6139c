// What of android.os.Build is used. SDK_INT is final in Android; here tests set it.

package android.os;

public class Build {
    public static class VERSION {
        public static int SDK_INT = 37;
    }

    public static class VERSION_CODES {
        public static final int O = 26;
        public static final int P = 28;
        public static final int Q = 29;
        public static final int R = 30;
        public static final int S = 31;
        public static final int TIRAMISU = 33;
        public static final int UPSIDE_DOWN_CAKE = 34;
    }
}
