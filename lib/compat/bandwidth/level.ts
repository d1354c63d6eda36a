import type { Session } from '../../index'
import { tell } from '../tell'
import type { AudioLevel } from './streams'

/** −40 dBFS: a room in which nobody speaks. */
const quiet = 0.01
/** −20 dBFS: somebody speaks up. */
const loud = 0.1

/** Tells how loud the own stream is whenever that changes; a muted one is silent. */
export function watchLevel(session: Session, onAudioLevel: (audioLevel: AudioLevel) => void): void {
  let last: AudioLevel | undefined
  session.on('level', ({ local }) => {
    const level = levelOf(session.muted ? 0 : local)
    if (level === last) return
    last = level
    tell(onAudioLevel, level)
  })
}

function levelOf(audioLevel: number): AudioLevel {
  if (audioLevel < quiet) return 'silent'
  return audioLevel < loud ? 'low' : 'high'
}
