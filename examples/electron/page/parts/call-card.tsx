import { useState } from 'react'
import type { BridgePhone, BridgeSession, ConferenceSnapshot, SessionSnapshot } from 'offhook/bridge/client'
import type { Consultation } from '../desk'
import { useLevels, useNotices, useNow, useQuality } from '../hooks'
import type { Kind, OwnPictures } from '../pictures'
import { useShortcuts } from '../shortcuts'
import { clock, nameOf, quality } from '../words'
import { Control } from './control'
import { DigitPad } from './digit-pad'
import { Icon } from './icon'
import { PictureWall } from './picture-wall'
import { TransferDialog } from './transfer-dialog'

interface Props {
  phone: BridgePhone
  call: SessionSnapshot
  /** The calls beside it. */
  others: readonly SessionSnapshot[]
  /** The conference beside it. */
  conference: ConferenceSnapshot | undefined
  pictures: OwnPictures
  consult: (from: string, target: string) => void
  consultation: Consultation | undefined
}

/** The call that is talked in. */
export function CallCard({ phone, call, others, conference, pictures, consult, consultation }: Props) {
  const { run } = useNotices()
  const [pad, setPad] = useState(false)
  const [transfer, setTransfer] = useState(false)
  const session = phone.session(call.id)
  const { active, held, muted } = call
  const name = nameOf(call)
  const asked = consultation?.to === call.id ? others.find(({ id }) => id === consultation.from) : undefined

  const mute = () => void run(async () => (muted ? session?.unmute() : session?.mute()))
  const hold = () => void run(async () => (held ? session?.resume() : session?.hold()))
  const digit = (tones: string) => void run(async () => session?.sendDtmf(tones))
  const join = () => void run(async () => session && conference && phone.conferenceOf(conference.id)?.add(session))
  const own = pictures.of(call.id)
  const show = (kind: Kind) => void run(async () => session && pictures.toggle(session, kind))
  const end = () => void run(async () => session?.end())
  useShortcuts({ 'Alt+M': mute, 'Alt+H': hold }, active && !transfer)

  return (
    <section className="card call-card" aria-label={`Call with ${name}`}>
      <div className="top">
        <div className="avatar" aria-hidden="true">
          {name.slice(0, 1).toUpperCase()}
        </div>
        <div className="who">
          <h2>{name}</h2>
          <Standing call={call} />
        </div>
        {active && <Quality session={session} />}
      </div>
      {active && <PictureWall phone={phone} calls={[call]} pictures={pictures} />}
      {active && <Levels session={session} muted={muted} held={held} />}
      {asked && <Asked phone={phone} from={asked} to={call} />}
      <Warnings call={call} />
      {pad && <Keypad press={digit} />}
      <div className="controls" role="group" aria-label="Call controls">
        <Control icon={muted ? 'mute' : 'microphone'} label="Mute" shortcut="Alt+M" pressed={muted} disabled={!active} press={mute} />
        <Control icon={held ? 'resume' : 'hold'} label="Hold" shortcut="Alt+H" pressed={held} disabled={!active} press={hold} />
        <Control icon="keypad" label="Keypad" pressed={pad} disabled={!active} press={() => setPad(!pad)} />
        <Control icon="transfer" label="Transfer" disabled={!active} press={() => setTransfer(true)} />
        <Control icon="camera" label="Camera" pressed={own.camera !== undefined} disabled={!active} press={() => show('camera')} />
        <Control icon="screen" label="Screen" pressed={own.screen !== undefined} disabled={!active} press={() => show('screen')} />
        {conference && <Control icon="merge" label="Join the others" disabled={!active} press={join} />}
        <Control icon="end" label="Hang up" kind="end" press={end} />
      </div>
      {transfer && <TransferDialog phone={phone} call={call} others={others.filter(({ active }) => active)} consult={consult} close={() => setTransfer(false)} />}
    </section>
  )
}

function Standing({ call }: { call: SessionSnapshot }) {
  const now = useNow()
  const { state, active, held, remoteHeld, interrupted, startTime, direction } = call
  const words = [interrupted && 'Connection lost, it is being restored', held && 'On hold', remoteHeld && 'You are on hold', call.muted && 'Muted'].filter(Boolean)
  if (!active) return <p className="standing-line">{direction === 'outgoing' ? 'Calling …' : state === 'ended' ? 'Over' : 'Connecting …'}</p>
  return (
    <p className="standing-line">
      <time>{clock(now - (startTime ?? now))}</time>
      {words.length > 0 && <span className="words">{words.join(', ')}</span>}
    </p>
  )
}

function Quality({ session }: { session: BridgeSession | undefined }) {
  const stats = useQuality(session)
  if (!stats) return null
  const { word, bars } = quality(stats)
  const details = `MOS ${stats.mos.toFixed(1)}, ${stats.lossPct.toFixed(0)} % lost, ${stats.rttMs === null ? '' : `${Math.round(stats.rttMs)} ms, `}${stats.codec ?? ''}`
  return (
    <div className="quality" data-bars={bars}>
      <span className="bars" aria-hidden="true">
        {[1, 2, 3, 4].map((bar) => (
          <i key={bar} className={bar <= bars ? 'on' : ''} />
        ))}
      </span>
      <span>
        {word}
        <small>{details}</small>
      </span>
    </div>
  )
}

function Levels({ session, muted, held }: { session: BridgeSession | undefined; muted: boolean; held: boolean }) {
  const { local, remote } = useLevels(session)
  return (
    <div className="levels">
      <Meter label="You" value={muted || held ? 0 : local} />
      <Meter label="Them" value={held ? 0 : remote} />
    </div>
  )
}

/** Loudness as ears have it: half the bar is about −30 dB. */
function Meter({ label, value }: { label: string; value: number }) {
  const decibels = 20 * Math.log10(Math.max(value, 1e-4))
  const percent = Math.max(0, Math.min(100, (decibels + 60) / 0.6))
  return (
    <label className="meter">
      <span>{label}</span>
      <meter min={0} max={100} value={Math.round(percent)} />
    </label>
  )
}

function Keypad({ press }: { press: (digit: string) => void }) {
  const [sent, setSent] = useState('')
  const digit = (tone: string) => {
    press(tone)
    setSent((before) => (before + tone).slice(-24))
  }
  useShortcuts(Object.fromEntries([...'0123456789*#'].map((tone) => [tone, () => digit(tone)])), true)
  return (
    <div className="keypad">
      <output aria-label="Digits that were sent">{sent}</output>
      <DigitPad label="Digits to send" press={digit} />
    </div>
  )
}

/** The one who was asked first: now the two can be connected. */
function Asked({ phone, from, to }: { phone: BridgePhone; from: SessionSnapshot; to: SessionSnapshot }) {
  const { run } = useNotices()
  const [first, second] = [phone.session(from.id), phone.session(to.id)]
  const back = async () => {
    await second?.end()
    await first?.resume()
  }
  return (
    <div className="asked">
      <p>
        {nameOf(from)} waits. Connect {nameOf(from)} with {nameOf(to)}?
      </p>
      <button type="button" className="primary" onClick={() => run(async () => second && first?.attendedTransfer(second))}>
        <Icon name="merge" /> Connect them
      </button>
      <button type="button" onClick={() => run(back)}>
        <Icon name="back" /> Back to {nameOf(from)}
      </button>
    </div>
  )
}

function Warnings({ call }: { call: SessionSnapshot }) {
  if (call.warnings.length === 0) return null
  return (
    <ul className="warnings" aria-label="What is odd about this call">
      {call.warnings.map(({ code, message, advice }) => (
        <li key={code}>
          <strong>{message}</strong>
          <span>{advice}</span>
        </li>
      ))}
    </ul>
  )
}
