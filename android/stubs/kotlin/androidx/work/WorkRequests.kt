// What of androidx.work 2.12's requests is used. They hold what they are given, so that tests can look.

package androidx.work

import java.util.UUID
import java.util.concurrent.TimeUnit

enum class NetworkType { NOT_REQUIRED, CONNECTED, UNMETERED, NOT_ROAMING, METERED, TEMPORARILY_UNMETERED }

enum class BackoffPolicy { EXPONENTIAL, LINEAR }

enum class ExistingWorkPolicy { REPLACE, KEEP, APPEND, APPEND_OR_REPLACE }

class Constraints internal constructor(val requiredNetworkType: NetworkType, private val requiresStorageNotLow: Boolean) {
    fun requiresStorageNotLow(): Boolean = requiresStorageNotLow

    class Builder {
        private var networkType = NetworkType.NOT_REQUIRED
        private var storageNotLow = false

        fun setRequiredNetworkType(networkType: NetworkType): Builder = apply { this.networkType = networkType }

        fun setRequiresStorageNotLow(requiresStorageNotLow: Boolean): Builder = apply { storageNotLow = requiresStorageNotLow }

        fun build(): Constraints = Constraints(networkType, storageNotLow)
    }
}

abstract class WorkRequest internal constructor(
    val id: UUID,
    val tags: Set<String>,
    /** Not to be seen there. */
    val constraints: Constraints,
    /** Not to be seen there. */
    val inputData: Data,
) {
    abstract class Builder<B : Builder<B, *>, W : WorkRequest> internal constructor() {
        internal var constraints = Constraints.Builder().build()
        internal var inputData = Data.EMPTY
        internal val tags = HashSet<String>()

        internal abstract val thisObject: B

        fun setConstraints(constraints: Constraints): B = thisObject.also { this.constraints = constraints }

        fun setInputData(inputData: Data): B = thisObject.also { this.inputData = inputData }

        fun addTag(tag: String): B = thisObject.also { tags.add(tag) }

        fun setBackoffCriteria(backoffPolicy: BackoffPolicy, backoffDelay: Long, timeUnit: TimeUnit): B =
            thisObject.also { check(backoffDelay > 0) { "$backoffPolicy $timeUnit" } }

        abstract fun build(): W
    }
}

class OneTimeWorkRequest private constructor(builder: Builder) :
    WorkRequest(UUID.randomUUID(), builder.tags, builder.constraints, builder.inputData) {
    class Builder(workerClass: Class<out ListenableWorker>) : WorkRequest.Builder<Builder, OneTimeWorkRequest>() {
        init {
            tags.add(workerClass.name)
        }

        override val thisObject: Builder get() = this

        override fun build(): OneTimeWorkRequest = OneTimeWorkRequest(this)
    }
}

inline fun <reified W : ListenableWorker> OneTimeWorkRequestBuilder(): OneTimeWorkRequest.Builder = OneTimeWorkRequest.Builder(W::class.java)
