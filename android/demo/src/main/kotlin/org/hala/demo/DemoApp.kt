// Two screens, the bar that leads from one to the other, and the sheet with the models.

package org.hala.demo

import androidx.annotation.DrawableRes
import androidx.annotation.StringRes
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.consumeWindowInsets
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.imePadding
import androidx.compose.foundation.layout.padding
import androidx.compose.material3.Icon
import androidx.compose.material3.LinearProgressIndicator
import androidx.compose.material3.NavigationBar
import androidx.compose.material3.NavigationBarItem
import androidx.compose.material3.Scaffold
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.res.stringResource
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import androidx.lifecycle.viewmodel.compose.viewModel
import org.hala.demo.chat.ChatScreen
import org.hala.demo.look.FailureCard
import org.hala.demo.models.ModelBar
import org.hala.demo.models.ModelState
import org.hala.demo.models.ModelsSheet
import org.hala.demo.models.ModelsViewModel
import org.hala.demo.translate.TranslateScreen

/** The screens, in the order of the bar. */
enum class Tab(@param:StringRes val title: Int, @param:DrawableRes val icon: Int) {
    TRANSLATE(R.string.tab_translate, R.drawable.ic_translate),
    CHAT(R.string.tab_chat, R.drawable.ic_chat),
}

@Composable
fun DemoApp() {
    var tab by rememberSaveable { mutableStateOf(Tab.TRANSLATE) }
    var isChoosing by rememberSaveable { mutableStateOf(false) }
    val models: ModelsViewModel = viewModel(factory = ViewModels)
    val model by models.current.collectAsStateWithLifecycle()

    Scaffold(
        topBar = { ModelBar(model) { isChoosing = true } },
        bottomBar = { TabBar(tab) { tab = it } },
    ) { padding ->
        Column(Modifier.padding(padding).consumeWindowInsets(padding).imePadding()) {
            ModelLine(model)
            when (tab) {
                Tab.TRANSLATE -> TranslateScreen(viewModel(factory = ViewModels))
                Tab.CHAT -> ChatScreen(viewModel(factory = ViewModels))
            }
        }
    }
    if (isChoosing) ModelsSheet(models) { isChoosing = false }
}

/** How the model's loading goes, where it is not there. */
@Composable
private fun ModelLine(model: ModelState) {
    when (model) {
        is ModelState.Loading -> {
            val part = model.part
            if (part == null) LinearProgressIndicator(Modifier.fillMaxWidth())
            else LinearProgressIndicator({ part }, Modifier.fillMaxWidth())
        }
        is ModelState.Failed -> FailureCard(model.failure)
        is ModelState.Ready -> Unit
    }
}

@Composable
private fun TabBar(selected: Tab, onSelect: (Tab) -> Unit) {
    NavigationBar {
        for (tab in Tab.entries) {
            NavigationBarItem(
                selected = tab == selected,
                onClick = { onSelect(tab) },
                icon = { Icon(painterResource(tab.icon), contentDescription = null) },
                label = { Text(stringResource(tab.title)) },
            )
        }
    }
}
