// Tests of downloads, from a server of this process.

package org.hala

import java.io.File
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch

internal fun Checks.ofDownloads() {
    test("a model comes, is checked, listed and deleted") {
        serving { server ->
            inFolder { folder ->
                val store = ModelStore(File(folder, "نماذج"))
                same(store.list(), emptyList())
                val model = RemoteModel.Url("${server.url}/model.gguf?key=1", hash(CONTENT))
                val states = store.download(model).toList()
                holds(states.any { it is DownloadState.Running && it.totalBytes == CONTENT.size.toLong() }) { states }
                holds(states.any { it is DownloadState.Verifying }) { states }
                val stored = (states.last() as DownloadState.Ready).model
                holds(stored.path!!.readBytes().contentEquals(CONTENT) && stored.name == "model.gguf") { stored }
                holds(stored.isComplete && stored.bytes in CONTENT.size..CONTENT.size + 4096L) { stored }
                same(store.list(), listOf(stored))
                same(Pair(store.find("model.gguf"), store.find("other")), Pair(stored, null))
                same(stored.source, ModelSource.Path(stored.path))
                // It is there and right: nothing is fetched again.
                val nRequests = server.ranges.size
                same(store.download(model).toList().last(), DownloadState.Ready(store.list().single()))
                same(server.ranges.size, nRequests)
                same(listOf(store.delete("other"), store.delete("model.gguf"), store.delete("model.gguf")), listOf(false, true, false))
                same(Pair(store.list(), store.size()), Pair(emptyList(), 0L))
            }
        }
    }

    test("a download that is stopped goes on where it was") {
        serving { server ->
            inFolder { folder ->
                val store = ModelStore(folder)
                val model = RemoteModel.Url("${server.url}/model.gguf", hash(CONTENT), name = "a/../b 😀")
                server.nBefore.set(1 shl 20)
                val isHalf = CompletableDeferred<Unit>()
                val job = kotlinx.coroutines.coroutineScope {
                    val job = launch {
                        store.download(model).collect { if (it is DownloadState.Running && it.bytes >= 1 shl 20) isHalf.complete(Unit) }
                    }
                    isHalf.await()
                    job.cancelAndJoin()
                    job
                }
                holds(job.isCancelled) { "it came to its end" }
                val part = store.list().single()
                holds(!part.isComplete && part.name == model.name && part.bytes >= 1 shl 20) { part }
                failure("missing-file") { part.source }
                server.nBefore.set(CONTENT.size)
                holds(store.download(model).toList().last() is DownloadState.Ready) { "no end" }
                same(server.ranges.size, 2)
                holds(server.ranges[1]!!.removePrefix("bytes=").substringBefore('-').toInt() >= 1 shl 20) { server.ranges }
                holds(store.list().single().path!!.readBytes().contentEquals(CONTENT)) { "other bytes" }
            }
        }
    }

    test("a download waits for a network that may be used, and stops when it may not") {
        serving { server ->
            inFolder { folder ->
                val isAllowed = MutableStateFlow(false)
                val store = ModelStore(folder, network = { isAllowed })
                server.nBefore.set(1 shl 20)
                val waiting = DownloadState.Waiting(DownloadState.Waiting.Reason.NETWORK)
                var nWaits = 0
                val last = CompletableDeferred<DownloadState>()
                store.download(RemoteModel.Url("${server.url}/model.gguf", hash(CONTENT))).collect { state ->
                    if (state == waiting) {
                        if (++nWaits == 2) server.nBefore.set(CONTENT.size)
                        isAllowed.value = true
                    } else if (state is DownloadState.Running && nWaits == 1 && state.bytes >= 1 shl 20) {
                        isAllowed.value = false
                    }
                    if (state is DownloadState.Ready || state is DownloadState.Failed) last.complete(state)
                }
                holds(last.await() is DownloadState.Ready && nWaits == 2) { Pair(last.await(), nWaits) }
                same(server.ranges.size, 2)
            }
        }
    }

    test("a model of the Hub comes once, and is estimated, loaded and deleted") {
        val server = HubServer.ofSmallModel(token = "secret")
        inFolder { folder ->
            val model = RemoteModel.Hub("team/small")
            val store = ModelStore(File(folder, "models"), token = "secret", endpoint = server.url)
            val states = store.download(model).toList()
            val stored = (states.last() as DownloadState.Ready).model
            holds(states.any { it is DownloadState.Running && it.file == "model.safetensors" }) { states }
            same(Pair(store.find("team/small"), store.list()), Pair(stored, listOf(stored)))
            val nFetched = server.nFetched.get()
            same(store.download(model).toList().last(), DownloadState.Ready(store.list().single()))
            same(server.nFetched.get(), nFetched)
            val options = LoadOptions(backend = "cpu", threads = 1)
            val estimate = Hala.estimate(stored.source, options)
            Hala.load(stored.source, options).use { hala ->
                same(Pair(hala.info.family, hala.info.weightBytes), Pair("lfm3", estimate.weightBytes))
                holds(hala.countTokens("Good morning.") > 1) { hala.info }
            }
            // Links of the Hub's folders are counted once.
            holds(stored.bytes < 2L * File("tests/fixtures/lfm3-page/model.safetensors").length() + (4 shl 20)) { stored }
            same(Pair(store.delete("team/small"), store.list()), Pair(true, emptyList()))
            val closed = ModelStore(File(folder, "closed"), endpoint = server.url).download(model).toList().last()
            same((closed as DownloadState.Failed).failure.code, "unauthorized")
        }
        server.stop()
    }

    test("what cannot be had fails with its code, as the last state") {
        serving { server ->
            inFolder { folder ->
                val store = ModelStore(folder, endpoint = server.url)
                suspend fun code(model: RemoteModel) = (store.download(model).toList().last() as DownloadState.Failed).failure.code
                same(code(RemoteModel.Url("${server.url}/other.gguf")), "not-found")
                same(code(RemoteModel.Url("${server.url}/model.gguf", "0".repeat(64), name = "wrong")), "corrupt-download")
                same(code(RemoteModel.Url("${server.url}/model.gguf", "abc")), "invalid-request")
                same(code(RemoteModel.Hub("team/small-model")), "not-found")
                same(code(RemoteModel.Hub("no slash")), "invalid-request")
                holds(store.list().none { it.isComplete }) { store.list() }
                val file = File(folder, "file").apply { writeText("") }
                val states = ModelStore(file).download(RemoteModel.Url("${server.url}/model.gguf")).toList()
                same((states.last() as DownloadState.Failed).failure.code, "reader")
            }
        }
    }
}
