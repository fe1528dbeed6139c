// The library: Kotlin, the native library for phones, and what C and C++ link with.

plugins {
    alias(libs.plugins.android.library)
    `maven-publish`
}

group = "org.hala"
version = providers.fileContents(rootProject.layout.projectDirectory.file("../Cargo.toml")).asText
    .map { Regex("""(?m)^version = "(.+)"$""").find(it)!!.groupValues[1] }.get()

android {
    namespace = "org.hala"
    compileSdk { version = release(libs.versions.android.sdk.get().toInt()) }

    defaultConfig {
        minSdk = libs.versions.android.min.get().toInt()
        consumerProguardFiles("consumer-rules.pro")
        testInstrumentationRunner = "androidx.test.runner.AndroidJUnitRunner"
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }

    sourceSets {
        // org.hala needs no Android; what does is in a folder of its own, so that the rest can be compiled and tested on any Java machine.
        named("main") { kotlin.directories.add("src/android/kotlin") }
        // Programs, which `cargo xtask kotlin` runs: they need more of Java than Android has.
        named("test") { kotlin.directories.clear() }
    }

    publishing {
        singleVariant("release") { withSourcesJar() }
    }
}

kotlin {
    explicitApi()
    compilerOptions { allWarningsAsErrors = true }
}

dependencies {
    api(libs.coroutines.core)
    implementation(libs.coroutines.android)
    implementation(libs.work.runtime)

    androidTestImplementation(libs.junit)
    androidTestImplementation(libs.androidx.test.runner)
    androidTestImplementation(libs.androidx.test.junit)
}

/** Builds libhala.so for phones and emulators; cargo knows what has changed. */
abstract class NativeLibraries @Inject constructor(
    private val programs: ExecOperations,
    private val files: FileSystemOperations,
) : DefaultTask() {
    /** The root of the whole project. */
    @get:Internal abstract val root: DirectoryProperty

    @get:OutputDirectory abstract val libraries: DirectoryProperty

    @TaskAction
    fun build() {
        programs.exec {
            workingDir(root)
            commandLine("cargo", "xtask", "android", "--with-ndk")
        }
        files.sync {
            from(root.dir("target/android/jniLibs"))
            into(libraries)
        }
    }
}

val nativeLibraries = tasks.register<NativeLibraries>("nativeLibraries") {
    root = rootProject.layout.projectDirectory.dir("..")
    outputs.upToDateWhen { false }
}

androidComponents.onVariants { variant ->
    variant.sources.jniLibs?.addGeneratedSourceDirectory(nativeLibraries, NativeLibraries::libraries)
}

// What C and C++ find the library by. The Android plugin publishes it only for libraries that CMake has built, so it is added to the package here.
tasks.withType<Zip>().matching { it.name == "bundleReleaseAar" }.configureEach {
    dependsOn(nativeLibraries)
    from(rootProject.layout.projectDirectory.dir("../target/android/prefab")) { into("prefab") }
}

publishing.publications.register<MavenPublication>("release") {
    artifactId = "hala"
    pom {
        name = "Hala"
        description = "Small language models on the device: chat, and translation between Arabic and English."
    }
    afterEvaluate { from(components["release"]) }
}
