// The work of a download, as WorkManager runs it.

package org.hala.android

import android.content.Context
import androidx.work.CoroutineWorker
import androidx.work.ForegroundInfo
import androidx.work.WorkerParameters
import kotlinx.coroutines.flow.distinctUntilChangedBy
import org.hala.DownloadState
import org.hala.HalaException

/** Downloads a model. When it is stopped what has come is kept, and the next run goes on from there. */
internal class DownloadWorker(context: Context, parameters: WorkerParameters) : CoroutineWorker(context, parameters) {
    private val wanted = Wanted.of(inputData)
    private val notice = DownloadNotice(context, id, wanted.model.name)

    override suspend fun getForegroundInfo(): ForegroundInfo = notice.of(null)

    override suspend fun doWork(): Result {
        var last: DownloadState? = null
        show(null)
        wanted.store().download(wanted.model).distinctUntilChangedBy(::shown).collect { state ->
            last = state
            setProgress(Progress.dataOf(state))
            show(state)
        }
        return when (val end = last) {
            is DownloadState.Ready -> Result.success()
            is DownloadState.Failed -> resultOf(end.failure, runAttemptCount)
            else -> error("a download ends with Ready or Failed, not $end")
        }
    }

    /** Shows how far it is. Begun anew in the background the work may be no foreground service, and goes on as long as the system lets it. */
    private suspend fun show(state: DownloadState?) {
        try {
            setForeground(notice.of(state))
        } catch (_: IllegalStateException) {
            return
        }
    }

    internal companion object {
        /** Failures that may be gone when it is tried again. */
        private val PASSING = setOf("network", "http")

        /** An hour, from the first pause on. */
        private const val N_TRIES = 8

        /** What becomes of work that failed after that many earlier runs. */
        fun resultOf(failure: HalaException, nRuns: Int): Result =
            if (failure.code in PASSING && nRuns + 1 < N_TRIES) Result.retry() else Result.failure(Failure.dataOf(failure))

        /** What is seen of a state: WorkManager writes each to its database, and the system draws it. */
        private fun shown(state: DownloadState): Any = when (state) {
            is DownloadState.Running -> Triple("running", state.file, part(state.bytes, state.totalBytes))
            is DownloadState.Verifying -> Triple("verifying", state.file, part(state.bytes, state.totalBytes))
            else -> state
        }

        /** Half per cents, or 16 MiB where the whole is not known. */
        private fun part(bytes: Long, total: Long): Long = if (total > 0) bytes * 200 / total else bytes shr 24
    }
}
