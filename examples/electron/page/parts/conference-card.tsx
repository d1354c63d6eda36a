import { useEffect, useState } from 'react'
import type { BridgePhone, BridgeSession, ConferenceSnapshot, SessionSnapshot } from 'offhook/bridge/client'
import { useNotices } from '../hooks'
import { nameOf } from '../words'
import { Icon } from './icon'
import { Control } from './control'

interface Props {
  phone: BridgePhone
  conference: ConferenceSnapshot
  sessions: readonly SessionSnapshot[]
}

export function ConferenceCard({ phone, conference, sessions }: Props) {
  const { run } = useNotices()
  const room = phone.conferenceOf(conference.id)
  const silenced = useSilenced(phone, conference.id)
  const members = conference.members.flatMap((id) => sessions.find((one) => one.id === id) ?? [])
  const toggle = (member: SessionSnapshot) => {
    const session = phone.session(member.id)
    if (session) void run(async () => (silenced.has(member.id) ? room?.unmute(session) : room?.mute(session)))
  }
  return (
    <section className="card call-card" aria-label="Conference">
      <div className="who">
        <h2>Conference</h2>
        <small>{conference.held ? 'On hold' : `You and ${members.length} others`}</small>
      </div>
      <ul className="members">
        {members.map((member) => (
          <li key={member.id}>
            <span>{nameOf(member)}</span>
            <button type="button" aria-pressed={silenced.has(member.id)} onClick={() => toggle(member)}>
              <Icon name={silenced.has(member.id) ? 'mute' : 'microphone'} /> {silenced.has(member.id) ? 'Let speak' : 'Silence'}
            </button>
            <button type="button" onClick={() => run(async () => room?.remove(phone.session(member.id) as BridgeSession))}>
              Take out
            </button>
          </li>
        ))}
      </ul>
      <div className="controls" role="group" aria-label="Conference controls">
        <Control icon={conference.muted ? 'mute' : 'microphone'} label="Mute" pressed={conference.muted} press={() => run(async () => (conference.muted ? room?.unmute() : room?.mute()))} />
        <Control icon={conference.held ? 'resume' : 'hold'} label="Hold" pressed={conference.held} press={() => run(async () => (conference.held ? room?.resume() : room?.hold()))} />
        <Control icon="transfer" label="Split" press={() => run(async () => room?.dissolve())} />
        <Control icon="end" label="End all" kind="end" press={() => run(async () => room?.end())} />
      </div>
    </section>
  )
}

/** The members who are not heard. */
function useSilenced(phone: BridgePhone, id: string): ReadonlySet<string> {
  const [silenced, setSilenced] = useState<ReadonlySet<string>>(new Set())
  useEffect(() => {
    const room = phone.conferenceOf(id)
    const muted = (member?: BridgeSession) => member && setSilenced((before) => new Set(before).add(member.id))
    const unmuted = (member?: BridgeSession) => member && setSilenced((before) => new Set([...before].filter((one) => one !== member.id)))
    room?.on('mute', muted)
    room?.on('unmute', unmuted)
    return () => void room?.off('mute', muted).off('unmute', unmuted)
  }, [phone, id])
  return silenced
}
