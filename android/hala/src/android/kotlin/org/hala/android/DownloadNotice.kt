// What the user sees of a download while the app is away.

package org.hala.android

import android.app.Notification
import android.app.NotificationChannel
import android.app.NotificationManager
import android.content.Context
import android.content.pm.ServiceInfo
import android.os.Build
import androidx.work.ForegroundInfo
import androidx.work.WorkManager
import java.util.UUID
import org.hala.DownloadState
import org.hala.R

/** The notification of one download. An app says it in its own words by strings of the same names. */
internal class DownloadNotice(private val context: Context, private val work: UUID, private val model: String) {
    /** What it shows in a state; null is before the first. */
    fun of(state: DownloadState?): ForegroundInfo {
        makeChannel()
        val notice = Notification.Builder(context, CHANNEL)
            .setSmallIcon(android.R.drawable.stat_sys_download)
            .setContentTitle(context.getString(R.string.hala_download_title, model))
            .setContentText(context.getString(textOf(state)))
            .setCategory(Notification.CATEGORY_PROGRESS)
            .setOngoing(true)
            .setOnlyAlertOnce(true)
            .addAction(stop())
        val permille = permilleOf(state)
        notice.setProgress(1000, permille ?: 0, permille == null)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) notice.setForegroundServiceBehavior(Notification.FOREGROUND_SERVICE_IMMEDIATE)
        return ForegroundInfo(work.hashCode(), notice.build(), serviceType())
    }

    private fun stop(): Notification.Action {
        val intent = WorkManager.getInstance(context).createCancelPendingIntent(work)
        return Notification.Action.Builder(null, context.getString(R.string.hala_download_stop), intent).build()
    }

    /** Whoever makes it again changes nothing but its name, which follows the language. */
    private fun makeChannel() {
        val channel = NotificationChannel(CHANNEL, context.getString(R.string.hala_download_channel), NotificationManager.IMPORTANCE_LOW)
        context.getSystemService(NotificationManager::class.java)?.createNotificationChannel(channel)
    }

    private fun serviceType(): Int =
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) ServiceInfo.FOREGROUND_SERVICE_TYPE_DATA_SYNC else 0

    companion object {
        private const val CHANNEL = "hala-downloads"

        /** How much of the file is there; null where that is not known. */
        fun permilleOf(state: DownloadState?): Int? = when (state) {
            is DownloadState.Running -> permille(state.bytes, state.totalBytes)
            is DownloadState.Verifying -> permille(state.bytes, state.totalBytes)
            else -> null
        }

        fun textOf(state: DownloadState?): Int = when (state) {
            is DownloadState.Running -> R.string.hala_download_running
            is DownloadState.Verifying -> R.string.hala_download_verifying
            else -> R.string.hala_download_waiting
        }

        private fun permille(bytes: Long, total: Long): Int? = if (total > 0) (bytes * 1000 / total).toInt().coerceIn(0, 1000) else null
    }
}
