// Stopping: in prefill and in decode, from another thread and from the callback, by a flag, by the stream and by returning false.

#include "check.h"

#include <pthread.h>

// So many tokens that they are computed in several steps.
enum { N_PROMPT = 1900 };

static const char *const LONG = "{\"prompt\": \"Hello\", \"temperature\": 0, \"max_tokens\": 300, \"ignore_eos\": true}";

// A request to go on with so many tokens.
static char *long_prompt(void) {
    CheckBuffer request = {NULL, 0};
    check_append(&request, check_of("{\"temperature\": 0, \"max_tokens\": 5, \"ignore_eos\": true, \"prompt\": [1"));
    for (int i = 1; i < N_PROMPT; i++) {
        char id[16];
        HalaText text = {id, (size_t)snprintf(id, sizeof id, ",%d", 300 + i * 7 % 6000)};
        check_append(&request, text);
    }
    HalaText end = {"]}", 2};
    check_append(&request, end);
    return request.data;
}

// What a callback does at its third event.
typedef enum { NOTHING, RETURN_FALSE, RAISE, WAIT_FOR_RAISE } At;

typedef struct {
    At at;
    HalaCancel *cancel;
    int n_events;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int is_there;
    int is_raised;
} Told;

static void wait_for_raise(Told *told) {
    pthread_mutex_lock(&told->mutex);
    told->is_there = 1;
    pthread_cond_broadcast(&told->changed);
    while (!told->is_raised) {
        pthread_cond_wait(&told->changed, &told->mutex);
    }
    pthread_mutex_unlock(&told->mutex);
}

static bool tell(const HalaEvent *event, void *user_data) {
    Told *told = user_data;
    CHECK(event->kind == HALA_EVENT_KIND_TEXT);
    told->n_events++;
    if (told->n_events == 3 && told->at == RAISE) {
        CHECK_OK(hala_cancel_raise(told->cancel));
    } else if (told->n_events == 3 && told->at == WAIT_FOR_RAISE) {
        wait_for_raise(told);
    }
    return told->n_events < 3 || told->at != RETURN_FALSE;
}

static void *raise_there(void *user_data) {
    Told *told = user_data;
    pthread_mutex_lock(&told->mutex);
    while (!told->is_there) {
        pthread_cond_wait(&told->changed, &told->mutex);
    }
    CHECK_OK(hala_cancel_raise(told->cancel));
    told->is_raised = 1;
    pthread_cond_broadcast(&told->changed);
    pthread_mutex_unlock(&told->mutex);
    return NULL;
}

static void in_decode(HalaEngine *engine, At at) {
    Told told = {.at = at, .cancel = hala_cancel_new(), .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    HalaRunOptions options = HALA_INIT(HalaRunOptions);
    HalaString completion;
    pthread_t thread;
    options.cancel = told.cancel;
    options.on_event = tell;
    options.user_data = &told;
    if (at == WAIT_FOR_RAISE) {
        CHECK_NUMBER(pthread_create(&thread, NULL, raise_there, &told), 0);
    }
    CHECK_STATUS(hala_generate(engine, HALA_TEXT(LONG), &options, &completion), HALA_STATUS_ABORTED);
    if (at == WAIT_FOR_RAISE) {
        CHECK_NUMBER(pthread_join(thread, NULL), 0);
    }
    CHECK(completion.data == NULL);
    // What was certain before the flag was raised may be told yet, and no more.
    CHECK(told.n_events >= 3 && told.n_events <= (at == RETURN_FALSE ? 3 : 5));
    // A flag that is up stops what begins, and one that was lowered does not.
    if (at != RETURN_FALSE) {
        told.n_events = 0;
        CHECK_STATUS(hala_generate(engine, HALA_TEXT(LONG), &options, NULL), HALA_STATUS_ABORTED);
        CHECK_NUMBER(told.n_events, 0);
        CHECK_OK(hala_cancel_lower(told.cancel));
    }
    options.on_event = NULL;
    CHECK_OK(hala_generate(engine, HALA_TEXT("{\"prompt\": \"Hello\", \"max_tokens\": 2}"), &options, NULL));
    CHECK_OK(hala_cancel_release(told.cancel));
}

// A thread that goes on with other work for a step or two, and then stops a stream or raises a flag.
typedef struct {
    HalaStream *other;
    HalaStream *stream;
    HalaCancel *cancel;
} Beside;

static void *stop_after_a_step(void *user_data) {
    Beside *beside = user_data;
    const HalaEvent *event = NULL;
    // The steps that this takes compute the long prompt too, a part in each.
    CHECK_OK(hala_stream_next(beside->other, &event));
    CHECK(event != NULL && event->kind == HALA_EVENT_KIND_TEXT);
    if (beside->cancel != NULL) {
        CHECK_OK(hala_cancel_raise(beside->cancel));
    } else {
        CHECK_OK(hala_stream_cancel(beside->stream));
    }
    return NULL;
}

static void in_prefill(HalaEngine *engine, HalaCancel *cancel) {
    HalaRunOptions options = HALA_INIT(HalaRunOptions);
    Beside beside = {NULL, NULL, cancel};
    const HalaEvent *event = NULL;
    char *prompt = long_prompt();
    pthread_t thread;
    options.cancel = cancel;
    CHECK_OK(hala_generate_start(engine, HALA_TEXT(LONG), NULL, &beside.other));
    CHECK_OK(hala_stream_next(beside.other, &event));
    CHECK_OK(hala_generate_start(engine, HALA_TEXT(prompt), &options, &beside.stream));
    CHECK_NUMBER(pthread_create(&thread, NULL, stop_after_a_step, &beside), 0);
    CHECK_NUMBER(pthread_join(thread, NULL), 0);
    // Not one token of it has come.
    CHECK_STATUS(hala_stream_next(beside.stream, &event), HALA_STATUS_ABORTED);
    CHECK(event == NULL);
    // It told so once; there is nothing more.
    CHECK_OK(hala_stream_next(beside.stream, &event));
    CHECK(event == NULL);
    // The other one never noticed.
    CHECK_OK(hala_stream_next(beside.other, &event));
    CHECK(event != NULL && event->kind == HALA_EVENT_KIND_TEXT);
    CHECK_OK(hala_stream_release(beside.other));
    CHECK_OK(hala_stream_release(beside.stream));
    free(prompt);
}

// Of several pieces of work under one flag, one is stopped, and then all.
static void one_of_several(HalaEngine *engine) {
    HalaRunOptions options = HALA_INIT(HalaRunOptions);
    HalaStream *one = NULL, *other = NULL;
    HalaCancel *cancel = hala_cancel_new();
    const HalaEvent *event = NULL;
    options.cancel = cancel;
    CHECK_OK(hala_generate_start(engine, HALA_TEXT(LONG), &options, &one));
    CHECK_OK(hala_generate_start(engine, HALA_TEXT(LONG), &options, &other));
    CHECK_OK(hala_stream_cancel(one));
    CHECK_STATUS(hala_stream_next(one, &event), HALA_STATUS_ABORTED);
    CHECK_OK(hala_stream_next(other, &event));
    CHECK(event != NULL && event->kind == HALA_EVENT_KIND_TEXT);
    CHECK_OK(hala_cancel_raise(cancel));
    HalaStatus status = HALA_STATUS_OK;
    // What was ready comes first.
    do {
        status = hala_stream_next(other, &event);
    } while (status == HALA_STATUS_OK && event != NULL);
    CHECK_STATUS(status, HALA_STATUS_ABORTED);
    CHECK_OK(hala_stream_release(one));
    CHECK_OK(hala_stream_release(other));
    CHECK_OK(hala_cancel_release(cancel));
}

static bool stop_loading(const HalaProgress *progress, void *user_data) {
    int *n_told = user_data;
    CHECK_NUMBER(progress->struct_size, sizeof(HalaProgress));
    CHECK_NUMBER(progress->kind, HALA_PROGRESS_KIND_LOADING);
    CHECK(progress->done <= progress->total && progress->name.len > 0);
    return ++*n_told < 3;
}

static void in_loading(void) {
    HalaLoadOptions options = HALA_INIT(HalaLoadOptions);
    HalaEngine *engine = NULL;
    int n_told = 0;
    options.threads = check_threads();
    options.on_progress = stop_loading;
    options.user_data = &n_told;
    CHECK_STATUS(hala_engine_load(NULL, &options, &engine), HALA_STATUS_ABORTED);
    CHECK(engine == NULL);
    CHECK_NUMBER(n_told, 3);
    // A callback that stopped one loading leaves the flag for the next.
    HalaCancel *cancel = hala_cancel_new();
    options.cancel = cancel;
    CHECK_STATUS(hala_engine_load(NULL, &options, &engine), HALA_STATUS_ABORTED);
    options.on_progress = NULL;
    CHECK_OK(hala_engine_load(NULL, &options, &engine));
    CHECK_OK(hala_engine_release(engine));
    CHECK_OK(hala_cancel_raise(cancel));
    options.on_progress = NULL;
    options.cancel = cancel;
    CHECK_STATUS(hala_engine_load(NULL, &options, &engine), HALA_STATUS_ABORTED);
    CHECK_OK(hala_cancel_release(cancel));
}

int main(void) {
    HalaEngine *engine = check_load();
    in_decode(engine, RETURN_FALSE);
    in_decode(engine, RAISE);
    in_decode(engine, WAIT_FOR_RAISE);
    HalaCancel *cancel = hala_cancel_new();
    in_prefill(engine, cancel);
    CHECK_OK(hala_cancel_release(cancel));
    in_prefill(engine, NULL);
    one_of_several(engine);
    in_loading();
    // The engine works as before.
    HalaString translation;
    CHECK_OK(hala_translate(engine, HALA_TEXT("Good morning."), NULL, &translation));
    CHECK_TEXT(check_string(translation), "صباح الخير.");
    hala_string_free(&translation);
    CHECK_OK(hala_engine_release(engine));
    return 0;
}
