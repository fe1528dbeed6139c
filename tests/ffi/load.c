// Loads a model, and says how that ended: `load path|auto|hub|backend|adapter WHAT`, where the latter two are for the built-in model, and auto keeps what
// is known of GPUs beside the model.
// Prints the status' word and what the last error says.

#include "check.h"

// The first status of all that were not there when the interface was new.
enum { FIRST_UNKNOWN = 34 };

// A call with the engine, for faults that show when the model computes.
static HalaStatus use(HalaEngine *engine) {
    HalaStatus status = hala_generate(engine, HALA_TEXT("{\"prompt\": [1, 5, 9], \"max_tokens\": 2}"), NULL, NULL);
    return status;
}

int main(int argc, char **argv) {
    HalaSource source = HALA_INIT(HalaSource);
    HalaLoadOptions options = HALA_INIT(HalaLoadOptions);
    HalaEngine *engine = NULL;
    CHECK_NUMBER(argc, 3);
    HalaText what = HALA_TEXT(argv[2]);
    options.threads = check_threads();
    if (strcmp(argv[1], "path") == 0) {
        source.path = what;
        options.backend = HALA_TEXT("cpu");
    } else if (strcmp(argv[1], "auto") == 0) {
        source.path = what;
        options.devices = what;
    } else if (strcmp(argv[1], "hub") == 0) {
        source.hub = what;
        options.backend = HALA_TEXT("cpu");
    } else if (strcmp(argv[1], "backend") == 0) {
        options.backend = what;
    } else {
        options.backend = HALA_TEXT("wgpu");
        options.adapter = what;
    }
    HalaStatus status = hala_engine_load(&source, &options, &engine);
    CHECK((engine != NULL) == (status == HALA_STATUS_OK));
    if (engine != NULL) {
        status = use(engine);
    }
    HalaText name = hala_status_name(status), said = hala_last_error();
    CHECK(check_contains(name, "unknown") == 0 && status < FIRST_UNKNOWN);
    printf("%.*s: %.*s\n", (int)name.len, name.data, (int)said.len, said.len ? said.data : "");
    CHECK((status == HALA_STATUS_OK) == (said.len == 0));
    CHECK(status == HALA_STATUS_OUT_OF_MEMORY || hala_last_error_bytes() == 0);
    CHECK_OK(hala_engine_release(engine));
    return 0;
}
