// What of androidx.work 2.12's WorkManager is used. Tests put one of their own in its place.

package androidx.work

import android.app.PendingIntent
import android.content.Context
import java.util.UUID
import kotlinx.coroutines.flow.Flow

class WorkInfo(
    val id: UUID,
    val state: State,
    val tags: Set<String>,
    val outputData: Data = Data.EMPTY,
    val progress: Data = Data.EMPTY,
    val runAttemptCount: Int = 0,
    val generation: Int = 0,
) {
    enum class State {
        ENQUEUED, RUNNING, SUCCEEDED, FAILED, BLOCKED, CANCELLED;

        val isFinished: Boolean get() = this == SUCCEEDED || this == FAILED || this == CANCELLED
    }
}

interface Operation {
    abstract class State private constructor() {
        class SUCCESS internal constructor()
    }
}

/** Waits until it is done; throws what went wrong. Inline there, and of another type, which nobody looks at. */
suspend fun Operation.await(): Any = this

abstract class WorkManager {
    abstract fun enqueueUniqueWork(uniqueWorkName: String, existingWorkPolicy: ExistingWorkPolicy, request: OneTimeWorkRequest): Operation

    abstract fun cancelUniqueWork(uniqueWorkName: String): Operation

    abstract fun createCancelPendingIntent(id: UUID): PendingIntent

    abstract fun getWorkInfosForUniqueWorkFlow(uniqueWorkName: String): Flow<List<WorkInfo>>

    companion object {
        /** What [getInstance] gives; tests set it. */
        var instance: WorkManager? = null

        @JvmStatic fun getInstance(context: Context): WorkManager = checkNotNull(instance) { "no WorkManager for $context" }
    }
}
