// Clocks that leap as those of a machine do that slept: the one of timers stands still meanwhile, the others go on.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// The length of a file is how many seconds the process has slept.
const source = `
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *time) {
  struct stat slept;
  const char *file = getenv("OFFHOOK_TEST_SLEPT");
  int failed = (int)syscall(SYS_clock_gettime, clock, time);
  if (!failed && file && (clock == CLOCK_BOOTTIME || clock == CLOCK_REALTIME) && stat(file, &slept) == 0) time->tv_sec += slept.st_size;
  return failed;
}
`

/** The environment of a process whose clocks `leap(seconds)` sets ahead. */
export function leapingClock(t) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-clock-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [code, library, slept] = ['clock.c', 'clock.so', 'slept'].map((name) => join(folder, name))
  writeFileSync(code, source)
  writeFileSync(slept, '')
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, code], { stdio: 'pipe' })
  let seconds = 0
  return {
    env: { ...process.env, LD_PRELOAD: library, OFFHOOK_TEST_SLEPT: slept },
    leap(by) {
      seconds += by
      truncateSync(slept, seconds)
    },
  }
}
