// Eight threads with one engine: their texts run together, and each gets what it would get alone.

#include "check.h"

#include <pthread.h>

enum { N = 8 };

static const char *const TEXTS[N] = {
    "Good morning.", "Where is the station?", "I don't understand this word. Good morning.", "صباح الخير.",
    "أين المحطة؟", "The weather is nice today.", "Thank you.", "كيف حالك؟",
};

// One text, and what came of it.
typedef struct {
    HalaEngine *engine;
    int idx;
    int n_rounds;
    HalaString whole;
    HalaString completion;
} Text;

// All of the completion that is the same in every run.
static HalaText choices(HalaString completion) {
    char *from = strstr(completion.data, "\"choices\""), *to = strstr(completion.data, "\"usage\"");
    CHECK(from != NULL && to > from);
    HalaText text = {from, (size_t)(to - from)};
    return text;
}

static void ask(Text *text, HalaString *whole, HalaString *completion) {
    char request[256];
    snprintf(request, sizeof request, "{\"prompt\": [1,%d,9,%d], \"max_tokens\": %d, \"temperature\": 0, \"ignore_eos\": true}",
             400 + text->idx, 900 - text->idx, check_short() ? 4 : 20 + text->idx);
    CHECK_OK(hala_translate(text->engine, HALA_TEXT(TEXTS[text->idx]), NULL, whole));
    CHECK_OK(hala_generate(text->engine, HALA_TEXT(request), NULL, completion));
}

static void *ask_again(void *user_data) {
    Text *text = user_data;
    for (int i = 0; i < text->n_rounds; i++) {
        HalaString whole, completion;
        ask(text, &whole, &completion);
        CHECK_TEXT(check_string(whole), text->whole.data);
        CHECK(check_is(choices(completion), choices(text->completion)));
        hala_string_free(&whole);
        hala_string_free(&completion);
        // What is told of a failure is told to the thread that it was told to.
        CHECK_STATUS(hala_engine_info(NULL, &whole), HALA_STATUS_INVALID_HANDLE);
    }
    return NULL;
}

static void eight_at_once_say_what_each_says_alone(HalaEngine *engine) {
    Text texts[N];
    pthread_t threads[N];
    for (int i = 0; i < N; i++) {
        texts[i].engine = engine;
        texts[i].idx = i;
        texts[i].n_rounds = check_short() ? 1 : 4;
        ask(&texts[i], &texts[i].whole, &texts[i].completion);
    }
    for (int i = 0; i < N; i++) {
        CHECK_NUMBER(pthread_create(&threads[i], NULL, ask_again, &texts[i]), 0);
    }
    for (int i = 0; i < N; i++) {
        CHECK_NUMBER(pthread_join(threads[i], NULL), 0);
    }
    CHECK_NUMBER(hala_last_error().len, 0);
    for (int i = 0; i < N; i++) {
        hala_string_free(&texts[i].whole);
        hala_string_free(&texts[i].completion);
    }
}

// One stream that two threads ask until both of them were told that it is the other's.
typedef struct {
    pthread_mutex_t mutex;
    HalaEngine *engine;
    HalaStream *stream;
    int n_busy;
} Fought;

static HalaStream *begin(HalaEngine *engine) {
    HalaStream *stream = NULL;
    CHECK_OK(hala_generate_start(engine, HALA_TEXT("{\"prompt\": [1,5], \"max_tokens\": 400, \"ignore_eos\": true, \"seed\": 1}"), NULL, &stream));
    return stream;
}

// Holds the stream once more, so that the other thread may put another in its place.
static HalaStream *hold(Fought *fought, int *n_busy) {
    pthread_mutex_lock(&fought->mutex);
    HalaStream *stream = fought->stream;
    CHECK_OK(hala_stream_retain(stream));
    *n_busy = fought->n_busy;
    pthread_mutex_unlock(&fought->mutex);
    return stream;
}

static void put_another(Fought *fought, HalaStream *ended) {
    pthread_mutex_lock(&fought->mutex);
    if (fought->stream == ended) {
        CHECK_OK(hala_stream_release(ended));
        fought->stream = begin(fought->engine);
    }
    pthread_mutex_unlock(&fought->mutex);
}

static void *fight(void *user_data) {
    Fought *fought = user_data;
    for (;;) {
        const HalaEvent *event = NULL;
        int n_busy = 0;
        HalaStream *stream = hold(fought, &n_busy);
        HalaStatus status = n_busy < 3 ? hala_stream_next(stream, &event) : HALA_STATUS_OK;
        if (status == HALA_STATUS_BUSY) {
            CHECK_HAS(hala_last_error(), "another thread");
            CHECK(event == NULL);
            pthread_mutex_lock(&fought->mutex);
            fought->n_busy++;
            pthread_mutex_unlock(&fought->mutex);
        } else {
            CHECK_STATUS(status, HALA_STATUS_OK);
            // The event itself may be gone already: the other thread has asked for the next one.
            if (event == NULL && n_busy < 3) {
                put_another(fought, stream);
            }
        }
        CHECK_OK(hala_stream_release(stream));
        if (n_busy >= 3) {
            return NULL;
        }
    }
}

static void a_stream_is_one_thread_s_at_a_time(HalaEngine *engine) {
    Fought fought = {PTHREAD_MUTEX_INITIALIZER, engine, begin(engine), 0};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        CHECK_NUMBER(pthread_create(&threads[i], NULL, fight, &fought), 0);
    }
    for (int i = 0; i < 2; i++) {
        CHECK_NUMBER(pthread_join(threads[i], NULL), 0);
    }
    CHECK(fought.n_busy >= 3);
    CHECK_OK(hala_stream_release(fought.stream));
}

int main(void) {
    HalaEngine *engine = check_load();
    eight_at_once_say_what_each_says_alone(engine);
    a_stream_is_one_thread_s_at_a_time(engine);
    CHECK_OK(hala_engine_release(engine));
    return 0;
}
