// Fetches a model, and says how that ended: `download hub ID`, or `download url ADDRESS PATH SHA256 [stop]`, where SHA256 may be empty.
// Prints the kinds of progress that were told, the status' word, and where the model is or what the last error says.

#include "check.h"

typedef struct {
    int n_told[6];
    uint64_t first;
    int stops;
} Told;

static bool tell(const HalaProgress *progress, void *user_data) {
    Told *told = user_data;
    CHECK_NUMBER(progress->struct_size, sizeof *progress);
    CHECK(progress->kind >= HALA_PROGRESS_KIND_DOWNLOADING && progress->kind <= HALA_PROGRESS_KIND_WAITING);
    CHECK(progress->kind != HALA_PROGRESS_KIND_LOADING);
    CHECK(progress->total == 0 || progress->done <= progress->total);
    if (progress->kind == HALA_PROGRESS_KIND_DOWNLOADING && told->n_told[HALA_PROGRESS_KIND_DOWNLOADING] == 0) {
        told->first = progress->done;
    }
    told->n_told[progress->kind]++;
    return !told->stops;
}

int main(int argc, char **argv) {
    HalaDownloadOptions options = HALA_INIT(HalaDownloadOptions);
    Told told = {{0}, 0, 0};
    HalaString path;
    CHECK(argc == 3 || argc == 5 || argc == 6);
    if (strcmp(argv[1], "hub") == 0) {
        options.hub = HALA_TEXT(argv[2]);
    } else {
        CHECK(argc >= 5);
        options.url = HALA_TEXT(argv[2]);
        options.path = HALA_TEXT(argv[3]);
        options.sha256 = HALA_TEXT(argv[4]);
        told.stops = argc == 6;
    }
    options.on_progress = tell;
    options.user_data = &told;
    HalaStatus status = hala_download(&options, &path);
    HalaText name = hala_status_name(status), said = hala_last_error();
    CHECK((path.data != NULL) == (status == HALA_STATUS_OK));
    CHECK((said.len == 0) == (status == HALA_STATUS_OK));
    HalaText end = status == HALA_STATUS_OK ? check_string(path) : said;
    printf("from %llu, verified %s, retried %d\n", (unsigned long long)told.first, told.n_told[HALA_PROGRESS_KIND_VERIFYING] ? "yes" : "no",
           told.n_told[HALA_PROGRESS_KIND_RETRYING]);
    printf("%.*s: %.*s\n", (int)name.len, name.data, (int)end.len, end.len ? end.data : "");
    hala_string_free(&path);
    return 0;
}
