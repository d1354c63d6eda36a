/*
 * What VP8 calls of files of libvpx that are VP9's otherwise, so that those can be left out (build/slim.rs). If such a
 * file is linked all the same, its own is used.
 */
#include <math.h>

#if defined(__ELF__)
#define INSTEAD __attribute__((weak))

INSTEAD unsigned int vpx_get4x4sse_cs_c(const unsigned char *source, int source_stride, const unsigned char *other,
                                        int other_stride);
INSTEAD double vpx_sse_to_psnr(double samples, double peak, double squares);

/* The sum of squared differences of 4x4 samples. */
unsigned int vpx_get4x4sse_cs_c(const unsigned char *source, int source_stride, const unsigned char *other,
                                int other_stride) {
  unsigned int sum = 0;
  for (int row = 0; row < 4; row++, source += source_stride, other += other_stride) {
    for (int column = 0; column < 4; column++) {
      const int difference = source[column] - other[column];
      sum += (unsigned int)(difference * difference);
    }
  }
  return sum;
}

/* Only statistics that are not asked for. */
double vpx_sse_to_psnr(double samples, double peak, double squares) {
  const double most = 100.0;
  return squares > 0 ? fmin(10 * log10(samples * peak * peak / squares), most) : most;
}
#endif
