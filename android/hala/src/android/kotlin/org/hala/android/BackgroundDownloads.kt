// Downloads that go on without the app.

package org.hala.android

import android.content.Context
import androidx.work.BackoffPolicy
import androidx.work.Constraints
import androidx.work.ExistingWorkPolicy
import androidx.work.NetworkType
import androidx.work.OneTimeWorkRequest
import androidx.work.OneTimeWorkRequestBuilder
import androidx.work.WorkManager
import androidx.work.await
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.map
import org.hala.DownloadState
import org.hala.ModelStore
import org.hala.RemoteModel

/**
 * Downloads that go on when the app is left, when its process dies and when the device starts anew, each time from where they were. A notification says
 * how far one is, and stops it.
 *
 * WorkManager runs them as work with a foreground service of type dataSync, one for each model. User-initiated data transfer jobs would be another way:
 * Android has them since version 14 alone, they begin only while the app is seen, and a device that starts anew forgets them. What they are better at, downloads of more
 * than the six hours in a day that Android 15 gives dataSync, models do not need; and where the system stops the work for that or any other reason, it goes on later from where it was.
 *
 * On Android 13 and later the notification is shown where the app has asked for POST_NOTIFICATIONS and got it; downloads go on without.
 *
 * @param endpoint The Hub's server, where it is another.
 */
public class BackgroundDownloads(context: Context, private val endpoint: String? = null) {
    private val work = WorkManager.getInstance(context.applicationContext)
    private val folder = context.modelFolder
    private val store = ModelStore(folder)

    /**
     * Begins to download a model, or goes on. One that is on its way stays as it is: [stop] it first where it is to use other networks.
     *
     * @param token An access token of the Hub. WorkManager keeps it with the work, in a folder of the app's own that no backup takes, until the work has ended.
     */
    public suspend fun start(model: RemoteModel, networks: Networks = Networks.UNMETERED, token: String? = null) {
        val wanted = Wanted(model, folder, token, endpoint)
        work.enqueueUniqueWork(nameOf(model.name), ExistingWorkPolicy.KEEP, requestOf(wanted, networks)).await()
    }

    /** Stops a model's download. What has come stays. */
    public suspend fun stop(name: String) {
        work.cancelUniqueWork(nameOf(name)).await()
    }

    /** How a model's download goes, whoever began it and in whichever process; null where there is none, or it was stopped. */
    public fun states(name: String): Flow<DownloadState?> =
        work.getWorkInfosForUniqueWorkFlow(nameOf(name)).map { infos -> infos.lastOrNull()?.let { stateOf(it, store, name) } }.distinctUntilChanged()

    private companion object {
        /** How long the first pause before another try is; each further is twice as long. */
        const val PAUSE_SECONDS = 30L

        fun nameOf(model: String) = "hala-download:$model"

        fun requestOf(wanted: Wanted, networks: Networks): OneTimeWorkRequest =
            OneTimeWorkRequestBuilder<DownloadWorker>()
                .setInputData(wanted.data())
                .setConstraints(Constraints.Builder().setRequiredNetworkType(networks.workType).setRequiresStorageNotLow(true).build())
                .setBackoffCriteria(BackoffPolicy.EXPONENTIAL, PAUSE_SECONDS, TimeUnit.SECONDS)
                .build()
    }
}

/** The same in WorkManager's words. */
internal val Networks.workType: NetworkType
    get() = when (this) {
        Networks.UNMETERED -> NetworkType.UNMETERED
        Networks.NOT_ROAMING -> NetworkType.NOT_ROAMING
        Networks.ANY -> NetworkType.CONNECTED
    }
