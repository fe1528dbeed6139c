// What of androidx.work 2.12's Data is used. It holds what it is given, so that tests can look.

package androidx.work

class Data internal constructor(private val values: Map<String, Any?>) {
    val keyValueMap: Map<String, Any?> get() = values

    fun getString(key: String): String? = values[key] as? String

    fun getInt(key: String, defaultValue: Int): Int = values[key] as? Int ?: defaultValue

    fun getLong(key: String, defaultValue: Long): Long = values[key] as? Long ?: defaultValue

    companion object {
        @JvmField val EMPTY: Data = Data(emptyMap())
    }
}

fun workDataOf(vararg pairs: Pair<String, Any?>): Data = Data(pairs.toMap())
