// JSON as native methods take and give it.

package org.hala

/** Reading and writing JSON: objects are maps, arrays lists, whole numbers Long, others Double. */
internal object Json {
    /** A value in JSON, in UTF-8. */
    fun bytes(value: Any?): ByteArray = StringBuilder().also { write(value, it) }.toString().encodeToByteArray()

    /** An object without the fields that are null. */
    fun given(vararg fields: Pair<String, Any?>): Map<String, Any> =
        fields.mapNotNull { (name, value) -> value?.let { name to it } }.toMap()

    /** The object in these bytes. */
    fun parse(bytes: ByteArray): Fields = Fields(parse(bytes.decodeToString()) as? Map<*, *> ?: emptyMap<String, Any?>())

    /** The value in this text. Throws a [HalaException] where it is no JSON. */
    fun parse(text: String): Any? = JsonReader(text).whole()

    private fun write(value: Any?, to: StringBuilder) {
        when (value) {
            null -> to.append("null")
            is String -> writeText(value, to)
            is Map<*, *> -> value.entries.joinTo(to, ",", "{", "}") { (name, field) ->
                StringBuilder().also { writeText(name.toString(), it); it.append(':'); write(field, it) }
            }
            is Iterable<*> -> value.joinTo(to, ",", "[", "]") { item -> StringBuilder().also { write(item, it) } }
            is Boolean, is Int, is Long -> to.append(value)
            is Number -> {
                if (!value.toDouble().isFinite()) throw HalaException("invalid-request", "$value is no number that can be asked for")
                to.append(value)
            }
            else -> throw HalaException("invalid-request", "a ${value.javaClass.name} cannot be written as JSON")
        }
    }

    private fun writeText(text: String, to: StringBuilder) {
        to.append('"')
        for (c in text) {
            when {
                c == '"' || c == '\\' -> to.append('\\').append(c)
                c < ' ' -> to.append("\\u").append(c.code.toString(16).padStart(4, '0'))
                else -> to.append(c)
            }
        }
        to.append('"')
    }
}

/** An object's fields, by what they must be. What is missing is empty. */
internal class Fields(private val map: Map<*, *>) {
    fun text(name: String): String = map[name] as? String ?: ""

    fun textGiven(name: String): String? = map[name] as? String

    fun int(name: String): Int = long(name).toInt()

    fun long(name: String): Long = (map[name] as? Number)?.toLong() ?: 0

    fun double(name: String): Double = (map[name] as? Number)?.toDouble() ?: 0.0

    fun boolean(name: String): Boolean = map[name] as? Boolean ?: false

    fun fields(name: String): Fields = Fields(map[name] as? Map<*, *> ?: emptyMap<String, Any?>())

    fun list(name: String): List<Fields> = (map[name] as? List<*>).orEmpty().map { Fields(it as? Map<*, *> ?: emptyMap<String, Any?>()) }

    /** A field as JSON. */
    fun json(name: String): String = Json.bytes(map[name]).decodeToString()

    fun span(name: String): Pair<Int, Int> {
        val ends = (map[name] as? List<*>).orEmpty().map { (it as? Number)?.toInt() ?: 0 }
        return Pair(ends.getOrElse(0) { 0 }, ends.getOrElse(1) { 0 })
    }
}

/** Reads one value, by RFC 8259. */
private class JsonReader(private val text: String) {
    private var at = 0

    fun whole(): Any? {
        val value = value()
        skipSpace()
        if (at < text.length) fail("nothing more")
        return value
    }

    private fun value(): Any? {
        skipSpace()
        return when (peek()) {
            '{' -> objectValue()
            '[' -> array()
            '"' -> string()
            't' -> word("true", true)
            'f' -> word("false", false)
            'n' -> word("null", null)
            else -> number()
        }
    }

    private fun objectValue(): Map<String, Any?> {
        val map = LinkedHashMap<String, Any?>()
        items('}') {
            skipSpace()
            val name = string()
            skipSpace()
            take(':')
            map[name] = value()
        }
        return map
    }

    private fun array(): List<Any?> = ArrayList<Any?>().also { list -> items(']') { list.add(value()) } }

    private fun items(end: Char, item: () -> Unit) {
        at++
        skipSpace()
        if (peek() == end) { at++; return }
        while (true) {
            item()
            skipSpace()
            if (peek() == end) { at++; return }
            take(',')
        }
    }

    private fun string(): String {
        take('"')
        val to = StringBuilder()
        while (true) {
            when (val c = next()) {
                '"' -> return to.toString()
                '\\' -> to.append(escaped())
                else -> to.append(c)
            }
        }
    }

    private fun escaped(): Char = when (val c = next()) {
        'b' -> '\b'
        'f' -> '\u000c'
        'n' -> '\n'
        'r' -> '\r'
        't' -> '\t'
        'u' -> {
            val code = text.substring(at, minOf(at + 4, text.length)).toIntOrNull(16) ?: fail("four hexadecimal digits")
            at += 4
            code.toChar()
        }
        else -> c
    }

    private fun number(): Number {
        val start = at
        while (at < text.length && (text[at].isLetterOrDigit() || text[at] in "+-.")) at++
        val digits = text.substring(start, at)
        return digits.toLongOrNull() ?: digits.toDoubleOrNull() ?: fail("a value")
    }

    private fun <T> word(word: String, value: T): T {
        if (!text.startsWith(word, at)) fail(word)
        at += word.length
        return value
    }

    private fun skipSpace() {
        while (at < text.length && text[at] in " \t\r\n") at++
    }

    private fun peek(): Char = text.getOrElse(at) { fail("more") }

    private fun next(): Char = peek().also { at++ }

    private fun take(c: Char) {
        if (next() != c) fail("'$c'")
    }

    private fun fail(expected: String): Nothing =
        throw HalaException("invalid-request", "no JSON: at character $at of ${text.length} there must be $expected")
}
