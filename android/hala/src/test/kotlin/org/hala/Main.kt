// The tests of the façade, as a program.

package org.hala

/** `main [FILTER]` runs the tests whose names contain the filter. */
public fun main(words: Array<String>) {
    val checks = Checks(words.firstOrNull() ?: "")
    checks.ofTexts()
    checks.ofTranslations()
    checks.ofReplies()
    checks.ofChats()
    checks.ofStopping()
    checks.ofLifetimes()
    checks.ofDownloads()
    checks.ofLogs()
    checks.end()
}
