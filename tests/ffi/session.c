// Sessions: what they keep is not computed again, changes no answer, and goes to a file and back. `session FOLDER` with a folder to write to.

#include "check.h"

// A turn of a conversation as a request, after the turns before it.
static const char *const FIRST = "{\"messages\": [{\"role\": \"user\", \"content\": \"Good morning, and where is the station?\"}],"
                                 " \"temperature\": 0, \"max_tokens\": 12}";

// The conversation's second turn, with what was answered in the first.
static char *second(HalaText answer) {
    CheckBuffer request = {NULL, 0};
    check_append(&request, check_of("{\"messages\": [{\"role\": \"user\", \"content\": \"Good morning, and where is the station?\"},"
                                    " {\"role\": \"assistant\", \"content\": "));
    check_append(&request, answer);
    check_append(&request, check_of("}, {\"role\": \"user\", \"content\": \"Thank you.\"}],"
                                    " \"temperature\": 0, \"max_tokens\": 12}"));
    return request.data;
}

// The answer of a completion, as the JSON string that it is.
static HalaText content(HalaString completion) {
    const char *name = "\"content\":";
    char *at = strstr(completion.data, name);
    CHECK(at != NULL);
    at += strlen(name);
    CHECK(*at == '"');
    size_t n = 1;
    while (at[n] != '"') {
        n += at[n] == '\\' ? 2 : 1;
    }
    HalaText text = {at, n + 1};
    return text;
}

static long cached_tokens(HalaString completion) {
    const char *name = "\"cached_tokens\":";
    char *at = strstr(completion.data, name);
    CHECK(at != NULL);
    return strtol(at + strlen(name), NULL, 10);
}

static HalaString ask(HalaEngine *engine, HalaSession *session, const char *request) {
    HalaRunOptions options = HALA_INIT(HalaRunOptions);
    HalaString completion;
    options.session = session;
    CHECK_OK(hala_chat(engine, HALA_TEXT(request), &options, &completion));
    return completion;
}

// The second turn of a conversation that a session has the first of says what it says without one, and computes less.
static void goes_on(HalaEngine *engine, HalaSession *session, const char *request, HalaString expected) {
    HalaString completion = ask(engine, session, request);
    CHECK(check_is(content(completion), content(expected)));
    CHECK_NUMBER(cached_tokens(expected), 0);
    CHECK(cached_tokens(completion) > 8);
    hala_string_free(&completion);
}

static void files_that_are_none(HalaEngine *engine, HalaSession *session, const char *folder) {
    HalaSession *restored = session;
    char path[4096];
    snprintf(path, sizeof path, "%s/no-such-file", folder);
    CHECK(hala_session_restore(engine, HALA_TEXT(path), &restored) != HALA_STATUS_OK);
    CHECK(restored == NULL);
    CHECK_HAS(hala_last_error(), "no-such-file");
    snprintf(path, sizeof path, "%s/damaged", folder);
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL);
    fputs("this is no session", file);
    fclose(file);
    CHECK(hala_session_restore(engine, HALA_TEXT(path), &restored) != HALA_STATUS_OK);
    CHECK(restored == NULL);
    CHECK_HAS(hala_last_error(), "damaged");
    snprintf(path, sizeof path, "%s/no-such-folder/session", folder);
    CHECK(hala_session_save(session, HALA_TEXT(path)) != HALA_STATUS_OK);
    CHECK_HAS(hala_last_error(), "no-such-folder");
}

// A session of a turn that was stopped keeps what was computed, and goes on.
static bool stop(const HalaEvent *event, void *user_data) {
    (void)user_data;
    return event->kind != HALA_EVENT_KIND_TEXT;
}

static void a_turn_that_was_stopped(HalaEngine *engine, HalaString expected) {
    HalaRunOptions options = HALA_INIT(HalaRunOptions);
    HalaSession *session = NULL;
    CHECK_OK(hala_session_new(engine, &session));
    options.session = session;
    options.on_event = stop;
    CHECK_STATUS(hala_chat(engine, HALA_TEXT(FIRST), &options, NULL), HALA_STATUS_ABORTED);
    HalaString completion = ask(engine, session, FIRST);
    CHECK(check_is(content(completion), content(expected)));
    CHECK(cached_tokens(completion) > 8);
    hala_string_free(&completion);
    CHECK_OK(hala_session_release(session));
}

int main(int argc, char **argv) {
    HalaEngine *engine = check_load(), *other = check_load();
    HalaSession *session = NULL, *restored = NULL;
    char path[4096];
    CHECK_NUMBER(argc, 2);
    snprintf(path, sizeof path, "%s/session", argv[1]);
    CHECK_OK(hala_session_new(engine, &session));
    HalaString first = ask(engine, session, FIRST);
    char *request = second(content(first));
    HalaString expected = ask(other, NULL, request);
    CHECK_OK(hala_session_save(session, HALA_TEXT(path)));
    goes_on(engine, session, request, expected);
    // The file is as it was then, and another engine with the same model reads it.
    CHECK_OK(hala_session_restore(other, HALA_TEXT(path), &restored));
    goes_on(other, restored, request, expected);
    // What was trimmed is computed again, and says the same.
    CHECK_OK(hala_trim(engine, HALA_TRIM_SESSIONS));
    HalaString again = ask(engine, session, request);
    CHECK(check_is(content(again), content(expected)));
    hala_string_free(&again);
    files_that_are_none(engine, session, argv[1]);
    a_turn_that_was_stopped(engine, first);
    free(request);
    hala_string_free(&first);
    hala_string_free(&expected);
    CHECK_OK(hala_session_release(session));
    CHECK_OK(hala_session_release(restored));
    CHECK_OK(hala_engine_release(engine));
    CHECK_OK(hala_engine_release(other));
    return 0;
}
