// The log: notices of loading, up to the level that is wanted, until a callback wants no more. `log FOLDER` with a model that gives a notice.

#include "check.h"

typedef struct {
    int n_lines;
    int n_infos;
    bool goes_on;
    HalaStatus inside;
} Told;

static bool tell(int32_t level, HalaText message, void *user_data) {
    Told *told = user_data;
    HalaEngine *engine = NULL;
    CHECK(level >= HALA_LOG_LEVEL_ERROR && level <= HALA_LOG_LEVEL_DEBUG);
    CHECK(message.len > 0 && message.data[message.len] == 0);
    told->n_lines++;
    told->n_infos += level == HALA_LOG_LEVEL_INFO;
    told->inside = hala_engine_load(NULL, NULL, &engine);
    return told->goes_on;
}

static void load(const char *folder) {
    HalaSource source = HALA_INIT(HalaSource);
    HalaLoadOptions options = HALA_INIT(HalaLoadOptions);
    HalaEngine *engine = NULL;
    source.path = HALA_TEXT(folder);
    options.backend = HALA_TEXT("cpu");
    options.threads = check_threads();
    CHECK_OK(hala_engine_load(&source, &options, &engine));
    CHECK_OK(hala_engine_release(engine));
}

int main(int argc, char **argv) {
    Told told = {0, 0, true, HALA_STATUS_OK};
    CHECK_NUMBER(argc, 2);
    load(argv[1]);
    CHECK_OK(hala_set_log(tell, &told, HALA_LOG_LEVEL_INFO));
    load(argv[1]);
    CHECK_NUMBER(told.n_infos, 1);
    CHECK_NUMBER(told.inside, HALA_STATUS_REENTERED);
    // Warnings alone.
    CHECK_OK(hala_set_log(tell, &told, HALA_LOG_LEVEL_WARN));
    load(argv[1]);
    CHECK_NUMBER(told.n_infos, 1);
    CHECK_OK(hala_set_log(NULL, NULL, 0));
    int n_lines = told.n_lines;
    load(argv[1]);
    CHECK_NUMBER(told.n_lines, n_lines);
    // It wants one line.
    told.goes_on = false;
    CHECK_OK(hala_set_log(tell, &told, HALA_LOG_LEVEL_INFO));
    load(argv[1]);
    load(argv[1]);
    CHECK_NUMBER(told.n_lines, n_lines + 1);
    CHECK_STATUS(hala_set_log(tell, &told, 0), HALA_STATUS_INVALID_ARGUMENT);
    CHECK_STATUS(hala_set_log(tell, &told, 5), HALA_STATUS_INVALID_ARGUMENT);
    CHECK_HAS(hala_last_error(), "1 to 4");
    return 0;
}
