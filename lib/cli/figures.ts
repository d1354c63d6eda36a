import type { CallStats, LevelEvent } from '../index'

/** How a call sounds, at this moment. */
export interface Figures {
  /** Who is at the other end. */
  readonly name: string
  /** Milliseconds since it was answered. */
  readonly duration: number
  /** How loud both sides are; undefined until it was measured. */
  readonly level: LevelEvent | undefined
  /** How the network is; undefined until it was measured. */
  readonly stats: CallStats | undefined
  /** What is not as usual, such as `muted`. */
  readonly marks: readonly string[]
}

/** The least level that is shown, in dBFS: silence of a quiet room. */
const QUIETEST = -60

/** A level of 0 to 1 in dBFS, no less than −60. */
export function decibels(level: number): number {
  return Math.max(QUIETEST, Math.round(20 * Math.log10(Math.max(level, 1e-9))))
}

/** A level as people read it. */
export function levelText(level: number): string {
  const shown = decibels(level)
  return shown === QUIETEST ? 'silent' : `${shown} dB`
}

/** How many of so many cells a level fills. */
export function cells(level: number, width: number): number {
  return Math.round(((decibels(level) - QUIETEST) / -QUIETEST) * width)
}

/** Minutes and seconds, and hours if there are any. */
export function clock(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000)
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  const rest = String(seconds % 60).padStart(2, '0')
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`
}

/** The figures of the network in words, the most telling first. */
export function qualityWords({ mos, lossPct, rttMs, jitterMs, codec }: CallStats): string[] {
  const roundTrip = rttMs === null ? [] : [`round trip ${Math.round(rttMs)} ms`]
  return [`MOS ${mos.toFixed(1)}`, `loss ${plain(lossPct)} %`, ...roundTrip, `jitter ${plain(jitterMs)} ms`, ...(codec === null ? [] : [codec])]
}

/** A number with one decimal if it has one. */
export function plain(value: number): string {
  return String(Math.round(value * 10) / 10)
}
