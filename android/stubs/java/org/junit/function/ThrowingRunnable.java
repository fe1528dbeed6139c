// As in JUnit 4.13.

package org.junit.function;

public interface ThrowingRunnable {
    void run() throws Throwable;
}
