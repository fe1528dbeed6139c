// Colours, of the device's own choice where it has one.

package org.hala.demo.look

import android.os.Build
import androidx.compose.foundation.isSystemInDarkTheme
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.darkColorScheme
import androidx.compose.material3.dynamicDarkColorScheme
import androidx.compose.material3.dynamicLightColorScheme
import androidx.compose.material3.lightColorScheme
import androidx.compose.runtime.Composable
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.platform.LocalContext

private val Light = lightColorScheme(primary = Color(0xFF0B5D4B), secondary = Color(0xFF4B635B), tertiary = Color(0xFF3F6375))
private val Dark = darkColorScheme(primary = Color(0xFF7FD8C0), secondary = Color(0xFFB1CCC2), tertiary = Color(0xFFA7CCE1))

@Composable
fun DemoTheme(content: @Composable () -> Unit) {
    val isDark = isSystemInDarkTheme()
    val context = LocalContext.current
    val colors = when {
        Build.VERSION.SDK_INT < Build.VERSION_CODES.S -> if (isDark) Dark else Light
        isDark -> dynamicDarkColorScheme(context)
        else -> dynamicLightColorScheme(context)
    }
    MaterialTheme(colorScheme = colors, content = content)
}
