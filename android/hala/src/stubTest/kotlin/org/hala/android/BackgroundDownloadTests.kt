// Tests of downloads in the background: the work itself with a server of this process, and what WorkManager is asked and tells.

package org.hala.android

import android.app.PendingIntent
import androidx.work.Data
import androidx.work.ExistingWorkPolicy
import androidx.work.ForegroundInfo
import androidx.work.ListenableWorker
import androidx.work.NetworkType
import androidx.work.OneTimeWorkRequest
import androidx.work.Operation
import androidx.work.WorkInfo
import androidx.work.WorkManager
import androidx.work.WorkerParameters
import java.io.File
import java.util.UUID
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import org.hala.CONTENT
import org.hala.Checks
import org.hala.DownloadState
import org.hala.HalaException
import org.hala.ModelStore
import org.hala.RemoteModel
import org.hala.hash
import org.hala.holds
import org.hala.inFolder
import org.hala.same
import org.hala.serving

/** What is asked of WorkManager, and what it tells. */
private class FakeWorkManager : WorkManager() {
    val asked = ArrayList<Triple<String, ExistingWorkPolicy, OneTimeWorkRequest>>()
    val stopped = ArrayList<String>()
    val infos = MutableStateFlow<List<WorkInfo>>(emptyList())

    private val done = object : Operation {}

    override fun enqueueUniqueWork(uniqueWorkName: String, existingWorkPolicy: ExistingWorkPolicy, request: OneTimeWorkRequest): Operation {
        asked.add(Triple(uniqueWorkName, existingWorkPolicy, request))
        return done
    }

    override fun cancelUniqueWork(uniqueWorkName: String): Operation {
        stopped.add(uniqueWorkName)
        return done
    }

    override fun createCancelPendingIntent(id: UUID): PendingIntent = PendingIntent()

    override fun getWorkInfosForUniqueWorkFlow(uniqueWorkName: String): Flow<List<WorkInfo>> = infos
}

private suspend fun managing(work: suspend (FakeWorkManager) -> Unit) {
    val manager = FakeWorkManager()
    WorkManager.instance = manager
    try {
        work(manager)
    } finally {
        WorkManager.instance = null
    }
}

/** A run of the work, and what it tells. */
private class Run(context: FakeContext, data: Data, nRuns: Int = 0, private val onTold: (Any) -> Unit = {}) {
    val told = ArrayList<Any>()
    val worker = DownloadWorker(context, WorkerParameters(UUID.randomUUID(), data, nRuns) { told.add(it); onTold(it) })

    val progress: List<DownloadState> get() = told.filterIsInstance<Data>().filter { it != Data.EMPTY }.map(Progress::of)
}

private fun info(state: WorkInfo.State, output: Data = Data.EMPTY, progress: Data = Data.EMPTY, nRuns: Int = 0) =
    WorkInfo(UUID.randomUUID(), state, emptySet(), output, progress, nRuns)

internal fun Checks.ofBackgroundDownloads() {
    test("what is asked of WorkManager is one work for each model, with the networks that it may use") {
        managing { manager ->
            inFolder { folder ->
                val downloads = BackgroundDownloads(FakeContext(folder), endpoint = "http://a")
                downloads.start(RemoteModel.Hub("team/model"), token = "secret")
                downloads.start(RemoteModel.Url("http://b/c.gguf", "ab"), Networks.ANY)
                same(manager.asked.map { Pair(it.first, it.second) }, listOf("team/model", "c.gguf").map { Pair("hala-download:$it", ExistingWorkPolicy.KEEP) })
                val (first, second) = manager.asked.map { it.third }
                same(listOf(first, second).map { it.constraints.requiredNetworkType }, listOf(NetworkType.UNMETERED, NetworkType.CONNECTED))
                holds(first.constraints.requiresStorageNotLow()) { "it fills the device" }
                same(Wanted.of(first.inputData).model, RemoteModel.Hub("team/model"))
                same(Wanted.of(second.inputData).model, RemoteModel.Url("http://b/c.gguf", "ab"))
                same(first.inputData.getString("token"), "secret")
                downloads.stop("team/model")
                same(manager.stopped, listOf("hala-download:team/model"))
            }
        }
    }

    test("the work downloads a model, tells how far it is, and ends with success") {
        managing { manager ->
            serving { server ->
                inFolder { folder ->
                    val context = FakeContext(folder)
                    val model = RemoteModel.Url("${server.url}/model.gguf", hash(CONTENT))
                    val run = Run(context, Wanted(model, context.modelFolder, null, null).data())
                    same(run.worker.doWork().javaClass, ListenableWorker.Result.success().javaClass)
                    val progress = run.progress
                    holds(progress.any { it is DownloadState.Running && it.totalBytes == CONTENT.size.toLong() }) { progress }
                    holds(progress.any { it is DownloadState.Verifying }) { progress }
                    holds(run.told.count { it is ForegroundInfo } > 2) { run.told }
                    same(run.told.filterIsInstance<ForegroundInfo>().map { it.foregroundServiceType }.toSet(), setOf(1))
                    val downloads = BackgroundDownloads(context)
                    manager.infos.value = listOf(info(WorkInfo.State.SUCCEEDED))
                    val stored = (downloads.states(model.name).first() as DownloadState.Ready).model
                    holds(stored.path!!.readBytes().contentEquals(CONTENT)) { stored }
                    context.modelStore().delete(model.name)
                    same(downloads.states(model.name).first(), null)
                }
            }
        }
    }

    test("work that is stopped goes on from there when it runs again, also where it may be no foreground service") {
        managing {
            serving { server ->
                inFolder { folder ->
                    val context = FakeContext(folder)
                    val data = Wanted(RemoteModel.Url("${server.url}/model.gguf", hash(CONTENT)), context.modelFolder, null, null).data()
                    server.nBefore.set(1 shl 20)
                    val isHalf = kotlinx.coroutines.CompletableDeferred<Unit>()
                    kotlinx.coroutines.coroutineScope {
                        val job = launch {
                            // Half per cents are told: not the very last byte before the server waits.
                            Run(context, data) { if (it is Data && it.getLong("bytes", 0) >= 1 shl 19) isHalf.complete(Unit) }.worker.doWork()
                        }
                        isHalf.await()
                        job.cancelAndJoin()
                    }
                    server.nBefore.set(CONTENT.size)
                    val again = Run(context, data, nRuns = 1) { if (it is ForegroundInfo) throw IllegalStateException("in the background") }
                    same(again.worker.doWork().javaClass, ListenableWorker.Result.success().javaClass)
                    holds(server.ranges.size == 2) { server.ranges }
                    holds(server.ranges[1]!!.removePrefix("bytes=").substringBefore('-').toInt() >= 1 shl 19) { server.ranges }
                }
            }
        }
    }

    test("what may pass is tried again, and what does not is told") {
        managing {
            serving { server ->
                inFolder { folder ->
                    val context = FakeContext(folder)
                    val data = Wanted(RemoteModel.Url("${server.url}/other.gguf"), context.modelFolder, null, null).data()
                    same(Failure.of(Run(context, data).worker.doWork().outputData).code, "not-found")
                }
            }
        }
        val broken = HalaException("network", "it broke")
        same(listOf(0, 6).map { DownloadWorker.resultOf(broken, it) }.toSet(), setOf(ListenableWorker.Result.retry()))
        same(Failure.of(DownloadWorker.resultOf(broken, 7).outputData).message, "it broke")
        same(Failure.of(DownloadWorker.resultOf(HalaException("reader", "it is full"), 0).outputData).code, "reader")
    }

    test("what WorkManager knows of work is how its download goes") {
        inFolder { folder ->
            val store = ModelStore(File(folder, "models"))
            suspend fun state(info: WorkInfo) = stateOf(info, store, "a")
            same(state(info(WorkInfo.State.ENQUEUED)), DownloadState.Waiting(DownloadState.Waiting.Reason.NETWORK))
            same(state(info(WorkInfo.State.ENQUEUED, nRuns = 1)), DownloadState.Waiting(DownloadState.Waiting.Reason.RETRY))
            same(state(info(WorkInfo.State.RUNNING)), DownloadState.Waiting(DownloadState.Waiting.Reason.SERVER))
            val states = listOf(
                DownloadState.Running("a", 1, 2),
                DownloadState.Verifying("a", 2, 2),
                DownloadState.Waiting(DownloadState.Waiting.Reason.RETRY),
            )
            same(states.map { state(info(WorkInfo.State.RUNNING, progress = Progress.dataOf(it))) }, states)
            val long = HalaException("http", "ا".repeat(5000))
            val failed = state(info(WorkInfo.State.FAILED, output = Failure.dataOf(long))) as DownloadState.Failed
            same(Pair(failed.failure.code, failed.failure.message), Pair("http", "ا".repeat(2000)))
            same((state(info(WorkInfo.State.FAILED)) as DownloadState.Failed).failure.code, "internal")
            same(listOf(WorkInfo.State.CANCELLED, WorkInfo.State.SUCCEEDED).map { state(info(it)) }, listOf(null, null))
        }
    }

    test("the notification says how much is there, where that is known") {
        same(DownloadNotice.permilleOf(DownloadState.Running("a", 1, 4)), 250)
        same(DownloadNotice.permilleOf(DownloadState.Verifying("a", 4, 4)), 1000)
        same(listOf(null, DownloadState.Running("a", 1, 0)).map(DownloadNotice::permilleOf), listOf(null, null))
    }
}
