// Streams a reply, until it ends, until Ctrl-C, or after so many pieces: `chat [MODEL [N_PIECES]]`.
//
// MODEL is a folder, a .safetensors or a GGUF file; the built-in model only translates, and answers with a translation.

#include <hala.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const REQUEST =
    "{\"messages\": [{\"role\": \"user\", \"content\": \"Translate everything that follows into Arabic:\\n\\n"
    "Good morning. Where is the station?\"}], \"temperature\": 0, \"max_tokens\": 200}";

// All that a signal handler may do is to set such a variable; the callback looks at it.
static volatile sig_atomic_t is_interrupted = 0;

static void interrupt(int signal_number) {
    (void)signal_number;
    is_interrupted = 1;
}

// Called with each piece of the reply, in whole characters. Returning false stops the reply; from another
// thread, hala_cancel_raise() does.
static bool on_event(const HalaEvent *event, void *user_data) {
    long *n_left = user_data;
    if (event->kind == HALA_EVENT_KIND_TEXT) {
        fwrite(event->text.data, 1, event->text.len, stdout);
        fflush(stdout);
        --*n_left;
    }
    return !is_interrupted && *n_left != 0;
}

static int failed(void) {
    fprintf(stderr, "%s\n", hala_last_error().data);
    return 1;
}

int main(int argc, char **argv) {
    HalaSource source = HALA_INIT(HalaSource);
    if (argc > 1) {
        source.path = HALA_TEXT(argv[1]);
    }
    long n_left = argc > 2 ? strtol(argv[2], NULL, 10) : -1;
    signal(SIGINT, interrupt);

    HalaEngine *engine = NULL;
    if (hala_engine_load(&source, NULL, &engine) != HALA_STATUS_OK) {
        return failed();
    }
    HalaRunOptions options = HALA_INIT(HalaRunOptions);
    options.on_event = on_event;
    options.user_data = &n_left;
    int exit_status = 0;
    HalaStatus status = hala_chat(engine, HALA_TEXT(REQUEST), &options, NULL);
    if (status == HALA_STATUS_ABORTED) {
        printf(" [stopped]\n");
    } else if (status == HALA_STATUS_OK) {
        printf("\n");
    } else {
        exit_status = failed();
    }
    hala_engine_release(engine);
    return exit_status;
}
