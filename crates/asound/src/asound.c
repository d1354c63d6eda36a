/*
 * Stands in for libasound: the functions that the alsa crate calls, each handing on to the real library,
 * which is looked for when the first device is asked for. So the addon loads where there is no libasound,
 * and building needs neither its headers nor its file.
 *
 * Typed functions instead of jumps in assembly, for every architecture. Hidden, so that nothing else in the
 * process ever takes them for libasound's own. The prototypes are those of alsa-sys 0.4.
 */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#define HIDDEN __attribute__((visibility("hidden")))

/* Set once by asound_load, before any device function is called. */
static void *library;

typedef void (*error_handler)(const char *, int, const char *, int, const char *, ...);

/* What goes wrong is returned as a number too; a library has no business on its host's stderr. */
static void quiet(const char *file, int line, const char *function, int err, const char *format, ...) {
  (void)file, (void)line, (void)function, (void)err, (void)format;
}

/* Loads `file`; NULL is success, else the loader's reason, valid until the next call on this thread. */
HIDDEN const char *asound_load(const char *file) {
  if (__atomic_load_n(&library, __ATOMIC_ACQUIRE)) return NULL;
  void *opened = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!opened) {
    const char *reason = dlerror();
    return reason ? reason : "unknown reason";
  }
  int (*set_handler)(error_handler) = (int (*)(error_handler))dlsym(opened, "snd_lib_error_set_handler");
  if (set_handler) set_handler(quiet);
  __atomic_store_n(&library, opened, __ATOMIC_RELEASE);
  return NULL;
}

static void *find(const char *name) {
  void *opened = __atomic_load_n(&library, __ATOMIC_ACQUIRE);
  return opened ? dlsym(opened, name) : NULL;
}

/* The pointer is looked up once; two threads that do it at the same time find the same. */
#define REAL(type, name, params)                                                     \
  static void *known;                                                                \
  void *found = __atomic_load_n(&known, __ATOMIC_RELAXED);                           \
  if (!found) {                                                                      \
    found = find(#name);                                                             \
    __atomic_store_n(&known, found, __ATOMIC_RELAXED);                               \
  }                                                                                  \
  type(*real) params = (type(*) params)found;

#define FORWARD(type, name, params, args, missing) \
  HIDDEN type name params;                         \
  HIDDEN type name params {                        \
    REAL(type, name, params)                       \
    return real ? real args : missing;             \
  }

#define FORWARD_VOID(name, params, args) \
  HIDDEN void name params;               \
  HIDDEN void name params {              \
    REAL(void, name, params)             \
    if (real) real args;                 \
  }

typedef struct snd_config_t snd_config_t;
typedef struct snd_ctl_card_info_t snd_ctl_card_info_t;
typedef struct snd_ctl_t snd_ctl_t;
typedef struct snd_output_t snd_output_t;
typedef struct snd_pcm_audio_tstamp_config_t snd_pcm_audio_tstamp_config_t;
typedef struct snd_pcm_channel_area_t snd_pcm_channel_area_t;
typedef struct snd_pcm_chmap_query_t snd_pcm_chmap_query_t;
typedef struct snd_pcm_chmap_t snd_pcm_chmap_t;
typedef struct snd_pcm_hw_params_t snd_pcm_hw_params_t;
typedef struct snd_pcm_info_t snd_pcm_info_t;
typedef struct snd_pcm_status_t snd_pcm_status_t;
typedef struct snd_pcm_sw_params_t snd_pcm_sw_params_t;
typedef struct snd_pcm_t snd_pcm_t;

FORWARD(int, snd_card_get_index, (const char *name), (name), -ENODEV)
FORWARD(int, snd_card_get_longname, (int card, char **name), (card, name), -ENODEV)
FORWARD(int, snd_card_get_name, (int card, char **name), (card, name), -ENODEV)
FORWARD(int, snd_card_next, (int *card), (card), -ENODEV)
FORWARD(int, snd_config_save, (snd_config_t *config, snd_output_t *out), (config, out), -ENODEV)
FORWARD_VOID(snd_config_unref, (snd_config_t *top), (top))
FORWARD(int, snd_config_update, (void), (), -ENODEV)
FORWARD(int, snd_config_update_free_global, (void), (), -ENODEV)
FORWARD(int, snd_config_update_ref, (snd_config_t **top), (top), -ENODEV)
FORWARD(int, snd_ctl_card_info, (snd_ctl_t *ctl, snd_ctl_card_info_t *info), (ctl, info), -ENODEV)
FORWARD_VOID(snd_ctl_card_info_free, (snd_ctl_card_info_t *obj), (obj))
FORWARD(int, snd_ctl_card_info_get_card, (const snd_ctl_card_info_t *obj), (obj), -ENODEV)
FORWARD(const char *, snd_ctl_card_info_get_components, (const snd_ctl_card_info_t *obj), (obj), NULL)
FORWARD(const char *, snd_ctl_card_info_get_driver, (const snd_ctl_card_info_t *obj), (obj), NULL)
FORWARD(const char *, snd_ctl_card_info_get_id, (const snd_ctl_card_info_t *obj), (obj), NULL)
FORWARD(const char *, snd_ctl_card_info_get_longname, (const snd_ctl_card_info_t *obj), (obj), NULL)
FORWARD(const char *, snd_ctl_card_info_get_mixername, (const snd_ctl_card_info_t *obj), (obj), NULL)
FORWARD(const char *, snd_ctl_card_info_get_name, (const snd_ctl_card_info_t *obj), (obj), NULL)
FORWARD(int, snd_ctl_card_info_malloc, (snd_ctl_card_info_t **ptr), (ptr), -ENODEV)
FORWARD(int, snd_ctl_close, (snd_ctl_t *ctl), (ctl), -ENODEV)
FORWARD(int, snd_ctl_open, (snd_ctl_t **ctl, const char *name, int mode), (ctl, name, mode), -ENODEV)
FORWARD(int, snd_ctl_pcm_info, (snd_ctl_t *ctl, snd_pcm_info_t *info), (ctl, info), -ENODEV)
FORWARD(int, snd_ctl_pcm_next_device, (snd_ctl_t *ctl, int *device), (ctl, device), -ENODEV)
FORWARD(int, snd_device_name_free_hint, (void **hints), (hints), -ENODEV)
FORWARD(char *, snd_device_name_get_hint, (const void *hint, const char *id), (hint, id), NULL)
FORWARD(int, snd_device_name_hint, (int card, const char *iface, void ***hints), (card, iface, hints), -ENODEV)
FORWARD(int, snd_output_buffer_open, (snd_output_t **outputp), (outputp), -ENODEV)
FORWARD(size_t, snd_output_buffer_string, (snd_output_t *output, char **buf), (output, buf), 0)
FORWARD(int, snd_output_close, (snd_output_t *output), (output), -ENODEV)
FORWARD(int, snd_output_putc, (snd_output_t *output, int c), (output, c), -ENODEV)
FORWARD(int, snd_output_puts, (snd_output_t *output, const char *str_), (output, str_), -ENODEV)
FORWARD(long, snd_pcm_avail, (snd_pcm_t *pcm), (pcm), -ENODEV)
FORWARD(long, snd_pcm_avail_update, (snd_pcm_t *pcm), (pcm), -ENODEV)
FORWARD(long, snd_pcm_bytes_to_frames, (snd_pcm_t *pcm, ssize_t bytes), (pcm, bytes), -ENODEV)
FORWARD(const char *, snd_pcm_chmap_long_name, (int val), (val), NULL)
FORWARD(int, snd_pcm_chmap_print, (const snd_pcm_chmap_t *map, size_t maxlen, char *buf), (map, maxlen, buf), -ENODEV)
FORWARD(int, snd_pcm_close, (snd_pcm_t *pcm), (pcm), -ENODEV)
FORWARD(int, snd_pcm_delay, (snd_pcm_t *pcm, long *delayp), (pcm, delayp), -ENODEV)
FORWARD(int, snd_pcm_drain, (snd_pcm_t *pcm), (pcm), -ENODEV)
FORWARD(int, snd_pcm_drop, (snd_pcm_t *pcm), (pcm), -ENODEV)
FORWARD(int, snd_pcm_dump, (snd_pcm_t *pcm, snd_output_t *out), (pcm, out), -ENODEV)
FORWARD(int, snd_pcm_dump_hw_setup, (snd_pcm_t *pcm, snd_output_t *out), (pcm, out), -ENODEV)
FORWARD(int, snd_pcm_dump_sw_setup, (snd_pcm_t *pcm, snd_output_t *out), (pcm, out), -ENODEV)
FORWARD(int, snd_pcm_format_little_endian, (int format), (format), -ENODEV)
FORWARD(int, snd_pcm_format_physical_width, (int format), (format), -ENODEV)
FORWARD(uint16_t, snd_pcm_format_silence_16, (int format), (format), 0)
FORWARD(int, snd_pcm_format_width, (int format), (format), -ENODEV)
FORWARD(ssize_t, snd_pcm_frames_to_bytes, (snd_pcm_t *pcm, long frames), (pcm, frames), -ENODEV)
FORWARD_VOID(snd_pcm_free_chmaps, (snd_pcm_chmap_query_t **maps), (maps))
FORWARD(snd_pcm_chmap_t *, snd_pcm_get_chmap, (snd_pcm_t *pcm), (pcm), NULL)
FORWARD(int, snd_pcm_get_params, (snd_pcm_t *pcm, unsigned long *buffer_size, unsigned long *period_size), (pcm, buffer_size, period_size), -ENODEV)
FORWARD(int, snd_pcm_hw_params, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params), (pcm, params), -ENODEV)
FORWARD(int, snd_pcm_hw_params_any, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params), (pcm, params), -ENODEV)
FORWARD(int, snd_pcm_hw_params_can_pause, (const snd_pcm_hw_params_t *params), (params), -ENODEV)
FORWARD(int, snd_pcm_hw_params_can_resume, (const snd_pcm_hw_params_t *params), (params), -ENODEV)
FORWARD_VOID(snd_pcm_hw_params_copy, (snd_pcm_hw_params_t *dst, const snd_pcm_hw_params_t *src), (dst, src))
FORWARD(int, snd_pcm_hw_params_current, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params), (pcm, params), -ENODEV)
FORWARD(int, snd_pcm_hw_params_dump, (snd_pcm_hw_params_t *params, snd_output_t *out), (params, out), -ENODEV)
FORWARD_VOID(snd_pcm_hw_params_free, (snd_pcm_hw_params_t *obj), (obj))
FORWARD(int, snd_pcm_hw_params_get_access, (const snd_pcm_hw_params_t *params, int *_access), (params, _access), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_buffer_size, (const snd_pcm_hw_params_t *params, unsigned long *val), (params, val), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_buffer_size_max, (const snd_pcm_hw_params_t *params, unsigned long *val), (params, val), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_buffer_size_min, (const snd_pcm_hw_params_t *params, unsigned long *val), (params, val), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_buffer_time, (const snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_buffer_time_max, (const snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_buffer_time_min, (const snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_channels, (const snd_pcm_hw_params_t *params, unsigned int *val), (params, val), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_channels_max, (const snd_pcm_hw_params_t *params, unsigned int *val), (params, val), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_channels_min, (const snd_pcm_hw_params_t *params, unsigned int *val), (params, val), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_format, (const snd_pcm_hw_params_t *params, int *val), (params, val), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_period_size, (const snd_pcm_hw_params_t *params, unsigned long *frames, int *dir), (params, frames, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_period_size_max, (const snd_pcm_hw_params_t *params, unsigned long *frames, int *dir), (params, frames, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_period_size_min, (const snd_pcm_hw_params_t *params, unsigned long *frames, int *dir), (params, frames, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_period_time, (const snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_period_time_max, (const snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_period_time_min, (const snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_periods, (const snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_periods_max, (const snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_periods_min, (const snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_rate, (const snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_rate_max, (const snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_rate_min, (const snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_get_rate_resample, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned int *val), (pcm, params, val), -ENODEV)
FORWARD(int, snd_pcm_hw_params_malloc, (snd_pcm_hw_params_t **ptr), (ptr), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_access, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, int _access), (pcm, params, _access), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_buffer_size, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned long val), (pcm, params, val), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_buffer_size_max, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned long *val), (pcm, params, val), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_buffer_size_min, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned long *val), (pcm, params, val), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_buffer_size_near, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned long *val), (pcm, params, val), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_buffer_time, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned int val, int dir), (pcm, params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_buffer_time_max, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (pcm, params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_buffer_time_min, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (pcm, params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_buffer_time_near, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (pcm, params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_channels, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned int val), (pcm, params, val), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_channels_near, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned int *val), (pcm, params, val), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_format, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, int val), (pcm, params, val), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_period_size, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned long val, int dir), (pcm, params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_period_size_max, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned long *val, int *dir), (pcm, params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_period_size_min, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned long *val, int *dir), (pcm, params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_period_size_near, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned long *val, int *dir), (pcm, params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_period_time, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned int val, int dir), (pcm, params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_period_time_max, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (pcm, params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_period_time_min, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (pcm, params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_period_time_near, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (pcm, params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_periods, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned int val, int dir), (pcm, params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_periods_max, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (pcm, params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_periods_min, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (pcm, params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_periods_near, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (pcm, params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_rate, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned int val, int dir), (pcm, params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_rate_near, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned int *val, int *dir), (pcm, params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_hw_params_set_rate_resample, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned int val), (pcm, params, val), -ENODEV)
FORWARD(int, snd_pcm_hw_params_supports_audio_ts_type, (const snd_pcm_hw_params_t *params, int type_), (params, type_), -ENODEV)
FORWARD(int, snd_pcm_hw_params_test_access, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, int _access), (pcm, params, _access), -ENODEV)
FORWARD(int, snd_pcm_hw_params_test_channels, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned int val), (pcm, params, val), -ENODEV)
FORWARD(int, snd_pcm_hw_params_test_format, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, int val), (pcm, params, val), -ENODEV)
FORWARD(int, snd_pcm_hw_params_test_rate, (snd_pcm_t *pcm, snd_pcm_hw_params_t *params, unsigned int val, int dir), (pcm, params, val, dir), -ENODEV)
FORWARD(int, snd_pcm_info, (snd_pcm_t *pcm, snd_pcm_info_t *info), (pcm, info), -ENODEV)
FORWARD_VOID(snd_pcm_info_free, (snd_pcm_info_t *obj), (obj))
FORWARD(int, snd_pcm_info_get_card, (const snd_pcm_info_t *obj), (obj), -ENODEV)
FORWARD(unsigned int, snd_pcm_info_get_device, (const snd_pcm_info_t *obj), (obj), 0)
FORWARD(const char *, snd_pcm_info_get_id, (const snd_pcm_info_t *obj), (obj), NULL)
FORWARD(const char *, snd_pcm_info_get_name, (const snd_pcm_info_t *obj), (obj), NULL)
FORWARD(int, snd_pcm_info_get_stream, (const snd_pcm_info_t *obj), (obj), -ENODEV)
FORWARD(unsigned int, snd_pcm_info_get_subdevice, (const snd_pcm_info_t *obj), (obj), 0)
FORWARD(const char *, snd_pcm_info_get_subdevice_name, (const snd_pcm_info_t *obj), (obj), NULL)
FORWARD(unsigned int, snd_pcm_info_get_subdevices_avail, (const snd_pcm_info_t *obj), (obj), 0)
FORWARD(unsigned int, snd_pcm_info_get_subdevices_count, (const snd_pcm_info_t *obj), (obj), 0)
FORWARD(int, snd_pcm_info_malloc, (snd_pcm_info_t **ptr), (ptr), -ENODEV)
FORWARD_VOID(snd_pcm_info_set_device, (snd_pcm_info_t *obj, unsigned int val), (obj, val))
FORWARD_VOID(snd_pcm_info_set_stream, (snd_pcm_info_t *obj, int val), (obj, val))
FORWARD_VOID(snd_pcm_info_set_subdevice, (snd_pcm_info_t *obj, unsigned int val), (obj, val))
FORWARD(int, snd_pcm_link, (snd_pcm_t *pcm1, snd_pcm_t *pcm2), (pcm1, pcm2), -ENODEV)
FORWARD(int, snd_pcm_mmap_begin, (snd_pcm_t *pcm, const snd_pcm_channel_area_t **areas, unsigned long *offset, unsigned long *frames), (pcm, areas, offset, frames), -ENODEV)
FORWARD(long, snd_pcm_mmap_commit, (snd_pcm_t *pcm, unsigned long offset, unsigned long frames), (pcm, offset, frames), -ENODEV)

/*
 * Some devices take seconds to open, and some never do, such as one of a sound server that hangs; cpal opens one
 * after the other, so that one of these would keep the process from all others. So each is opened on a thread of
 * its own. Who asks waits for TURN_MS, is told -EPIPE, which no other opening says, and asks again for the same.
 * What nobody has asked for again within LINGER_S is closed. Threads that hang are bounded: MOST_OPENINGS.
 */
#define TURN_MS 300
#define LINGER_S 5
#define MOST_OPENINGS 16

typedef int (*open_function)(snd_pcm_t **, const char *, int, int);

struct opening {
  struct opening *next;
  open_function open;
  char *name;
  int stream, mode;
  snd_pcm_t *pcm;
  int outcome;
  int done, taken;
};

static struct opening *openings;
static pthread_mutex_t openings_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t openings_changed;
static pthread_once_t openings_ready = PTHREAD_ONCE_INIT;

/* By a clock that nobody sets. */
static void make_ready(void) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&openings_changed, &attributes);
  pthread_condattr_destroy(&attributes);
}

static struct timespec in_time(long milliseconds) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += milliseconds / 1000;
  until.tv_nsec += milliseconds % 1000 * 1000000;
  if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
  return until;
}

/* Waits until `*flag` is set, at most so long. */
static void wait_for(const int *flag, long milliseconds) {
  struct timespec until = in_time(milliseconds);
  while (!*flag && pthread_cond_timedwait(&openings_changed, &openings_lock, &until) != ETIMEDOUT) {
  }
}

/* Owns the opening: it is freed here, once somebody has taken what came of it or nobody has. */
static void *run_opening(void *given) {
  struct opening *opening = given;
  snd_pcm_t *pcm = NULL;
  int outcome = opening->open(&pcm, opening->name, opening->stream, opening->mode);
  pthread_mutex_lock(&openings_lock);
  opening->pcm = pcm, opening->outcome = outcome, opening->done = 1;
  pthread_cond_broadcast(&openings_changed);
  wait_for(&opening->taken, LINGER_S * 1000);
  struct opening **link = &openings;
  while (*link != opening) link = &(*link)->next;
  *link = opening->next;
  int left = !opening->taken && outcome >= 0;
  pthread_mutex_unlock(&openings_lock);
  if (left) snd_pcm_close(pcm);
  free(opening->name);
  free(opening);
  return NULL;
}

/* One that is under way, or a new one; NULL if there are too many. */
static struct opening *opening_of(open_function open, const char *name, int stream, int mode) {
  int count = 0;
  for (struct opening *known = openings; known; known = known->next, count++) {
    if (!known->taken && known->stream == stream && known->mode == mode && !strcmp(known->name, name)) return known;
  }
  struct opening *begun = count < MOST_OPENINGS ? calloc(1, sizeof *begun) : NULL;
  if (!begun) return NULL;
  begun->open = open, begun->stream = stream, begun->mode = mode, begun->name = strdup(name);
  pthread_t thread;
  if (!begun->name || pthread_create(&thread, NULL, run_opening, begun)) {
    free(begun->name);
    free(begun);
    return NULL;
  }
  pthread_detach(thread);
  begun->next = openings;
  openings = begun;
  return begun;
}

HIDDEN int snd_pcm_open(snd_pcm_t **pcm, const char *name, int stream, int mode);
HIDDEN int snd_pcm_open(snd_pcm_t **pcm, const char *name, int stream, int mode) {
  REAL(int, snd_pcm_open, (snd_pcm_t **, const char *, int, int))
  if (!real) return -ENODEV;
  pthread_once(&openings_ready, make_ready);
  pthread_mutex_lock(&openings_lock);
  struct opening *opening = opening_of(real, name, stream, mode);
  if (opening) wait_for(&opening->done, TURN_MS);
  int outcome = opening ? -EPIPE : -EAGAIN;
  if (opening && opening->done) {
    *pcm = opening->pcm, outcome = opening->outcome, opening->taken = 1;
    pthread_cond_broadcast(&openings_changed);
  }
  pthread_mutex_unlock(&openings_lock);
  return outcome;
}

FORWARD(int, snd_pcm_pause, (snd_pcm_t *pcm, int enable), (pcm, enable), -ENODEV)
FORWARD(int, snd_pcm_poll_descriptors, (snd_pcm_t *pcm, struct pollfd *pfds, unsigned int space), (pcm, pfds, space), -ENODEV)
FORWARD(int, snd_pcm_poll_descriptors_count, (snd_pcm_t *pcm), (pcm), -ENODEV)
FORWARD(int, snd_pcm_poll_descriptors_revents, (snd_pcm_t *pcm, struct pollfd *pfds, unsigned int nfds, unsigned short *revents), (pcm, pfds, nfds, revents), -ENODEV)
FORWARD(int, snd_pcm_prepare, (snd_pcm_t *pcm), (pcm), -ENODEV)
FORWARD(snd_pcm_chmap_query_t **, snd_pcm_query_chmaps, (snd_pcm_t *pcm), (pcm), NULL)
FORWARD(long, snd_pcm_readi, (snd_pcm_t *pcm, void *buffer, unsigned long size), (pcm, buffer, size), -ENODEV)
FORWARD(long, snd_pcm_readn, (snd_pcm_t *pcm, void **bufs, unsigned long size), (pcm, bufs, size), -ENODEV)
FORWARD(int, snd_pcm_recover, (snd_pcm_t *pcm, int err, int silent), (pcm, err, silent), -ENODEV)
FORWARD(int, snd_pcm_reset, (snd_pcm_t *pcm), (pcm), -ENODEV)
FORWARD(int, snd_pcm_resume, (snd_pcm_t *pcm), (pcm), -ENODEV)
FORWARD(int, snd_pcm_set_chmap, (snd_pcm_t *pcm, const snd_pcm_chmap_t *map), (pcm, map), -ENODEV)
FORWARD(int, snd_pcm_start, (snd_pcm_t *pcm), (pcm), -ENODEV)
FORWARD(int, snd_pcm_state, (snd_pcm_t *pcm), (pcm), -ENODEV)
FORWARD(int, snd_pcm_status, (snd_pcm_t *pcm, snd_pcm_status_t *status), (pcm, status), -ENODEV)
FORWARD(int, snd_pcm_status_dump, (snd_pcm_status_t *status, snd_output_t *out), (status, out), -ENODEV)
FORWARD_VOID(snd_pcm_status_get_audio_htstamp, (const snd_pcm_status_t *obj, struct timespec *ptr), (obj, ptr))
FORWARD(unsigned long, snd_pcm_status_get_avail, (const snd_pcm_status_t *obj), (obj), 0)
FORWARD(unsigned long, snd_pcm_status_get_avail_max, (const snd_pcm_status_t *obj), (obj), 0)
FORWARD(long, snd_pcm_status_get_delay, (const snd_pcm_status_t *obj), (obj), -ENODEV)
FORWARD_VOID(snd_pcm_status_get_htstamp, (const snd_pcm_status_t *obj, struct timespec *ptr), (obj, ptr))
FORWARD(unsigned long, snd_pcm_status_get_overrange, (const snd_pcm_status_t *obj), (obj), 0)
FORWARD(int, snd_pcm_status_get_state, (const snd_pcm_status_t *obj), (obj), -ENODEV)
FORWARD_VOID(snd_pcm_status_get_trigger_htstamp, (const snd_pcm_status_t *obj, struct timespec *ptr), (obj, ptr))
FORWARD_VOID(snd_pcm_status_set_audio_htstamp_config, (snd_pcm_status_t *obj, snd_pcm_audio_tstamp_config_t *audio_tstamp_config), (obj, audio_tstamp_config))
FORWARD(size_t, snd_pcm_status_sizeof, (void), (), 0)
FORWARD(int, snd_pcm_sw_params, (snd_pcm_t *pcm, snd_pcm_sw_params_t *params), (pcm, params), -ENODEV)
FORWARD(int, snd_pcm_sw_params_current, (snd_pcm_t *pcm, snd_pcm_sw_params_t *params), (pcm, params), -ENODEV)
FORWARD(int, snd_pcm_sw_params_dump, (snd_pcm_sw_params_t *params, snd_output_t *out), (params, out), -ENODEV)
FORWARD_VOID(snd_pcm_sw_params_free, (snd_pcm_sw_params_t *obj), (obj))
FORWARD(int, snd_pcm_sw_params_get_avail_min, (const snd_pcm_sw_params_t *params, unsigned long *val), (params, val), -ENODEV)
FORWARD(int, snd_pcm_sw_params_get_boundary, (const snd_pcm_sw_params_t *params, unsigned long *val), (params, val), -ENODEV)
FORWARD(int, snd_pcm_sw_params_get_start_threshold, (const snd_pcm_sw_params_t *paramsm, unsigned long *val), (paramsm, val), -ENODEV)
FORWARD(int, snd_pcm_sw_params_get_stop_threshold, (const snd_pcm_sw_params_t *params, unsigned long *val), (params, val), -ENODEV)
FORWARD(int, snd_pcm_sw_params_get_tstamp_mode, (const snd_pcm_sw_params_t *params, int *val), (params, val), -ENODEV)
FORWARD(int, snd_pcm_sw_params_get_tstamp_type, (const snd_pcm_sw_params_t *params, int *val), (params, val), -ENODEV)
FORWARD(int, snd_pcm_sw_params_malloc, (snd_pcm_sw_params_t **ptr), (ptr), -ENODEV)
FORWARD(int, snd_pcm_sw_params_set_avail_min, (snd_pcm_t *pcm, snd_pcm_sw_params_t *params, unsigned long val), (pcm, params, val), -ENODEV)
FORWARD(int, snd_pcm_sw_params_set_start_threshold, (snd_pcm_t *pcm, snd_pcm_sw_params_t *params, unsigned long val), (pcm, params, val), -ENODEV)
FORWARD(int, snd_pcm_sw_params_set_stop_threshold, (snd_pcm_t *pcm, snd_pcm_sw_params_t *params, unsigned long val), (pcm, params, val), -ENODEV)
FORWARD(int, snd_pcm_sw_params_set_tstamp_mode, (snd_pcm_t *pcm, snd_pcm_sw_params_t *params, int val), (pcm, params, val), -ENODEV)
FORWARD(int, snd_pcm_sw_params_set_tstamp_type, (snd_pcm_t *pcm, snd_pcm_sw_params_t *params, int val), (pcm, params, val), -ENODEV)
FORWARD(int, snd_pcm_type, (snd_pcm_t *pcm), (pcm), -ENODEV)
FORWARD(int, snd_pcm_unlink, (snd_pcm_t *pcm), (pcm), -ENODEV)
FORWARD(int, snd_pcm_wait, (snd_pcm_t *pcm, int timeout), (pcm, timeout), -ENODEV)
FORWARD(long, snd_pcm_writei, (snd_pcm_t *pcm, const void *buffer, unsigned long size), (pcm, buffer, size), -ENODEV)
FORWARD(long, snd_pcm_writen, (snd_pcm_t *pcm, void **bufs, unsigned long size), (pcm, bufs, size), -ENODEV)
FORWARD(const char *, snd_strerror, (int errnum), (errnum), "libasound is not loaded")

/*
 * PulseAudio's plug-in takes "no timing yet", in a stream's first moments, for an I/O error (alsa-plugins,
 * pulse_delay). The frames that can be moved are known all the same, and a stream that is truly broken fails there too.
 */
HIDDEN int snd_pcm_avail_delay(snd_pcm_t *pcm, long *availp, long *delayp);
HIDDEN int snd_pcm_avail_delay(snd_pcm_t *pcm, long *availp, long *delayp) {
  REAL(int, snd_pcm_avail_delay, (snd_pcm_t *, long *, long *))
  int status = real ? real(pcm, availp, delayp) : -ENODEV;
  if (status != -EIO) return status;
  long avail = snd_pcm_avail_update(pcm);
  if (avail < 0) return (int)avail;
  *availp = avail;
  *delayp = 0;
  return 0;
}
