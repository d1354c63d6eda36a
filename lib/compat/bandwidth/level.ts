import type { Session } from '../../index'
import { tell } from '../tell'
import type { AudioLevel } from './streams'

const interval = 200
/** −40 dBFS: a room in which nobody speaks. */
const quiet = 0.01
/** −20 dBFS: somebody speaks up. */
const loud = 0.1

/** Tells how loud the own stream is whenever that changes, until the call ends; a muted one is silent. */
export function watchLevel(session: Session, onAudioLevel: (audioLevel: AudioLevel) => void, failed: (error: Error) => void): void {
  let last: AudioLevel | undefined
  const look = async () => {
    const report = await session.getStats()
    if (session.state === 'ended') return
    const { audioLevel = 0 } = (report.get('media-source') ?? {}) as { audioLevel?: number }
    const level = levelOf(session.muted ? 0 : audioLevel)
    if (level === last) return
    last = level
    tell(onAudioLevel, level)
  }
  session.on('change:active', (_, active) => {
    if (!active) return
    const timer = setInterval(() => {
      look().catch((error: Error) => session.state !== 'ended' && failed(error))
    }, interval)
    timer.unref()
    session.once('terminated', () => clearInterval(timer))
  })
}

function levelOf(audioLevel: number): AudioLevel {
  if (audioLevel < quiet) return 'silent'
  return audioLevel < loud ? 'low' : 'high'
}
