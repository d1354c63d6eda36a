import { spawnSync } from 'node:child_process'

const script = `
import json, sys, wave
try:
    import numpy
    from pesq import pesq
except ImportError as error:
    sys.exit(3)
def read(path):
    with wave.open(path) as file:
        return numpy.frombuffer(file.readframes(file.getnframes()), dtype='<i2')
def score(clean, degraded):
    try:
        return float(pesq(16000, read(clean), read(degraded), 'wb'))
    except Exception:
        return None
print(json.dumps([score(clean, degraded) for clean, degraded in json.load(sys.stdin)]))
`

/** How to have PESQ; it is not part of this package. */
export const pesqMissing = 'speech quality was not measured: install PESQ with "pip install pesq", or name a Python that has it in OFFHOOK_BENCH_PYTHON'

/**
 * Wide-band PESQ (ITU-T P.862.2) of pairs of WAV files at 16 kHz, the clean one first; null for a pair in which it finds no
 * speech, and nothing at all where it is not installed.
 *
 * @param {[clean: string, degraded: string][]} pairs
 * @returns {(number | null)[] | undefined}
 */
export function pesq(pairs) {
  const python = process.env.OFFHOOK_BENCH_PYTHON ?? 'python3'
  const { status, stdout, stderr, error } = spawnSync(python, ['-c', script], { input: JSON.stringify(pairs), encoding: 'utf8', maxBuffer: 1 << 24 })
  if (error !== undefined || status === 3) return undefined
  if (status !== 0) throw new Error(`PESQ failed: ${stderr}`)
  return JSON.parse(stdout)
}
