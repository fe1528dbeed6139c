// How a download goes, as WorkManager keeps it.

package org.hala.android

import androidx.work.Data
import androidx.work.WorkInfo
import androidx.work.workDataOf
import org.hala.DownloadState
import org.hala.HalaException
import org.hala.ModelStore

/** The state of a download by what WorkManager knows of its work; null where it was stopped, or the model was deleted since. */
internal suspend fun stateOf(info: WorkInfo, store: ModelStore, name: String): DownloadState? = when (info.state) {
    WorkInfo.State.ENQUEUED, WorkInfo.State.BLOCKED -> DownloadState.Waiting(reasonOf(info))
    WorkInfo.State.RUNNING -> Progress.of(info.progress)
    WorkInfo.State.SUCCEEDED -> store.find(name)?.takeIf { it.isComplete }?.let(DownloadState::Ready)
    WorkInfo.State.FAILED -> DownloadState.Failed(Failure.of(info.outputData))
    WorkInfo.State.CANCELLED -> null
}

/** Work that has run before and was to be tried again waits for that, or for what it was stopped for. */
private fun reasonOf(info: WorkInfo) =
    if (info.runAttemptCount > 0) DownloadState.Waiting.Reason.RETRY else DownloadState.Waiting.Reason.NETWORK

/** What a worker tells while it runs. */
internal object Progress {
    private const val KIND = "kind"
    private const val FILE = "file"
    private const val BYTES = "bytes"
    private const val TOTAL = "total"
    private const val RUNNING = "running"
    private const val VERIFYING = "verifying"

    fun dataOf(state: DownloadState): Data = when (state) {
        is DownloadState.Running -> workDataOf(KIND to RUNNING, FILE to state.file, BYTES to state.bytes, TOTAL to state.totalBytes)
        is DownloadState.Verifying -> workDataOf(KIND to VERIFYING, FILE to state.file, BYTES to state.bytes, TOTAL to state.totalBytes)
        is DownloadState.Waiting -> workDataOf(KIND to state.reason.name)
        // The ends of the work say these.
        is DownloadState.Ready, is DownloadState.Failed -> Data.EMPTY
    }

    fun of(data: Data): DownloadState {
        val file = data.getString(FILE) ?: ""
        val (bytes, total) = Pair(data.getLong(BYTES, 0), data.getLong(TOTAL, 0))
        return when (val kind = data.getString(KIND)) {
            RUNNING -> DownloadState.Running(file, bytes, total)
            VERIFYING -> DownloadState.Verifying(file, bytes, total)
            else -> DownloadState.Waiting(DownloadState.Waiting.Reason.entries.find { it.name == kind } ?: DownloadState.Waiting.Reason.SERVER)
        }
    }
}

/** What a worker ends with when it fails. */
internal object Failure {
    private const val CODE = "code"
    private const val MESSAGE = "message"

    /** More than this WorkManager would not keep: its data have 10 KB. */
    private const val MOST_CHARACTERS = 2000

    fun dataOf(failure: HalaException): Data =
        workDataOf(CODE to failure.code, MESSAGE to failure.message.orEmpty().take(MOST_CHARACTERS))

    /** Of work that failed without a word, as when it could not be made, there is nothing to say but that. */
    fun of(data: Data): HalaException {
        val message = data.getString(MESSAGE) ?: "the system could not run the download: begin it again"
        return HalaException(data.getString(CODE) ?: "internal", message)
    }
}
