// The bar at the top, with the name of the model.

package org.hala.demo.models

import androidx.compose.material3.ExperimentalMaterial3Api
import androidx.compose.material3.Icon
import androidx.compose.material3.IconButton
import androidx.compose.material3.Text
import androidx.compose.material3.TopAppBar
import androidx.compose.runtime.Composable
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.text.style.TextOverflow
import org.hala.demo.R

@OptIn(ExperimentalMaterial3Api::class)
@Composable
fun ModelBar(model: ModelState, onChoose: () -> Unit) {
    TopAppBar(
        title = { Text(titleOf(model), maxLines = 1, overflow = TextOverflow.Ellipsis) },
        actions = {
            IconButton(onClick = onChoose) { Icon(painterResource(R.drawable.ic_model), stringResource(R.string.model_choose)) }
        },
    )
}

@Composable
private fun titleOf(model: ModelState): String {
    val name = nameOf(model.model)
    return if (model is ModelState.Loading) stringResource(R.string.model_loading, name) else name
}

/** A model's own name, or what the app calls it. */
@Composable
fun nameOf(model: OfferedModel): String = model.title ?: stringResource(R.string.model_built_in)
