// What of androidx.work 2.12's workers is used.

package androidx.work

import android.app.Notification
import android.content.Context
import java.util.UUID

/** Its constructor is not public there; here tests make one, and [told] takes what the worker tells. */
class WorkerParameters(val id: UUID, val inputData: Data, val runAttemptCount: Int, val told: suspend (Any) -> Unit)

class ForegroundInfo(val notificationId: Int, val notification: Notification, val foregroundServiceType: Int)

abstract class ListenableWorker(appContext: Context, workerParams: WorkerParameters) {
    val applicationContext: Context = appContext
    val id: UUID = workerParams.id
    val inputData: Data = workerParams.inputData
    val runAttemptCount: Int = workerParams.runAttemptCount

    abstract class Result internal constructor() {
        abstract val outputData: Data

        companion object {
            @JvmStatic fun success(): Result = Success(Data.EMPTY)

            @JvmStatic fun success(outputData: Data): Result = Success(outputData)

            @JvmStatic fun retry(): Result = Retry

            @JvmStatic fun failure(outputData: Data): Result = Failure(outputData)
        }

        private class Success(override val outputData: Data) : Result()

        private class Failure(override val outputData: Data) : Result()

        private object Retry : Result() {
            override val outputData: Data get() = Data.EMPTY
        }
    }
}

abstract class CoroutineWorker(appContext: Context, private val params: WorkerParameters) : ListenableWorker(appContext, params) {
    abstract suspend fun doWork(): Result

    open suspend fun getForegroundInfo(): ForegroundInfo = throw IllegalStateException("Not implemented")

    suspend fun setForeground(foregroundInfo: ForegroundInfo): Unit = params.told(foregroundInfo)

    suspend fun setProgress(data: Data): Unit = params.told(data)
}
