// Eight texts at once: by one call, and by eight threads with one engine. Both share the runs of the model, and say the same.

#include <hala.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { N = 8 };

static const char *const TEXTS[N] = {
    "Good morning.", "Where is the station?", "Thank you very much.", "The weather is nice today.",
    "صباح الخير.",   "أين المحطة؟",           "كيف حالك؟",            "شكرا جزيلا.",
};

static int failed(void) {
    fprintf(stderr, "%s\n", hala_last_error().data);
    return 1;
}

// What one thread does: a call like any other. Engines may be used by many threads.
typedef struct {
    HalaEngine *engine;
    const char *text;
    HalaStatus status;
    HalaString translation;
} Work;

static void *translate(void *user_data) {
    Work *work = user_data;
    work->status = hala_translate(work->engine, HALA_TEXT(work->text), NULL, &work->translation);
    return NULL;
}

static int by_threads(HalaEngine *engine, const HalaString *expected) {
    Work works[N];
    pthread_t threads[N];
    int n_equal = 0;
    for (int i = 0; i < N; i++) {
        works[i] = (Work){.engine = engine, .text = TEXTS[i]};
        pthread_create(&threads[i], NULL, translate, &works[i]);
    }
    for (int i = 0; i < N; i++) {
        pthread_join(threads[i], NULL);
        n_equal += works[i].status == HALA_STATUS_OK && strcmp(works[i].translation.data, expected[i].data) == 0;
        hala_string_free(&works[i].translation);
    }
    printf("%d of %d threads were told the same\n", n_equal, N);
    return n_equal == N ? 0 : 1;
}

int main(void) {
    HalaEngine *engine = NULL;
    HalaText texts[N];
    HalaString translations[N];
    if (hala_engine_load(NULL, NULL, &engine) != HALA_STATUS_OK) {
        return failed();
    }
    for (int i = 0; i < N; i++) {
        texts[i] = HALA_TEXT(TEXTS[i]);
    }
    int exit_status = 0;
    if (hala_translate_all(engine, texts, N, NULL, translations) != HALA_STATUS_OK) {
        exit_status = failed();
    } else {
        for (int i = 0; i < N; i++) {
            printf("%s\n", translations[i].data);
        }
        exit_status = by_threads(engine, translations);
    }
    for (int i = 0; i < N; i++) {
        hala_string_free(&translations[i]);
    }
    hala_engine_release(engine);
    return exit_status;
}
