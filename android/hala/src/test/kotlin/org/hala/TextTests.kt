// Tests of what crosses the border: JSON, places in texts, failures with their words.

package org.hala

import java.io.File

internal fun Checks.ofTexts() {
    test("a value comes back from JSON as it was") {
        val value = mapOf(
            "text" to "سطر\n\"مقتبس\" \\ \u0001 😀",
            "list" to listOf(1L, -2.5, true, null, emptyList<Any>(), emptyMap<String, Any>()),
        )
        same(Json.parse(Json.bytes(value).decodeToString()), value)
        same(Json.parse(" { \"a\" : \"\\u0635\\/\\ud83d\\ude00\" , \"b\":[1e3 ,0]} "), mapOf("a" to "ص/😀", "b" to listOf(1000.0, 0L)))
    }

    test("what is no JSON is refused") {
        for (text in listOf("", "{", "[1,", "[1 2]", "\"a", "\"\\u00g0\"", "nul", "{} {}", "--1")) {
            failure("invalid-request") { Json.parse(text) }
        }
        failure("invalid-request") { Json.bytes(mapOf("temperature" to Float.NaN)) }
    }

    test("places in bytes are places in UTF-16 units") {
        val text = "aص€😀\ud800b"
        val places = Utf16(text)
        // Of 1, 2, 3 and 4 bytes, half a pair that goes as one, and one more.
        same(listOf(0 to 1, 1 to 3, 3 to 6, 6 to 10, 10 to 11, 11 to 12).map(places::span).map { text.substring(it.start, it.end) },
            listOf("a", "ص", "€", "😀", "\ud800", "b"))
        same(places.span(0 to 3), Span(0, 2))
    }

    test("a failure has its code and its words, in Arabic too") {
        val place = File("/لا يوجد هنا/نموذج 😀")
        val failure = failure("reader", "missing-file") { Hala.load(ModelSource.Path(place)) }
        holds(place.path in failure.message.orEmpty()) { failure }
        val word = failure("invalid-argument") { Hala.load(options = LoadOptions(backend = "شيء آخر")) }
        holds("شيء آخر" in word.message.orEmpty() && word.toString().startsWith("HalaException (invalid-argument): ")) { word }
        failure("invalid-request") { Hala.load(ModelSource.Hub("no slash", File("."))) }
    }

    test("a native method that is misused throws") {
        failure("invalid-handle") { Native.info(0) }
        failure("invalid-handle") { Native.info(-1) }
        failure("invalid-handle") { Native.streamNext(Native.load(Json.bytes(mapOf("path" to "/nowhere")))) }
        failure("invalid-request") { Native.load("{".encodeToByteArray()) }
        failure("invalid-request") { Native.load("{\"modle\":1}".encodeToByteArray()) }
        failure("invalid-utf8") { Native.load(byteArrayOf(-1)) }
    }
}

/** The failure of work that must fail with one of these codes. */
private suspend fun failure(first: String, second: String, work: suspend () -> Any?): HalaException {
    val given = try {
        work()
    } catch (failure: HalaException) {
        holds(failure.code == first || failure.code == second) { failure }
        return failure
    }
    throw AssertionError("$given instead of a failure")
}
