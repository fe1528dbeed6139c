// The sheet from which a model is chosen.

package org.hala.demo.models

import android.Manifest
import android.os.Build
import androidx.activity.compose.rememberLauncherForActivityResult
import androidx.activity.result.contract.ActivityResultContracts
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.lazy.LazyColumn
import androidx.compose.foundation.lazy.items
import androidx.compose.material3.ExperimentalMaterial3Api
import androidx.compose.material3.HorizontalDivider
import androidx.compose.material3.ModalBottomSheet
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.ui.unit.dp
import androidx.lifecycle.compose.collectAsStateWithLifecycle

@OptIn(ExperimentalMaterial3Api::class)
@Composable
fun ModelsSheet(models: ModelsViewModel, onClose: () -> Unit) {
    val rows by models.rows.collectAsStateWithLifecycle()
    // A download goes on whatever the answer is; with it, a notification says how far it is.
    val asking = rememberLauncherForActivityResult(ActivityResultContracts.RequestPermission()) {}
    LaunchedEffect(models) { models.look() }

    ModalBottomSheet(onDismissRequest = onClose) {
        LazyColumn(contentPadding = PaddingValues(bottom = 24.dp)) {
            items(rows, key = { it.model.key }) { row ->
                ModelItem(row) { action ->
                    when (action) {
                        ModelAction.USE -> { models.use(row.model); onClose() }
                        ModelAction.STOP -> models.stop(row.model)
                        ModelAction.DELETE -> models.delete(row.model)
                        ModelAction.DOWNLOAD -> {
                            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) asking.launch(Manifest.permission.POST_NOTIFICATIONS)
                            models.download(row.model)
                        }
                    }
                }
                HorizontalDivider()
            }
        }
    }
}
