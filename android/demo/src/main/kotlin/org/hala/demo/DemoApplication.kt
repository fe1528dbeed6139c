// The process: what all screens share.

package org.hala.demo

import android.app.Application
import android.content.Context
import java.io.File
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import org.hala.Hala
import org.hala.ModelStore
import org.hala.android.BackgroundDownloads
import org.hala.android.deviceFolder
import org.hala.android.modelStore
import org.hala.android.thermalStatus
import org.hala.android.trimOnLowMemory
import org.hala.demo.chat.Conversations
import org.hala.demo.models.CurrentModel
import org.hala.demo.models.OfferedModel

class DemoApplication : Application() {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Main.immediate)

    val store: ModelStore by lazy { modelStore() }
    val downloads: BackgroundDownloads by lazy { BackgroundDownloads(this) }
    val conversations: Conversations by lazy { Conversations(File(noBackupFilesDir, "chat")) }
    val heat by lazy { thermalStatus() }

    /** The model in use, the one that was last chosen at first. */
    val model: CurrentModel by lazy {
        val choices = getSharedPreferences("choices", Context.MODE_PRIVATE)
        val first = OfferedModel.ALL.find { it.key == choices.getString(MODEL, null) } ?: OfferedModel.BUILT_IN
        val open = CurrentModel.Open { model, tell ->
            Hala.load(model.source(store), model.options.copy(devices = deviceFolder), tell).also { it.trimOnLowMemory(this) }
        }
        CurrentModel(scope, first, open) { choices.edit().putString(MODEL, it.key).apply() }
    }

    private companion object {
        const val MODEL = "model"
    }
}
