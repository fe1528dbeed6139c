// What of androidx.lifecycle 2.11 is used with Compose: the parameters that are given, in their order.

package androidx.lifecycle.compose

import androidx.compose.runtime.Composable
import androidx.compose.runtime.State
import androidx.lifecycle.Lifecycle
import kotlinx.coroutines.flow.StateFlow

@Composable
fun <T> StateFlow<T>.collectAsStateWithLifecycle(): State<T> = throw NotImplementedError()

@Composable
fun LifecycleEventEffect(event: Lifecycle.Event, onEvent: () -> Unit): Unit = throw NotImplementedError("$event $onEvent")
