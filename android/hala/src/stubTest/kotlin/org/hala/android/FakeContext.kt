// An app's context for tests, and Android's version.

package org.hala.android

import android.content.ComponentCallbacks
import android.content.Context
import android.content.Intent
import android.content.SharedPreferences
import android.content.res.Resources
import android.os.Build
import java.io.File

/** A context with these services, and files in this folder. */
internal class FakeContext(private val folder: File = File("."), private vararg val services: Any) : Context() {
    val callbacks = ArrayList<ComponentCallbacks>()

    override fun getApplicationContext(): Context = this

    override fun getSystemService(name: String): Any? = services.find { service -> generateSequence<Class<*>>(service.javaClass) { it.superclass }.any { it.name == name } }

    override fun getFilesDir(): File = File(folder, "files")

    override fun getNoBackupFilesDir(): File = File(folder, "no_backup")

    override fun getCacheDir(): File = File(folder, "cache")

    override fun registerComponentCallbacks(callback: ComponentCallbacks) {
        callbacks.add(callback)
    }

    override fun unregisterComponentCallbacks(callback: ComponentCallbacks) {
        callbacks.remove(callback)
    }

    override fun startActivity(intent: Intent): Unit = throw UnsupportedOperationException()

    override fun getSharedPreferences(name: String, mode: Int): SharedPreferences = throw UnsupportedOperationException()

    override fun getResources(): Resources = object : Resources() {
        override fun getString(id: Int, vararg formatArgs: Any?): String = "$id ${formatArgs.toList()}"
    }
}

/** Does something as on this version of Android. */
internal suspend fun <T> onVersion(sdk: Int, work: suspend () -> T): T {
    val before = Build.VERSION.SDK_INT
    Build.VERSION.SDK_INT = sdk
    try {
        return work()
    } finally {
        Build.VERSION.SDK_INT = before
    }
}
