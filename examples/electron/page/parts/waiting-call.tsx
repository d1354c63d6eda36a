import type { BridgePhone, ConferenceSnapshot, SessionSnapshot } from 'offhook/bridge/client'
import { useNotices } from '../hooks'
import { nameOf } from '../words'
import { Icon } from './icon'

interface Props {
  phone: BridgePhone
  call: SessionSnapshot
  /** The call beside it that is talked in. */
  front: SessionSnapshot | undefined
  conference: ConferenceSnapshot | undefined
}

export function WaitingCall({ phone, call, front, conference }: Props) {
  const { run } = useNotices()
  const session = phone.session(call.id)
  const name = nameOf(call)
  const other = front?.active && phone.session(front.id)
  const merge = () => session && (conference ? phone.conferenceOf(conference.id)?.add(session) : other && phone.conference([other, session]))
  return (
    <article className="card waiting-call" aria-label={`Call with ${name}`}>
      <div className="who">
        <h3>{name}</h3>
        <small>{!call.active ? 'is called' : call.held ? 'On hold' : 'is waiting'}</small>
      </div>
      {call.active && call.held && (
        <button type="button" onClick={() => run(async () => session?.resume())}>
          <Icon name={front ? 'transfer' : 'resume'} /> {front ? 'Swap' : 'Resume'}
        </button>
      )}
      {call.active && (conference || other) && (
        <button type="button" onClick={() => run(async () => merge())}>
          <Icon name="merge" /> {conference ? 'Add to conference' : 'Merge calls'}
        </button>
      )}
      <button type="button" className="end" aria-label={`Hang up on ${name}`} onClick={() => run(async () => session?.end())}>
        <Icon name="end" />
      </button>
    </article>
  )
}
