// What of JUnit 4's Runner is used.

package org.junit.runner;

public abstract class Runner {
}
