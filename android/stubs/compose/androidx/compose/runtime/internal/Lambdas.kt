// What Compose's compiler makes of lambdas, and what it notes: as it looks for it, and never run.

package androidx.compose.runtime.internal

import androidx.compose.runtime.Composable
import androidx.compose.runtime.Composer

interface ComposableLambda :
    Function2<Composer, Int, Any?>,
    Function3<Any?, Composer, Int, Any?>,
    Function4<Any?, Any?, Composer, Int, Any?>,
    Function5<Any?, Any?, Any?, Composer, Int, Any?>,
    Function6<Any?, Any?, Any?, Any?, Composer, Int, Any?>

interface ComposableLambdaN

fun composableLambda(composer: Composer, key: Int, tracked: Boolean, block: Any): ComposableLambda =
    throw NotImplementedError("$composer $key $tracked $block")

fun composableLambdaInstance(key: Int, tracked: Boolean, block: Any): ComposableLambda = throw NotImplementedError("$key $tracked $block")

fun composableLambdaN(composer: Composer, key: Int, tracked: Boolean, arity: Int, block: Any): ComposableLambdaN =
    throw NotImplementedError("$composer $key $tracked $arity $block")

fun composableLambdaNInstance(key: Int, tracked: Boolean, arity: Int, block: Any): ComposableLambdaN =
    throw NotImplementedError("$key $tracked $arity $block")

@Composable
fun rememberComposableLambda(key: Int, tracked: Boolean, block: Any): ComposableLambda = throw NotImplementedError("$key $tracked $block")

@Composable
fun rememberComposableLambdaN(key: Int, tracked: Boolean, arity: Int, block: Any): ComposableLambdaN =
    throw NotImplementedError("$key $tracked $arity $block")

@Target(AnnotationTarget.CLASS)
@Retention(AnnotationRetention.BINARY)
annotation class StabilityInferred(val parameters: Int)

@Target(AnnotationTarget.FUNCTION)
@Retention(AnnotationRetention.BINARY)
annotation class FunctionKeyMeta(val key: Int, val startOffset: Int, val endOffset: Int)

@Target(AnnotationTarget.CLASS)
@Retention(AnnotationRetention.BINARY)
annotation class FunctionKeyMetaClass(val file: String)
