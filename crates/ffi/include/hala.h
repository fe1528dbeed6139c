// hala.h: small language models on this device. The interface of the native library, for C and whatever calls C.
//
// Rules that hold for all of it:
//
// - A function that can fail returns a HalaStatus; hala_last_error() has the words, for the thread that was told.
// - Text is UTF-8 with a length; a length of HALA_STRLEN means up to the first zero byte. What a caller gives is copied, or used
//   until the function returns. Texts that the library gives have a zero byte behind them. What a function gives in a HalaString or HalaTokens is the caller's, who frees it.
// - Handles are counted: *_retain adds one, *_release takes one away. A handle is a number and points to nothing: one that was
//   released, or is of another kind, is answered with HALA_STATUS_INVALID_HANDLE.
// - Structs begin with struct_size, which the caller sets to sizeof of the struct. All other fields may be zero, which means the default.
//   A program that was compiled with an older header goes on working with a newer library.
// - All functions may be called from any thread. Work on one engine is shared: several calls at once run together, as rows of one run.
// - Callbacks are called on the thread that called the function, and have `void *user_data` last. A callback that returns false
//   stops the work, which then answers HALA_STATUS_ABORTED. Inside of a callback nothing of Hala may be called
//   but hala_cancel_*, hala_stream_cancel, *_release, hala_*_free and the last error; else the answer is HALA_STATUS_REENTERED.
// - Texts in events hold whole characters, however the model's tokens cut them.
//
// This file is made by cbindgen from crates/ffi/src: change that, then `HALA_BLESS=1 cargo test -p hala-ffi --test header`.

#ifndef HALA_H
#define HALA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef _WIN32
#  ifndef HALA_STATIC
#    define HALA_API __declspec(dllimport)
#  endif
#endif
#ifndef HALA_API
#  define HALA_API
#endif

// The version of the interface in this header: see hala_abi_version().
#define HALA_ABI_VERSION 1

// A length that means: up to the first zero byte.
#define HALA_STRLEN SIZE_MAX

#ifndef __cplusplus
// A struct of options with its size set and all else zero, as HALA_INIT(HalaLoadOptions).
#  define HALA_INIT(type) ((type){.struct_size = sizeof(type)})
// A text that a zero byte ends.
#  define HALA_TEXT(text) ((HalaText){(text), HALA_STRLEN})
#endif


// How a call ended. The first ones are about the call itself; those from 16 on have the words of `hala_status_name` in common with all of Hala's
// interfaces.
enum HalaStatus
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // It did what was asked.
    HALA_STATUS_OK = 0,
    // A pointer is NULL that must not be, or a value means nothing.
    HALA_STATUS_INVALID_ARGUMENT = 1,
    // A handle that was released, that never was, or of another kind.
    HALA_STATUS_INVALID_HANDLE = 2,
    // Text that is no UTF-8.
    HALA_STATUS_INVALID_UTF8 = 3,
    // A struct whose struct_size is none of its sizes.
    HALA_STATUS_INVALID_STRUCT_SIZE = 4,
    // Called inside of a callback, where only few functions may be.
    HALA_STATUS_REENTERED = 5,
    // The handle is in use by another thread: one at a time.
    HALA_STATUS_BUSY = 6,
    // This library was built without what the call needs.
    HALA_STATUS_NOT_IN_BUILD = 7,
    // A fault of Hala itself.
    HALA_STATUS_INTERNAL = 8,
    // Asked for wrongly: an option, a message, an empty prompt, a name that is no model.
    HALA_STATUS_INVALID_REQUEST = 16,
    // A text was to be translated into the language that it is in.
    HALA_STATUS_SAME_LANGUAGE = 17,
    // The prompt leaves no room in the context.
    HALA_STATUS_CONTEXT_LENGTH_EXCEEDED = 18,
    // Stopped by whoever asked for it.
    HALA_STATUS_ABORTED = 19,
    // A file of the model is not there.
    HALA_STATUS_MISSING_FILE = 20,
    // A file of the model is not what it must be.
    HALA_STATUS_DAMAGED_MODEL = 21,
    // The model needs what Hala does not do.
    HALA_STATUS_UNSUPPORTED_MODEL = 22,
    // The checkpoint has no tokenizer, so that text can neither go in nor come out.
    HALA_STATUS_NO_TOKENIZER = 23,
    // The model computed values that are no numbers.
    HALA_STATUS_NOT_FINITE = 24,
    // A file cannot be read or written.
    HALA_STATUS_READER = 25,
    // The server cannot be reached, or the connection broke.
    HALA_STATUS_NETWORK = 26,
    // The server answered with an error of its own.
    HALA_STATUS_HTTP = 27,
    // The server has no such model, revision or file.
    HALA_STATUS_NOT_FOUND = 28,
    // The model is not open to this user.
    HALA_STATUS_UNAUTHORIZED = 29,
    // A file that came is not what it should be.
    HALA_STATUS_CORRUPT_DOWNLOAD = 30,
    // Memory was refused; hala_last_error_bytes() says how much.
    HALA_STATUS_OUT_OF_MEMORY = 31,
    // The device went away and could not be set up again.
    HALA_STATUS_DEVICE_LOST = 32,
    // The device cannot be used, or refused its work.
    HALA_STATUS_DEVICE_REFUSED = 33,
    // A file is no saved session, or not as it was written.
    HALA_STATUS_DAMAGED_SEQUENCE = 34,
    // A saved session is of another model, held in another way, or of another version of Hala.
    HALA_STATUS_OTHER_MODEL = 35,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum HalaStatus HalaStatus;
#else
typedef int32_t HalaStatus;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What an event tells.
enum HalaEventKind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // `text` is the next of a reply or of a translation; of the latter `source` and `target` tell where.
    HALA_EVENT_KIND_TEXT = 1,
    // `text` is the next of what the model thinks before it answers.
    HALA_EVENT_KIND_REASONING = 2,
    // `json` is a call of a function, as in `tool_calls` of the OpenAI API. No model's are told apart yet.
    HALA_EVENT_KIND_TOOL_CALL = 3,
    // The text with this `index` has ended: `json` is all that there is to say of it. Of replies it comes once, for all.
    HALA_EVENT_KIND_DONE = 4,
    // The text with this `index` could not be worked on: `status`, and `text` has the words. Others go on.
    HALA_EVENT_KIND_FAILED = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum HalaEventKind HalaEventKind;
#else
typedef int32_t HalaEventKind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What goes on.
enum HalaProgressKind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // A file comes: `done` and `total` are bytes of it, those of an earlier attempt included; `total` is 0 where it is not known.
    HALA_PROGRESS_KIND_DOWNLOADING = 1,
    // What has come is checked against its SHA-256: `done` and `total` are bytes.
    HALA_PROGRESS_KIND_VERIFYING = 2,
    // The connection broke and is tried again; what has come is kept.
    HALA_PROGRESS_KIND_RETRYING = 3,
    // No byte has come for a moment: told a few times a second, so that a download can be stopped then too.
    HALA_PROGRESS_KIND_WAITING = 5,
    // Weights go to the device: `done` and `total` are numbers in them.
    HALA_PROGRESS_KIND_LOADING = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum HalaProgressKind HalaProgressKind;
#else
typedef int32_t HalaProgressKind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Levels of the log: how much whoever reads it wants, and how much each line matters.
enum HalaLogLevel
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // Something failed.
    HALA_LOG_LEVEL_ERROR = 1,
    // Something is not as it should be.
    HALA_LOG_LEVEL_WARN = 2,
    // Something is good to know.
    HALA_LOG_LEVEL_INFO = 3,
    // For those who look for a fault.
    HALA_LOG_LEVEL_DEBUG = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum HalaLogLevel HalaLogLevel;
#else
typedef int32_t HalaLogLevel;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What memory hala_trim() gives back.
enum HalaTrim
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // What nothing holds, and what was kept of texts that have ended.
    HALA_TRIM_UNUSED = 0,
    // Also the states of sessions: a session's next turn computes its tokens again.
    HALA_TRIM_SESSIONS = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum HalaTrim HalaTrim;
#else
typedef int32_t HalaTrim;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A flag that one thread raises to stop what another is doing: loading, a download, a translation, a reply.
typedef struct HalaCancel HalaCancel;

// A model on a device. What works with it holds it too: a session or a stream goes on after the engine's last handle was released.
typedef struct HalaEngine HalaEngine;

// What keeps the states of a conversation's tokens between its turns. It holds its engine. One turn at a time: another one meanwhile is answered with
// HALA_STATUS_BUSY. Turns of several sessions run together.
typedef struct HalaSession HalaSession;

// Work that was begun and gives its events one by one: for programs that would rather ask than be called. It goes on while somebody waits for
// it, or for other work on the same engine.
typedef struct HalaStream HalaStream;

// UTF-8 text that somebody else holds. NULL with a length of 0 is an empty text, which in options means the default. What the library gives has a zero
// byte behind it, which `len` does not count.
typedef struct HalaText {
    // The bytes; no zero byte need follow them.
    const char *data;
    // How many, or HALA_STRLEN.
    size_t len;
} HalaText;

// How far it has come. Later versions may add fields at the end.
typedef struct HalaProgress {
    // Bytes of this struct as the library has it.
    size_t struct_size;
    // A HalaProgressKind; a newer library may have others, to be passed over.
    int32_t kind;
    // The file or the tensor.
    struct HalaText name;
    // How much of it is done.
    uint64_t done;
    // How much there is.
    uint64_t total;
} HalaProgress;

// Takes progress; `false` stops what goes on. `progress` is there until it returns.
typedef bool (*HalaProgressCallback)(const struct HalaProgress *progress, void *user_data);

// What comes, and where it goes: `hub`, or `url` with `path`.
typedef struct HalaDownloadOptions {
    // sizeof(HalaDownloadOptions).
    size_t struct_size;
    // A model of the Hugging Face Hub, `owner/name[@revision][:file]`, into the cache that Python shares. What the Hub says of its files' SHA-256 is checked.
    struct HalaText hub;
    // One file, by its address.
    struct HalaText url;
    // Where the file goes. Until it is whole and checked it is `path` with `.part` behind it, from which a later call goes on.
    struct HalaText path;
    // What the file's SHA-256 must be, in hexadecimal; not checked where it is not given.
    struct HalaText sha256;
    // Stops the download; what has come is kept.
    const struct HalaCancel *cancel;
    // Is told how it goes.
    HalaProgressCallback on_progress;
    // Handed to `on_progress`.
    void *user_data;
} HalaDownloadOptions;

// UTF-8 text that the caller owns: hala_string_free() frees it. A zero byte follows it, which `len` does not count.
typedef struct HalaString {
    // The bytes; NULL where there is none.
    char *data;
    // How many.
    size_t len;
} HalaString;

// A file in memory, by the name that it has in a model's folder.
typedef struct HalaFile {
    // Its name, as `config.json`.
    struct HalaText name;
    // Its bytes, which are copied.
    const uint8_t *data;
    // How many.
    size_t len;
} HalaFile;

// A model: `path`, `hub` or `files`, one of them. Without any (or NULL instead of the struct) it is the small translator that ships with Hala.
typedef struct HalaSource {
    // sizeof(HalaSource).
    size_t struct_size;
    // A folder in Hugging Face layout, or one .safetensors or GGUF file.
    struct HalaText path;
    // A model of the Hugging Face Hub, `owner/name[@revision][:file]`: fetched into the cache that Python shares, where it is not there.
    struct HalaText hub;
    // Files in memory: those of a folder in Hugging Face layout.
    const struct HalaFile *files;
    // How many.
    size_t n_files;
} HalaSource;

// Choices made when a model is loaded. Zero is what suits the machine and the model.
typedef struct HalaLoadOptions {
    // sizeof(HalaLoadOptions).
    size_t struct_size;
    // What runs it: `auto` (a real GPU that does no harm and is not slower, or else the CPU; for the model that ships with Hala the CPU), `cpu`,
    // `wgpu` or `plain` (slow, and the truth that others are tested against).
    struct HalaText backend;
    // The GPU whose name contains this, whatever its case.
    struct HalaText adapter;
    // How matrices are held: `auto`, `f32`, `bf16`, `f16`, `fp8`, `int8` or `int4`.
    struct HalaText weights;
    // Tokens that a sequence can hold.
    size_t context;
    // Threads of the CPU; as many as the machine runs at once by default.
    size_t threads;
    // Sequences at once; as many as suit the device by default.
    size_t parallel;
    // Stops the loading.
    const struct HalaCancel *cancel;
    // Is told how it goes, until hala_engine_load() returns.
    HalaProgressCallback on_progress;
    // Handed to `on_progress`.
    void *user_data;
    // The folder in which is kept what is known of GPUs: which of them `auto` leaves alone, as after a driver's crash, and which kernels are fast;
    // Hala's in the user's folder for caches by default. An app on a phone, which has none, names one that is neither emptied nor backed up.
    struct HalaText devices;
} HalaLoadOptions;

// Bytes that a model will take at most, known from the headers of its files. A run's activations are not among them: some 20 MB for 350
// million parameters. Later versions may add fields at the end.
typedef struct HalaEstimate {
    // sizeof(HalaEstimate), set by the caller.
    size_t struct_size;
    // Of all weights as they will be held.
    uint64_t weight_bytes;
    // Of the tokenizer.
    uint64_t tokenizer_bytes;
    // Of caches for one token.
    uint64_t cache_bytes_per_token;
    // Of caches and states of a session that fills its context.
    uint64_t session_bytes;
    // The most while the model is loaded.
    uint64_t peak_bytes;
} HalaEstimate;

// Takes a line of the log. It may be called on any thread, several at once, and while a function of Hala runs. `false` ends it.
typedef bool (*HalaLogCallback)(int32_t level, struct HalaText message, void *user_data);

// Token ids that the caller owns: hala_tokens_free() frees them.
typedef struct HalaTokens {
    // The ids; NULL where there are none.
    uint32_t *data;
    // How many.
    size_t len;
} HalaTokens;

// A part of a text, in bytes.
typedef struct HalaRange {
    // The first byte.
    size_t start;
    // The byte after the last.
    size_t end;
} HalaRange;

// What comes of work while it goes on. Later versions may add fields at the end, and kinds, which are to be passed over.
typedef struct HalaEvent {
    // Bytes of this struct as the library has it.
    size_t struct_size;
    // A HalaEventKind.
    int32_t kind;
    // How a text failed, a HalaStatus.
    int32_t status;
    // Which text or reply, from 0.
    size_t index;
    // The text.
    struct HalaText text;
    // The sentence, or the white space, of which `text` is the translation, in the text that was given.
    struct HalaRange source;
    // Where `text` is in the translation.
    struct HalaRange target;
    // JSON.
    struct HalaText json;
} HalaEvent;

// Takes an event; `false` stops the work. `event` is there until it returns.
typedef bool (*HalaEventCallback)(const struct HalaEvent *event, void *user_data);

// How a text is translated.
typedef struct HalaTranslateOptions {
    // sizeof(HalaTranslateOptions).
    size_t struct_size;
    // The language of the text, `ar` or `en`; found out where it is not given.
    struct HalaText from;
    // The language wanted, `ar` or `en`; the other one where it is not given.
    struct HalaText to;
    // Stops the work.
    const struct HalaCancel *cancel;
    // Is told what comes; streams give it themselves.
    HalaEventCallback on_event;
    // Handed to `on_event`.
    void *user_data;
} HalaTranslateOptions;

// How a conversation is answered, or a prompt gone on with.
typedef struct HalaRunOptions {
    // sizeof(HalaRunOptions).
    size_t struct_size;
    // What keeps the tokens between the turns of a conversation, so that none is computed twice.
    const struct HalaSession *session;
    // Stops the work.
    const struct HalaCancel *cancel;
    // Is told what comes; streams give it themselves.
    HalaEventCallback on_event;
    // Handed to `on_event`.
    void *user_data;
} HalaRunOptions;

// How a text becomes tokens.
typedef struct HalaTokenizeOptions {
    // sizeof(HalaTokenizeOptions).
    size_t struct_size;
    // 1 takes special tokens in the text for what they are, as in a prompt in the model's own format. Text from outside is to have 0.
    int32_t special;
    // 1 adds no token that begins a text.
    int32_t no_bos;
} HalaTokenizeOptions;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// A flag that is down, held once.
HALA_API struct HalaCancel *hala_cancel_new(void);

// Raises a flag: what runs under it stops before its next token, in the middle of a long prompt too. May be called inside of a callback.
HALA_API
HalaStatus hala_cancel_raise(const struct HalaCancel *cancel);

// Lowers a flag, so that it can be used for the next work. May be called inside of a callback.
HALA_API HalaStatus hala_cancel_lower(const struct HalaCancel *cancel);

// Holds a flag once more.
HALA_API HalaStatus hala_cancel_retain(const struct HalaCancel *cancel);

// Holds a flag once less. Work under it goes on. NULL is nothing.
HALA_API HalaStatus hala_cancel_release(const struct HalaCancel *cancel);

// Fetches a model, or goes on where an earlier call stopped. `*path` is where it is: what HalaSource.path takes. What is there already and is right is
// not fetched again.
//
// # Safety
// Pointers are NULL or as their structs say.
HALA_API
HalaStatus hala_download(const struct HalaDownloadOptions *options,
                         struct HalaString *path);

// Chooses a device, opens a model, and moves it to the device. `*engine` is then held once.
//
// # Safety
// Pointers are NULL or as their structs say.
HALA_API
HalaStatus hala_engine_load(const struct HalaSource *source,
                            const struct HalaLoadOptions *options,
                            struct HalaEngine **engine);

// Holds an engine once more.
HALA_API HalaStatus hala_engine_retain(const struct HalaEngine *engine);

// Holds an engine once less; its memory is given back when nobody holds it, and no session or stream is left that works with it. NULL is nothing.
HALA_API
HalaStatus hala_engine_release(const struct HalaEngine *engine);

// What was loaded and what runs it, as JSON: family, parameters, layers, width, vocabulary, context, weightBytes, cacheBytesPerToken, sampling,
// backend, device, reason (why that device, in words), reasonCode (the same as a word), threads and more. May be asked while it works.
//
// # Safety
// `info` points to a place for a text.
HALA_API
HalaStatus hala_engine_info(const struct HalaEngine *engine,
                            struct HalaString *info);

// What a model will take, without loading it: the headers of its files are read, and no weight. For a model of the Hub these are fetched.
//
// # Safety
// Pointers are NULL or as their structs say.
HALA_API
HalaStatus hala_estimate(const struct HalaSource *source,
                         const struct HalaLoadOptions *options,
                         struct HalaEstimate *estimate);

// The word for a status, as `invalid-request`; `unknown` for a number that is none. It is the same in all of Hala's interfaces and never changes.
HALA_API
struct HalaText hala_status_name(int32_t status);

// What the last call of this thread that failed had to say: what was found, what was expected, and what to do next. Empty where none failed. It
// stays until this thread calls a function that returns a status.
HALA_API
struct HalaText hala_last_error(void);

// Bytes of memory that were refused, where the last call of this thread failed with HALA_STATUS_OUT_OF_MEMORY; else 0.
HALA_API
size_t hala_last_error_bytes(void);

// Sends the log to `callback`: lines up to `level`, a HalaLogLevel. NULL ends it. When this returns, the callback before it is called no more.
//
// # Safety
// `callback` may be called with `user_data` on any thread until another is set.
HALA_API
HalaStatus hala_set_log(HalaLogCallback callback,
                        void *user_data,
                        int32_t level);

// Frees a text, and makes it empty. NULL and an empty one are nothing.
//
// # Safety
// `string` is NULL, or points to a text that this library gave and that was not freed.
HALA_API void hala_string_free(struct HalaString *string);

// Frees token ids, and makes them none. NULL and none are nothing.
//
// # Safety
// `tokens` is NULL, or points to ids that this library gave and that were not freed.
HALA_API void hala_tokens_free(struct HalaTokens *tokens);

// Translates a text between Arabic and English; sentences, paragraphs and white space stay where they were. `*translation` is the translation alone;
// the event HALA_EVENT_KIND_DONE has the sentences with their places, and the costs. Either may be left out.
//
// # Safety
// Pointers are NULL or as their structs say.
HALA_API
HalaStatus hala_translate(const struct HalaEngine *engine,
                          struct HalaText text,
                          const struct HalaTranslateOptions *options,
                          struct HalaString *translation);

// Begins to translate a text, as hala_translate(): hala_stream_next() gives its events. `*stream` is then held once.
//
// # Safety
// Pointers are NULL or as their structs say.
HALA_API
HalaStatus hala_translate_start(const struct HalaEngine *engine,
                                struct HalaText text,
                                const struct HalaTranslateOptions *options,
                                struct HalaStream **stream);

// Translates `n` texts, as many at once as the device likes. `translations` is NULL, or points to `n` places, which are then all to be freed; one
// that failed is empty. Events tell which text they are of, and come in the order of the texts. What is wrong with one text stops no other:
// the status is that of the first that failed.
//
// # Safety
// Pointers are NULL or as their structs say.
HALA_API
HalaStatus hala_translate_all(const struct HalaEngine *engine,
                              const struct HalaText *texts,
                              size_t n,
                              const struct HalaTranslateOptions *options,
                              struct HalaString *translations);

// Begins to translate texts, as hala_translate_all().
//
// # Safety
// Pointers are NULL or as their structs say.
HALA_API
HalaStatus hala_translate_all_start(const struct HalaEngine *engine,
                                    const struct HalaText *texts,
                                    size_t n,
                                    const struct HalaTranslateOptions *options,
                                    struct HalaStream **stream);

// Answers a conversation. `request` is JSON in the words of the OpenAI API's chat completions: `{"messages": […], "temperature": …}`; what it leaves
// open is as the model's publisher has it. `*completion` is a chat completion. May be left out.
//
// # Safety
// Pointers are NULL or as their structs say.
HALA_API
HalaStatus hala_chat(const struct HalaEngine *engine,
                     struct HalaText request,
                     const struct HalaRunOptions *options,
                     struct HalaString *completion);

// Begins to answer a conversation, as hala_chat().
//
// # Safety
// Pointers are NULL or as their structs say.
HALA_API
HalaStatus hala_chat_start(const struct HalaEngine *engine,
                           struct HalaText request,
                           const struct HalaRunOptions *options,
                           struct HalaStream **stream);

// Goes on with a prompt as it stands. `request` is JSON in the words of the OpenAI API's completions: `{"prompt": "…" or [ids], "max_tokens": …}`;
// special tokens in the prompt's text are special. `*completion` is a text completion. May be left out.
//
// # Safety
// Pointers are NULL or as their structs say.
HALA_API
HalaStatus hala_generate(const struct HalaEngine *engine,
                         struct HalaText request,
                         const struct HalaRunOptions *options,
                         struct HalaString *completion);

// Begins to go on with a prompt, as hala_generate().
//
// # Safety
// Pointers are NULL or as their structs say.
HALA_API
HalaStatus hala_generate_start(const struct HalaEngine *engine,
                               struct HalaText request,
                               const struct HalaRunOptions *options,
                               struct HalaStream **stream);

// Gives memory back to the system, as on a phone that runs out of it: a HalaTrim says how much. Waits for the step that is under way.
HALA_API
HalaStatus hala_trim(const struct HalaEngine *engine,
                     int32_t trim);

// A session without any tokens. `*session` is then held once.
//
// # Safety
// `session` points to a place for a handle.
HALA_API HalaStatus hala_session_new(const struct HalaEngine *engine, struct HalaSession **session);

// Writes a session's tokens and their states to a file, which appears under its name when it is whole.
//
// # Safety
// `path` is as its struct says.
HALA_API HalaStatus hala_session_save(const struct HalaSession *session, struct HalaText path);

// A session from a file that hala_session_save() wrote, with the same model held in the same way: nothing is computed again. `*session` is then held
// once.
//
// # Safety
// `path` is as its struct says, and `session` points to a place for a handle.
HALA_API
HalaStatus hala_session_restore(const struct HalaEngine *engine,
                                struct HalaText path,
                                struct HalaSession **session);

// Holds a session once more.
HALA_API HalaStatus hala_session_retain(const struct HalaSession *session);

// Holds a session once less; its memory is given back when nobody holds it. NULL is nothing.
HALA_API HalaStatus hala_session_release(const struct HalaSession *session);

// Waits for the next event, and works meanwhile. `*event` stays until the next call for this stream, or until it is released; it is NULL at
// the end. After a failure the stream has ended. HALA_STATUS_BUSY where another thread waits for this stream.
//
// # Safety
// `event` points to a place for a pointer.
HALA_API
HalaStatus hala_stream_next(const struct HalaStream *stream,
                            const struct HalaEvent **event);

// Stops a stream from any thread: hala_stream_next() then answers HALA_STATUS_ABORTED. The flag that it was begun under stays as it is. May be called inside of a callback.
HALA_API
HalaStatus hala_stream_cancel(const struct HalaStream *stream);

// Holds a stream once more.
HALA_API HalaStatus hala_stream_retain(const struct HalaStream *stream);

// Holds a stream once less; when nobody holds it, its work ends, wherever it is. NULL is nothing.
HALA_API HalaStatus hala_stream_release(const struct HalaStream *stream);

// The tokens of a text.
//
// # Safety
// Pointers are NULL or as their structs say.
HALA_API
HalaStatus hala_tokenize(const struct HalaEngine *engine,
                         struct HalaText text,
                         const struct HalaTokenizeOptions *options,
                         struct HalaTokens *tokens);

// The text of tokens, special ones among them.
//
// # Safety
// `ids` points to `n` ids, and `text` to a place for a text.
HALA_API
HalaStatus hala_detokenize(const struct HalaEngine *engine,
                           const uint32_t *ids,
                           size_t n,
                           struct HalaString *text);

// Tokens of the prompt that these messages make, a JSON list as the OpenAI API has it: what they take of the context.
//
// # Safety
// `n_tokens` points to a place for a number.
HALA_API
HalaStatus hala_count_prompt(const struct HalaEngine *engine,
                             struct HalaText messages,
                             size_t *n_tokens);

// The version of the interface that the library has. It grows only where a program compiled with an older header would no longer work; what is
// added to it does not.
HALA_API
uint32_t hala_abi_version(void);

// The version of the library, as `0.1.0`.
HALA_API struct HalaText hala_version(void);

// What the library was built with, of `wgpu` (GPUs), `hub` (downloads) and `built-in` (the small translator), with commas between them.
HALA_API
struct HalaText hala_features(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* HALA_H */
