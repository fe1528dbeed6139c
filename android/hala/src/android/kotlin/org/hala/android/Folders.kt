// Where an app keeps what is Hala's.

package org.hala.android

import android.content.Context
import java.io.File
import org.hala.ModelStore
import org.hala.NetworkPolicy

/** Where models are: a folder of the app's own that no backup takes, as what it has can be downloaded again. */
public val Context.modelFolder: File get() = File(noBackupFilesDir, "hala/models")

/**
 * Where what is known of the device's GPUs is kept, for `LoadOptions(devices = context.deviceFolder)`. No backup takes it, as another device has others, and nothing empties it:
 * what it holds is that a GPU's driver has ended the app before.
 */
public val Context.deviceFolder: File get() = File(noBackupFilesDir, "hala/devices")

/**
 * The app's models.
 *
 * @param token An access token of the Hub, for models that are not open to all.
 * @param networks Those that its downloads may use.
 */
public fun Context.modelStore(token: String? = null, networks: Networks = Networks.UNMETERED): ModelStore =
    ModelStore(modelFolder, token, if (networks == Networks.ANY) NetworkPolicy.ANY else networkPolicy(networks))
