// What of JUnit 4.13's Assert is used.

package org.junit;

import org.junit.function.ThrowingRunnable;

public class Assert {
    public static void assertEquals(Object expected, Object actual) {
        throw new RuntimeException("Stub!");
    }

    public static void assertTrue(boolean condition) {
        throw new RuntimeException("Stub!");
    }

    public static <T extends Throwable> T assertThrows(Class<T> expectedThrowable, ThrowingRunnable runnable) {
        throw new RuntimeException("Stub!");
    }
}
