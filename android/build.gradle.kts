// What both modules are built with.

buildscript {
    dependencies {
        // The Android plugin compiles Kotlin itself, and takes the compiler of this version.
        classpath(libs.kotlin.gradle.plugin)
    }
}

plugins {
    alias(libs.plugins.android.library) apply false
    alias(libs.plugins.android.application) apply false
    alias(libs.plugins.kotlin.compose) apply false
}
