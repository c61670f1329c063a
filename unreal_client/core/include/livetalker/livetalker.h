/* The LiveTalker client as a plain C interface: a voice goes in, the 52 ARKit coefficients of a face come out.
 *
 * A session is one voice and one face. Open it, push audio as it comes, and on every tick of the game sample the face
 * and take the events. No function here waits for the network or for the server: all of that happens on a thread of the
 * session's own. A connection that breaks is built again and the stream goes on where it was.
 *
 * Threads. Every function may be called from any thread. For one session, these run at the same time as any other:
 * pushing audio (one thread at a time), sampling (one thread at a time), everything else. livetalker_close must be the
 * last call that is made with a session.
 *
 * Strings. What you pass is UTF-8, ends with a zero and is copied before the function returns. What you receive lies in
 * a struct of yours, or, where the text says "static", lives as long as the library does. Nothing has to be freed.
 *
 * Versions. Structs begin with struct_size, which says which version of the struct the caller was compiled with; set it
 * with the _init function or to sizeof. Fields are only ever added at the end.
 */
#ifndef LIVETALKER_LIVETALKER_H
#define LIVETALKER_LIVETALKER_H

#include <stdint.h>

#if defined(LIVETALKER_LOADED_AT_RUNTIME) || defined(LIVETALKER_STATIC)
#define LIVETALKER_API
#elif defined(_WIN32)
#if defined(LIVETALKER_BUILDING)
#define LIVETALKER_API __declspec(dllexport)
#else
#define LIVETALKER_API __declspec(dllimport)
#endif
#else
#define LIVETALKER_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Version of this interface. A library of another major version must not be used; see livetalker_api_version. */
#define LIVETALKER_API_VERSION 1

/* Coefficients of a face. */
#define LIVETALKER_BLENDSHAPES 52

/* What a function did. */
typedef int32_t livetalker_status;
enum {
  LIVETALKER_OK = 0,
  /* Nothing is there yet: no frame, no event. Not an error. */
  LIVETALKER_EMPTY = 1,
  /* The audio does not fit at present (lossless delivery only); push it again later. Nothing was taken. */
  LIVETALKER_BUSY = 2,
  /* An argument cannot be used. */
  LIVETALKER_INVALID_ARGUMENT = 3,
  /* The session has ended or failed, or its audio was ended; it takes nothing more. */
  LIVETALKER_ENDED = 4,
  /* Memory or another resource of this machine is used up. */
  LIVETALKER_NO_RESOURCES = 5
};

/* Where a session stands. */
typedef int32_t livetalker_state;
enum {
  LIVETALKER_STATE_CONNECTING = 0,
  LIVETALKER_STATE_STREAMING = 1,
  /* The connection broke, or the server is full: it is tried again, the face eases to rest meanwhile. */
  LIVETALKER_STATE_RECONNECTING = 2,
  /* The last frame of the ended audio has been received. */
  LIVETALKER_STATE_ENDED = 3,
  /* Trying again will not help: see the LIVETALKER_EVENT_FAILED event. */
  LIVETALKER_STATE_FAILED = 4
};

/* What keeps a session from streaming. */
typedef int32_t livetalker_error;
enum {
  LIVETALKER_ERROR_NONE = 0,
  /* Nobody answers at the address. */
  LIVETALKER_ERROR_UNREACHABLE = 1,
  /* One side speaks TLS and the other does not, or a certificate is not trusted. */
  LIVETALKER_ERROR_TLS = 2,
  /* The server wants another bearer token, or any. */
  LIVETALKER_ERROR_TOKEN = 3,
  /* Something else than a LiveTalker server of this version answers. */
  LIVETALKER_ERROR_VERSION = 4,
  /* Every stream of the server is taken. */
  LIVETALKER_ERROR_SERVER_FULL = 5,
  /* The server is stopping, or failed by its own fault. */
  LIVETALKER_ERROR_SERVER = 6,
  /* The server refuses the configuration, a control or the audio; the message names the field. */
  LIVETALKER_ERROR_REFUSED = 7,
  /* This side read too slowly, or a fault in this library. */
  LIVETALKER_ERROR_CLIENT = 8
};

enum { LIVETALKER_PRESET_DEFAULT = 0, LIVETALKER_PRESET_LOW = 1, LIVETALKER_PRESET_BALANCED = 2, LIVETALKER_PRESET_QUALITY = 3 };

enum {
  /* Audio that cannot be sent in time is forgotten, frames that are late are dropped: for a microphone. */
  LIVETALKER_DELIVERY_LIVE = 1,
  /* Every sample and every frame arrives; livetalker_push_audio says BUSY instead: for recorded lines and baking. */
  LIVETALKER_DELIVERY_LOSSLESS = 2
};

enum {
  /* Audio is shown as it is pushed: a microphone. The face follows it by as little as the network allows. */
  LIVETALKER_CLOCK_CAPTURE = 1,
  /* Audio is played by the caller, who pushes it ahead and says where the loudspeaker is: a line, a TTS. */
  LIVETALKER_CLOCK_PLAYBACK = 2
};

/* A further header that is sent with every call, for proxies that want one. Keys are lower case. */
typedef struct livetalker_metadata {
  const char* key;
  const char* value;
} livetalker_metadata;

/* How to open a session. Fill it with livetalker_config_init and change what you want otherwise. */
typedef struct livetalker_config {
  uint32_t struct_size;
  /* Samples per second of the audio that will be pushed, 8000 to 48000. Default 16000. */
  int32_t sample_rate;
  /* Interleaved channels, 1 to 8; averaged before they are sent. Default 1. */
  int32_t channels;
  /* Frames per second to receive, 30 or 60. Default 60. */
  int32_t frame_rate;
  /* LIVETALKER_PRESET_... Default balanced. */
  int32_t preset;
  /* LIVETALKER_DELIVERY_... Default live. */
  int32_t delivery;
  /* LIVETALKER_CLOCK_... Default capture. */
  int32_t clock;
  /* Not 0: TLS. Default 0. */
  int32_t tls;
  /* "host:port". Default "127.0.0.1:50051". */
  const char* address;
  /* Not 0: the face blinks. Default 1. */
  int32_t blinks;
  /* Not 0: a silent face keeps small movements. Default 1. */
  int32_t idle_motion;
  /* Frames to keep for livetalker_next_frame, 0 to 100000. Default 0: the face is only sampled. When they are all
   * waiting, a lossless session reads no more until some are taken, a live one drops the oldest. */
  int32_t frame_queue;
  /* Seed of everything random: the same audio, configuration and seed give the same face. Default 0. */
  uint64_t seed;
  /* PEM file of the certificates to trust; NULL: those of the system. */
  const char* tls_ca_file;
  /* PEM files of this side's own certificate and key, for servers that want one; both or neither. */
  const char* tls_certificate_file;
  const char* tls_key_file;
  /* Name to expect in the server's certificate; NULL: the host of the address. */
  const char* tls_server_name;
  /* Bearer token; NULL: none. */
  const char* token;
  /* Name of a speaking style of the model; NULL: matched by the voice. */
  const char* identity;
  const livetalker_metadata* metadata;
  uint32_t metadata_count;
  /* Seconds without a server after which the session fails; 0: it goes on trying. Default 0. */
  float give_up_after_s;
} livetalker_config;

/* A named value, for livetalker_set_shaping. */
typedef struct livetalker_coefficient {
  /* camelCase ARKit name, such as "jawOpen". */
  const char* name;
  float value;
} livetalker_coefficient;

/* Adjustments of the coefficients; they replace the present ones as a whole. */
typedef struct livetalker_shaping {
  uint32_t struct_size;
  /* Not 0: what leaves 0..1 is bent over softly. 0: it is cut off. */
  int32_t soft;
  /* Factors, 0 to 10. */
  const livetalker_coefficient* gains;
  uint32_t gain_count;
  /* Added, -1 to 1. */
  const livetalker_coefficient* offsets;
  uint32_t offset_count;
  /* Expression that is held under the speech, 0 to 1. */
  const livetalker_coefficient* expression;
  uint32_t expression_count;
} livetalker_shaping;

/* One frame as the server sent it. */
typedef struct livetalker_frame {
  uint32_t struct_size;
  uint32_t reserved;
  /* Number of the frame since the session was opened; strictly increasing, across reconnects too. */
  int64_t index;
  /* Instant of the frame on the session's audio, microseconds. */
  int64_t time_us;
  /* In the order of livetalker_blendshape_name, each 0 to 1. */
  float weights[LIVETALKER_BLENDSHAPES];
} livetalker_frame;

/* What an event is about. */
enum {
  /* The server took the stream. name: the model. message: its version and the session's name in the server's logs. */
  LIVETALKER_EVENT_STARTED = 1,
  /* The stream goes on after a break. first_frame: first frame after it. */
  LIVETALKER_EVENT_RESUMED = 2,
  /* No connection at present; it is tried again. error and message say why and what to do; told once per outage and
   * cause. retry_after_s: when. */
  LIVETALKER_EVENT_RETRYING = 3,
  /* The session failed. error and message say why and what to do. */
  LIVETALKER_EVENT_FAILED = 4,
  /* The ended audio has all its frames. */
  LIVETALKER_EVENT_ENDED = 5,
  /* The voice was matched with a speaking style. name: the style; confidence; first_frame: first that uses it. */
  LIVETALKER_EVENT_IDENTITY = 6,
  /* Audio was missing and heard as silence, or first_frame and frame_count will never come. message says which. */
  LIVETALKER_EVENT_GAP = 7,
  /* The server is stopping; the session will reconnect. */
  LIVETALKER_EVENT_DRAINING = 8,
  /* Something is odd, or was and was put right. name: its reason, such as "TOKEN_IN_PLAIN_TEXT". */
  LIVETALKER_EVENT_WARNING = 9
};

typedef struct livetalker_event {
  uint32_t struct_size;
  int32_t kind;
  livetalker_error error;
  float confidence;
  float retry_after_s;
  uint32_t reserved;
  int64_t first_frame;
  int64_t frame_count;
  /* Cut off where it does not fit. */
  char name[64];
  char message[512];
} livetalker_event;

/* What a sample shows. */
enum {
  /* No frame belongs to this instant: the face is at rest, or on its way there. */
  LIVETALKER_SHOWING_REST = 0,
  /* Between two frames. */
  LIVETALKER_SHOWING_PLAYING = 1,
  /* The next frame is missing: the last one stays. */
  LIVETALKER_SHOWING_HOLDING = 2,
  /* It has been missing for long: the last one fades to rest. */
  LIVETALKER_SHOWING_EASING = 3
};

typedef struct livetalker_sample_info {
  uint32_t struct_size;
  /* LIVETALKER_SHOWING_... */
  int32_t state;
  /* How far the face is from rest, 0 to 1, for what moves with it: head, gaze. */
  float presence;
  uint32_t reserved;
  /* Where the audio is, and the instant of it that is shown; seconds, NaN if that is not known. */
  double audio_s;
  double playhead_s;
  /* How far the face is behind the audio, seconds. */
  double delay_s;
} livetalker_sample_info;

/* Figures for a debug view. */
typedef struct livetalker_stats {
  uint32_t struct_size;
  livetalker_state state;
  /* Frames received, and of these dropped because they were known already or came from before an interruption. */
  int64_t frames_received;
  int64_t frames_dropped;
  /* Connections after the first. */
  int64_t reconnects;
  /* Samples pushed, and of these never sent, because no server was there for too long. */
  int64_t samples_pushed;
  int64_t samples_lost;
  /* Microseconds of audio after its instant that a frame waits for on the server; 0 until started. */
  int64_t algorithmic_latency_us;
} livetalker_stats;

typedef struct livetalker_session livetalker_session;

/* LIVETALKER_API_VERSION of the library. */
LIVETALKER_API uint32_t livetalker_api_version(void);

/* Version of the library, such as "0.1.0"; static. */
LIVETALKER_API const char* livetalker_version(void);

/* camelCase ARKit name of a coefficient, 0 to 51; static. NULL for any other number. */
LIVETALKER_API const char* livetalker_blendshape_name(int32_t index);

/* Sets every field to its default. struct_size: sizeof(livetalker_config). */
LIVETALKER_API void livetalker_config_init(livetalker_config* config, uint32_t struct_size);

/* Opens a session and returns at once; files are read and the connection is made on the session's own thread.
 *
 * message, of capacity bytes, receives a sentence that says what to do when the result is not OK; it may be NULL. */
LIVETALKER_API livetalker_status livetalker_open(const livetalker_config* config, livetalker_session** session,
                                                 char* message, uint32_t capacity);

/* Closes a session and returns at once; its thread is ended in the background. NULL is allowed. */
LIVETALKER_API void livetalker_close(livetalker_session* session);

/* Waits until every closed session has ended and the library has no thread left: before it is unloaded, and never on a
 * game thread in mid-game. Sessions still open are left alone, and then threads remain. */
LIVETALKER_API void livetalker_shutdown(void);

/* Pushes audio: count samples of every channel, interleaved, full scale -1 to 1.
 *
 * INVALID_ARGUMENT: a sample is not finite or beyond 16, count is negative, or more than four seconds with lossless
 * delivery; nothing was taken. BUSY: with lossless delivery only. ENDED: the session takes no more. */
LIVETALKER_API livetalker_status livetalker_push_audio(livetalker_session* session, const float* samples, int64_t count);

/* Ends the audio: the frames of what was pushed still come, then the session ends. */
LIVETALKER_API livetalker_status livetalker_end_audio(livetalker_session* session);

/* Samples per channel pushed so far: where on the session's audio the next pushed sample stands. */
LIVETALKER_API int64_t livetalker_audio_position(const livetalker_session* session);

/* Interrupts the character: drops the audio and the frames that were not shown yet. The position goes back over the
 * audio that was not sent, and the next pushed sample stands there. */
LIVETALKER_API livetalker_status livetalker_interrupt(livetalker_session* session);

/* Push-to-talk: while muted, pushed audio counts as silence. */
LIVETALKER_API livetalker_status livetalker_set_muted(livetalker_session* session, int32_t muted);

/* Another person speaks: matches the voice anew, or takes the named style. NULL: match. */
LIVETALKER_API livetalker_status livetalker_rematch_identity(livetalker_session* session, const char* identity);

/* INVALID_ARGUMENT: a name is no coefficient's, or a value is out of its range. */
LIVETALKER_API livetalker_status livetalker_set_shaping(livetalker_session* session, const livetalker_shaping* shaping);

/* Says where on the session's audio the loudspeaker is now, seconds; with LIVETALKER_CLOCK_PLAYBACK, as often as it is
 * known, from one thread. NaN: playback stops or is about to be moved, and the face rests until the next report. Neither
 * waits nor allocates. */
LIVETALKER_API livetalker_status livetalker_report_playback(livetalker_session* session, double audio_s);

/* Writes the face for now to out, 52 floats in the order of livetalker_blendshape_name, each 0 to 1. Call it once for
 * each rendered frame, from one thread. Neither waits nor allocates.
 *
 * audio_s: where on the session's audio the caller is, seconds; NaN: what the session's clock says, from pushed audio or
 * from livetalker_report_playback. info may be NULL; otherwise its struct_size must be set. */
LIVETALKER_API livetalker_status livetalker_sample(livetalker_session* session, double audio_s,
                                                   float out[LIVETALKER_BLENDSHAPES], livetalker_sample_info* info);

LIVETALKER_API livetalker_state livetalker_get_state(const livetalker_session* session);

/* Takes the oldest event. event->struct_size must be set. EMPTY: there is none. */
LIVETALKER_API livetalker_status livetalker_next_event(livetalker_session* session, livetalker_event* event);

/* Takes the oldest frame, where config.frame_queue keeps them. frame->struct_size must be set. EMPTY: there is none
 * yet. ENDED: there will be none any more. */
LIVETALKER_API livetalker_status livetalker_next_frame(livetalker_session* session, livetalker_frame* frame);

/* stats->struct_size must be set. */
LIVETALKER_API livetalker_status livetalker_get_stats(const livetalker_session* session, livetalker_stats* stats);

#ifdef __cplusplus
}
#endif

#endif /* LIVETALKER_LIVETALKER_H */
