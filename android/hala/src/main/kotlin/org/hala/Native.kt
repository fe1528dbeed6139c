// The native methods, which crates/ffi/src/jni implements.

package org.hala

/**
 * The native library. Text is UTF-8, requests and answers are JSON, and numbers of type Long are handles; 0 is none. What fails throws a
 * [HalaException]. Methods called `…Next` wait, and are called on threads that may.
 */
internal object Native {
    /** The property that names the library's file, where it is not on the Java machine's path as `hala`. */
    private const val LIBRARY = "org.hala.library"

    init {
        val file = System.getProperty(LIBRARY)
        if (file == null) System.loadLibrary("hala") else System.load(file)
    }

    @JvmStatic external fun version(): ByteArray

    @JvmStatic external fun log(level: Int): Long

    @JvmStatic external fun logNext(log: Long): ByteArray?

    @JvmStatic external fun logCancel(log: Long)

    @JvmStatic external fun logRelease(log: Long)

    @JvmStatic external fun load(model: ByteArray): Long

    @JvmStatic external fun estimate(model: ByteArray): Long

    @JvmStatic external fun download(wanted: ByteArray): Long

    @JvmStatic external fun taskNext(task: Long): ByteArray?

    @JvmStatic external fun taskEngine(task: Long): Long

    @JvmStatic external fun taskCancel(task: Long)

    @JvmStatic external fun taskRelease(task: Long)

    @JvmStatic external fun info(engine: Long): ByteArray

    @JvmStatic external fun tokenize(engine: Long, text: ByteArray, special: Boolean): IntArray

    @JvmStatic external fun detokenize(engine: Long, tokens: IntArray): ByteArray

    @JvmStatic external fun countPrompt(engine: Long, messages: ByteArray): Int

    @JvmStatic external fun trim(engine: Long, sessions: Boolean)

    @JvmStatic external fun engineRelease(engine: Long)

    @JvmStatic external fun sessionNew(engine: Long): Long

    @JvmStatic external fun sessionSave(session: Long, path: ByteArray)

    @JvmStatic external fun sessionRestore(engine: Long, path: ByteArray): Long

    @JvmStatic external fun sessionRelease(session: Long)

    @JvmStatic external fun translate(engine: Long, request: ByteArray): Long

    @JvmStatic external fun translateAll(engine: Long, requests: ByteArray): Long

    @JvmStatic external fun chat(engine: Long, session: Long, request: ByteArray): Long

    @JvmStatic external fun generate(engine: Long, session: Long, request: ByteArray): Long

    @JvmStatic external fun streamNext(stream: Long): ByteArray?

    @JvmStatic external fun streamCancel(stream: Long)

    @JvmStatic external fun streamRelease(stream: Long)
}
