// Two hundred loads and frees leave the memory as it was.

#include "check.h"

#include <unistd.h>

// One load takes more than this, and 50 KB that each would leave behind as well.
enum { MOST_GROWTH = 8 << 20 };

// Bytes of memory that this program holds.
static size_t resident(void) {
    unsigned long n_pages = 0, n_resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL);
    CHECK_NUMBER(fscanf(file, "%lu %lu", &n_pages, &n_resident), 2);
    fclose(file);
    return n_resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void load_and_free(void) {
    HalaEngine *engine = check_load();
    HalaString translation;
    HalaStream *stream = NULL;
    const HalaEvent *event = NULL;
    CHECK_OK(hala_translate(engine, HALA_TEXT("Good morning."), NULL, &translation));
    CHECK_TEXT(check_string(translation), "صباح الخير.");
    hala_string_free(&translation);
    // One that is left in the middle holds nothing either.
    CHECK_OK(hala_generate_start(engine, HALA_TEXT("{\"prompt\": [1,5], \"max_tokens\": 9}"), NULL, &stream));
    CHECK_OK(hala_stream_next(stream, &event));
    CHECK_OK(hala_engine_release(engine));
    CHECK_OK(hala_stream_release(stream));
}

int main(void) {
    int n = check_short() ? 2 : 200, n_warm = n / 10;
    for (int i = 0; i < n_warm; i++) {
        load_and_free();
    }
    size_t before = resident();
    for (int i = n_warm; i < n; i++) {
        load_and_free();
    }
    size_t after = resident();
    printf("%zu KiB after %d loads, %zu KiB after %d\n", before >> 10, n_warm, after >> 10, n);
    // What watches memory keeps what was freed.
    CHECK(check_short() || after < before + MOST_GROWTH);
    return 0;
}
