/*
 * What of libvpx is used, with arguments that no version of its structs changes. A length always comes with the
 * pointer that it belongs to; what Rust is handed is read before the next call.
 */
#if defined(__linux__)
/* For syscall(2). */
#define _GNU_SOURCE
#endif

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#include <windows.h>
#elif defined(__APPLE__)
#include <pthread/qos.h>
#elif defined(__linux__)
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "vpx/vp8cx.h"
#include "vpx/vp8dx.h"
#include "vpx/vpx_decoder.h"
#include "vpx/vpx_encoder.h"

#define FAILED(code) (-(int32_t)(code))

struct oh_vpx_encoder {
  vpx_codec_ctx_t context;
  vpx_codec_enc_cfg_t config;
};

struct oh_vpx_decoder {
  vpx_codec_ctx_t context;
  const vpx_image_t *image;
};

static void set_rate(vpx_codec_enc_cfg_t *config, uint32_t bits_per_second) {
  const uint32_t kilobits = bits_per_second / 1000;
  config->rc_target_bitrate = kilobits > 0 ? kilobits : 1;
}

/* Real time: one pass, constant bitrate, frames left out rather than late, key frames only when they are asked for. */
int32_t oh_vpx_encoder_new(uint32_t width, uint32_t height, uint32_t bits_per_second, uint32_t threads, int32_t speed,
                           int32_t screen, struct oh_vpx_encoder **made) {
  struct oh_vpx_encoder *encoder = calloc(1, sizeof *encoder);
  if (encoder == NULL) return FAILED(VPX_CODEC_MEM_ERROR);
  vpx_codec_enc_cfg_t *config = &encoder->config;
  vpx_codec_err_t code = vpx_codec_enc_config_default(vpx_codec_vp8_cx(), config, 0);
  if (code == VPX_CODEC_OK) {
    config->g_w = width;
    config->g_h = height;
    config->g_timebase.num = 1;
    config->g_timebase.den = 1000000;
    config->g_threads = threads;
    config->g_error_resilient = 0;
    config->g_lag_in_frames = 0;
    config->g_pass = VPX_RC_ONE_PASS;
    config->rc_end_usage = VPX_CBR;
    config->rc_min_quantizer = 2;
    config->rc_max_quantizer = 56;
    config->rc_undershoot_pct = 100;
    config->rc_overshoot_pct = 15;
    /* In milliseconds of the bitrate: what a pacer sends within half a second. */
    config->rc_buf_initial_sz = 500;
    config->rc_buf_optimal_sz = 600;
    config->rc_buf_sz = 1000;
    config->rc_dropframe_thresh = 30;
    config->rc_resize_allowed = 0;
    config->kf_mode = VPX_KF_DISABLED;
    set_rate(config, bits_per_second);
    code = vpx_codec_enc_init(&encoder->context, vpx_codec_vp8_cx(), config, 0);
  }
  if (code != VPX_CODEC_OK) {
    free(encoder);
    return FAILED(code);
  }
  vpx_codec_control(&encoder->context, VP8E_SET_CPUUSED, speed);
  vpx_codec_control(&encoder->context, VP8E_SET_NOISE_SENSITIVITY, 0);
  vpx_codec_control(&encoder->context, VP8E_SET_STATIC_THRESHOLD, screen ? 100u : 1u);
  vpx_codec_control(&encoder->context, VP8E_SET_TOKEN_PARTITIONS, VP8_ONE_TOKENPARTITION);
  vpx_codec_control(&encoder->context, VP8E_SET_SCREEN_CONTENT_MODE, screen ? 1u : 0u);
  /* A key frame may cost what this many per cent of a frame do: 150 ms of the bitrate at 30 frames a second. */
  vpx_codec_control(&encoder->context, VP8E_SET_MAX_INTRA_BITRATE_PCT, 450u);
  *made = encoder;
  return 0;
}

int32_t oh_vpx_encoder_set_rate(struct oh_vpx_encoder *encoder, uint32_t bits_per_second) {
  set_rate(&encoder->config, bits_per_second);
  return FAILED(vpx_codec_enc_config_set(&encoder->context, &encoder->config));
}

/*
 * `i420` has all octets of a picture of the encoder's size. Gives the frame's octets, which stay until the next call;
 * none if the rate control left it out.
 */
int32_t oh_vpx_encode(struct oh_vpx_encoder *encoder, const uint8_t *i420, int64_t at_us, uint64_t lasts_us,
                      int32_t key, const uint8_t **data, size_t *length, int32_t *is_key) {
  vpx_image_t image;
  /* It is only read. */
  unsigned char *octets = (unsigned char *)(uintptr_t)i420;
  *length = 0;
  if (vpx_img_wrap(&image, VPX_IMG_FMT_I420, encoder->config.g_w, encoder->config.g_h, 1, octets) == NULL) {
    return FAILED(VPX_CODEC_INVALID_PARAM);
  }
  /* libvpx makes the sides even; ours are without gaps. */
  const size_t width = encoder->config.g_w, height = encoder->config.g_h;
  const size_t half = (width + 1) / 2, luma = width * height, chroma = half * ((height + 1) / 2);
  image.planes[VPX_PLANE_Y] = octets;
  image.planes[VPX_PLANE_U] = octets + luma;
  image.planes[VPX_PLANE_V] = octets + luma + chroma;
  image.stride[VPX_PLANE_Y] = (int)width;
  image.stride[VPX_PLANE_U] = image.stride[VPX_PLANE_V] = (int)half;
  const vpx_enc_frame_flags_t flags = key ? VPX_EFLAG_FORCE_KF : 0;
  const vpx_codec_err_t code =
      vpx_codec_encode(&encoder->context, &image, at_us, (unsigned long)lasts_us, flags, VPX_DL_REALTIME);
  if (code != VPX_CODEC_OK) return FAILED(code);
  vpx_codec_iter_t position = NULL;
  const vpx_codec_cx_pkt_t *packet;
  while ((packet = vpx_codec_get_cx_data(&encoder->context, &position)) != NULL) {
    if (packet->kind != VPX_CODEC_CX_FRAME_PKT) continue;
    *data = packet->data.frame.buf;
    *length = packet->data.frame.sz;
    *is_key = (packet->data.frame.flags & VPX_FRAME_IS_KEY) != 0;
  }
  return 0;
}

void oh_vpx_encoder_free(struct oh_vpx_encoder *encoder) {
  vpx_codec_destroy(&encoder->context);
  free(encoder);
}

int32_t oh_vpx_decoder_new(uint32_t threads, struct oh_vpx_decoder **made) {
  struct oh_vpx_decoder *decoder = calloc(1, sizeof *decoder);
  if (decoder == NULL) return FAILED(VPX_CODEC_MEM_ERROR);
  vpx_codec_dec_cfg_t config = {threads, 0, 0};
  const vpx_codec_err_t code = vpx_codec_dec_init(&decoder->context, vpx_codec_vp8_dx(), &config, 0);
  if (code != VPX_CODEC_OK) {
    free(decoder);
    return FAILED(code);
  }
  *made = decoder;
  return 0;
}

/* Gives the size of the picture, 0 if there is none; it stays until the next call. */
int32_t oh_vpx_decode(struct oh_vpx_decoder *decoder, const uint8_t *data, uint32_t length, uint32_t *width,
                      uint32_t *height) {
  *width = *height = 0;
  decoder->image = NULL;
  const vpx_codec_err_t code = vpx_codec_decode(&decoder->context, data, length, NULL, 0);
  if (code != VPX_CODEC_OK) return FAILED(code);
  int corrupted = 0;
  if (vpx_codec_control(&decoder->context, VP8D_GET_FRAME_CORRUPTED, &corrupted) == VPX_CODEC_OK && corrupted) {
    return FAILED(VPX_CODEC_CORRUPT_FRAME);
  }
  vpx_codec_iter_t position = NULL;
  const vpx_image_t *image = vpx_codec_get_frame(&decoder->context, &position);
  if (image == NULL) return 0;
  if (image->fmt != VPX_IMG_FMT_I420) return FAILED(VPX_CODEC_UNSUP_BITSTREAM);
  decoder->image = image;
  *width = image->d_w;
  *height = image->d_h;
  return 0;
}

static uint8_t *copy_plane(uint8_t *into, const vpx_image_t *image, int plane, size_t width, size_t height) {
  for (size_t row = 0; row < height; row++, into += width) {
    memcpy(into, image->planes[plane] + (ptrdiff_t)row * image->stride[plane], width);
  }
  return into;
}

/* Copies the picture without gaps; `length` must be what its size needs. */
int32_t oh_vpx_copy(const struct oh_vpx_decoder *decoder, uint8_t *into, size_t length) {
  const vpx_image_t *image = decoder->image;
  if (image == NULL) return FAILED(VPX_CODEC_ERROR);
  const size_t width = image->d_w, height = image->d_h, half = (width + 1) / 2, half_height = (height + 1) / 2;
  if (length != width * height + 2 * half * half_height) return FAILED(VPX_CODEC_INVALID_PARAM);
  into = copy_plane(into, image, VPX_PLANE_Y, width, height);
  into = copy_plane(into, image, VPX_PLANE_U, half, half_height);
  copy_plane(into, image, VPX_PLANE_V, half, half_height);
  return 0;
}

void oh_vpx_decoder_free(struct oh_vpx_decoder *decoder) {
  vpx_codec_destroy(&decoder->context);
  free(decoder);
}

/* Lets other threads go before this one; where the system can't, nothing changes. */
void oh_vpx_give_way(void) {
#if defined(_WIN32)
  SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_BELOW_NORMAL);
#elif defined(__APPLE__)
  pthread_set_qos_class_self_np(QOS_CLASS_UTILITY, 0);
#elif defined(__linux__)
  /* On Linux a thread has a priority of its own, against POSIX (setpriority(2)). Of a process that runs as `nice` it stays. */
  const id_t thread = (id_t)syscall(SYS_gettid);
  if (getpriority(PRIO_PROCESS, thread) < 5) setpriority(PRIO_PROCESS, thread, 5);
#endif
}
