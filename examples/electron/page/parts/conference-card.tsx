import type { BridgePhone, BridgeSession, ConferenceSnapshot, SessionSnapshot } from 'offhook/bridge/client'
import { useNotices } from '../hooks'
import type { OwnPictures } from '../pictures'
import { nameOf } from '../words'
import { Icon } from './icon'
import { Control } from './control'
import { PictureWall } from './picture-wall'

interface Props {
  phone: BridgePhone
  conference: ConferenceSnapshot
  sessions: readonly SessionSnapshot[]
  pictures: OwnPictures
}

export function ConferenceCard({ phone, conference, sessions, pictures }: Props) {
  const { run } = useNotices()
  const room = phone.conferenceOf(conference.id)
  const members = conference.members.flatMap((id) => sessions.find((one) => one.id === id) ?? [])
  const isSilenced = ({ id }: SessionSnapshot) => conference.silenced.includes(id)
  const toggle = (member: SessionSnapshot) => {
    const session = phone.session(member.id)
    if (session) void run(async () => (isSilenced(member) ? room?.unmute(session) : room?.mute(session)))
  }
  return (
    <section className="card call-card" aria-label="Conference">
      <div className="who">
        <h2>Conference</h2>
        <small>{conference.held ? 'On hold' : `You and ${members.length} others`}</small>
      </div>
      <PictureWall phone={phone} calls={members} pictures={pictures} />
      <ul className="members">
        {members.map((member) => (
          <li key={member.id}>
            <span>{nameOf(member)}</span>
            <button type="button" aria-pressed={isSilenced(member)} onClick={() => toggle(member)}>
              <Icon name={isSilenced(member) ? 'mute' : 'microphone'} /> {isSilenced(member) ? 'Let speak' : 'Silence'}
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
