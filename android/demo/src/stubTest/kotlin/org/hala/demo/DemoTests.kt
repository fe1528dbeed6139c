// Tests of the demo app's state: with the model that comes with it, without a screen.

package org.hala.demo

import androidx.lifecycle.SavedStateHandle
import java.io.File
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import org.hala.ChatMessage
import org.hala.Checks
import org.hala.DownloadState
import org.hala.Hala
import org.hala.HalaException
import org.hala.Language
import org.hala.LoadOptions
import org.hala.ModelSource
import org.hala.StoredModel
import org.hala.android.ThermalStatus
import org.hala.demo.chat.ChatViewModel
import org.hala.demo.chat.Conversations
import org.hala.demo.look.sentenceOf
import org.hala.demo.models.CurrentModel
import org.hala.demo.models.Memory
import org.hala.demo.models.ModelAction
import org.hala.demo.models.ModelRow
import org.hala.demo.models.ModelState
import org.hala.demo.models.OfferedModel
import org.hala.demo.translate.TranslateViewModel
import org.hala.failure
import org.hala.holds
import org.hala.inFolder
import org.hala.same

private val COOL = MutableStateFlow(ThermalStatus.NONE)

/** The app's model, on the thread that the app has for everything. */
@OptIn(ExperimentalCoroutinesApi::class)
private fun current(first: OfferedModel = OfferedModel.BUILT_IN): CurrentModel {
    val open = CurrentModel.Open { model, tell ->
        val source = if (model.remote == null) ModelSource.BuiltIn else ModelSource.Path(File("/none"))
        Hala.load(source, LoadOptions(backend = "cpu", threads = 1), tell)
    }
    return CurrentModel(CoroutineScope(Dispatchers.Default.limitedParallelism(1)), first, open)
}

private val OTHER = OfferedModel.ALL.last()

internal fun Checks.ofDemo() {
    test("a translation comes, turns round, and outlives the process") {
        val saved = SavedStateHandle()
        val model = current()
        val screen = TranslateViewModel(model, saved, COOL)
        same(screen.state.value.from, Language.ARABIC)
        screen.onText("صباح الخير.")
        screen.translate()
        same(screen.state.first { !it.isBusy && it.translation.isNotEmpty() }.translation, "Good morning.")
        screen.swap()
        same(Triple("Good morning.", "", Language.ENGLISH), screen.state.value.let { Triple(it.text, it.translation, it.from) })
        val next = TranslateViewModel(model, saved, COOL).state.value
        same(Pair(next.text, next.from), Pair("Good morning.", Language.ENGLISH))
        model.ready().close()
    }

    test("what goes wrong is told, the text stays, and writing takes it away") {
        val model = current()
        val screen = TranslateViewModel(model, SavedStateHandle(), COOL)
        model.ready().close()
        screen.onText("Good morning.")
        screen.translate()
        val failed = screen.state.first { it.failure != null && !it.isBusy }
        same(Pair(failed.failure?.code, failed.text), Pair(HalaException.DISPOSED, "Good morning."))
        screen.onText("Good")
        same(screen.state.value.failure, null)
    }

    test("a conversation outlives the process, with what was computed of it") {
        inFolder { folder ->
            val (saved, model) = Pair(SavedStateHandle(), current())
            val screen = ChatViewModel(model, Conversations(folder), saved, COOL)
            screen.onDraft("Good morning.")
            screen.send()
            val first = screen.state.first { !it.isBusy && it.messages.size == 2 }.messages
            same(first.first(), ChatMessage(ChatMessage.Role.USER, "Good morning."))
            screen.onDraft("Good ev")
            screen.keep()
            while (!File(folder, "session").isFile) kotlinx.coroutines.yield()
            val next = ChatViewModel(model, Conversations(folder), saved, COOL)
            same(next.state.first { it.messages.isNotEmpty() }.messages, first)
            same(next.state.value.draft, "Good ev")
            next.send()
            same(next.state.first { !it.isBusy && it.messages.size == 4 }.messages.take(2), first)
            next.newChat()
            next.state.first { it.messages.isEmpty() && !it.isBusy }
            same(Conversations(folder).messages(), emptyList())
            model.ready().close()
        }
    }

    test("a reply that is stopped stays as far as it came") {
        inFolder { folder ->
            val model = current()
            val screen = ChatViewModel(model, Conversations(folder), SavedStateHandle(), COOL)
            screen.onDraft("Translate everything that follows into Arabic:\n\nGood morning. Where is the station? I live in a small house.")
            screen.send()
            screen.state.first { it.reply.isNotEmpty() || !it.isBusy && it.messages.isNotEmpty() }
            screen.stop()
            val messages = screen.state.first { !it.isBusy }.messages
            holds(messages.size == 2 && messages.last().content.isNotEmpty()) { messages }
            model.ready().close()
        }
    }

    test("messages are kept whole, and what is damaged is none") {
        inFolder { folder ->
            val kept = Conversations(File(folder, "a/b"))
            val said = listOf(ChatMessage(ChatMessage.Role.USER, "س".repeat(70_000)), ChatMessage(ChatMessage.Role.ASSISTANT, "b", "c 😀"))
            same(kept.messages(), emptyList())
            kept.write(said)
            same(kept.messages(), said)
            File(folder, "a/b/messages").writeBytes(byteArrayOf(0, 0, 0, 9, 1))
            same(kept.messages(), emptyList())
        }
    }

    test("a model that cannot be loaded is told, and another may be chosen") {
        val model = current(OTHER)
        failure("missing-file") { model.ready() }
        same((model.state.value as ModelState.Failed).model, OTHER)
        model.choose(OfferedModel.BUILT_IN)
        val hala = model.ready()
        model.choose(OfferedModel.BUILT_IN)
        holds(model.ready() === hala) { "it was loaded again" }
        model.choose(OTHER)
        failure(HalaException.DISPOSED) { hala.countTokens("a") }
    }

    test("a row offers what can be done with its model") {
        fun actions(offered: OfferedModel, isInUse: Boolean, stored: StoredModel?, download: DownloadState?) =
            ModelRow(offered, isInUse, stored, Memory.Unknown, download).actions
        val whole = StoredModel("a", File("a"), 1, 0)
        same(actions(OfferedModel.BUILT_IN, true, null, null), emptySet())
        same(actions(OfferedModel.BUILT_IN, false, null, null), setOf(ModelAction.USE))
        same(actions(OTHER, false, null, null), setOf(ModelAction.DOWNLOAD))
        same(actions(OTHER, false, whole.copy(path = null), DownloadState.Running("a", 1, 2)), setOf(ModelAction.STOP))
        same(actions(OTHER, false, whole.copy(path = null), null), setOf(ModelAction.DOWNLOAD, ModelAction.DELETE))
        same(actions(OTHER, false, whole, DownloadState.Ready(whole)), setOf(ModelAction.USE, ModelAction.DELETE))
        same(actions(OTHER, true, whole, null), setOf(ModelAction.DELETE))
    }

    test("errors have sentences of their own") {
        val codes = listOf("out-of-memory", "network", "not-found", "unauthorized", "damaged-model", "unsupported-model", "reader", "internal")
        same(codes.map(::sentenceOf).toSet().size, codes.size)
        same(sentenceOf("a-word-of-tomorrow"), R.string.failure_other)
    }
}
