// The one kind of exception that Hala throws.

package org.hala

/**
 * What went wrong: the message says what was found, what was expected, and what to do next.
 *
 * [code] is a word for programs that never changes. Most are those of the npm package's errors: `invalid-request`, `same-language`,
 * `context-length-exceeded`, `aborted`, `missing-file`, `damaged-model`, `unsupported-model`, `no-tokenizer`, `not-finite`, `reader`, `network`,
 * `http`, `not-found`, `unauthorized`, `corrupt-download`, `out-of-memory`, `device-lost`, `device-refused`, `internal`. Besides there are [BUSY],
 * [DISPOSED], and `not-in-build` where the library was built without what is asked for.
 *
 * @property bytes Bytes of memory that were refused, where the code is `out-of-memory`; else 0.
 */
public class HalaException internal constructor(
    public val code: String,
    message: String,
    public val bytes: Long = 0,
) : RuntimeException(message) {
    /** As native methods throw it: texts in UTF-8. */
    internal constructor(code: ByteArray, message: ByteArray, bytes: Long) :
        this(code.decodeToString(), message.decodeToString(), bytes)

    override fun toString(): String = "HalaException ($code): $message"

    public companion object {
        /** The code where something is at work, and does one thing at a time. */
        public const val BUSY: String = "busy"

        /** The code where what is used was closed. */
        public const val DISPOSED: String = "disposed"
    }
}
