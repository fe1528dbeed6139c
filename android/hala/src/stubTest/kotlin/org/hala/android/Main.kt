// Tests of what is Android's alone, as a program: against stubs of Android and AndroidX, and with the native library of this machine.

package org.hala.android

import org.hala.Checks
import org.hala.demo.ofDemo
import org.hala.end

/** `main [FILTER]` runs the tests whose names contain the filter. */
public fun main(words: Array<String>) {
    val checks = Checks(words.firstOrNull() ?: "")
    checks.ofTrims()
    checks.ofHeat()
    checks.ofNetworks()
    checks.ofBackgroundDownloads()
    checks.ofResources()
    checks.ofDemo()
    checks.end()
}
