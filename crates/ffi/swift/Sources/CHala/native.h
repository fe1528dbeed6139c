// The header of the native library, wherever pkg-config has found it.
#include <hala.h>
