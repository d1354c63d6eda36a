import { useState } from 'react'
import type { BridgePhone } from 'offhook/bridge/client'
import { useNotices, usePhoneState, useRecents } from './hooks'
import { CallCard } from './parts/call-card'
import { ConferenceCard } from './parts/conference-card'
import { Dialer } from './parts/dialer'
import { Header } from './parts/header'
import { Icon } from './parts/icon'
import { IncomingCall } from './parts/incoming'
import { RecentList } from './parts/recents'
import { SettingsDialog } from './parts/settings'
import { TransferRequest } from './parts/transfer-request'
import { WaitingCall } from './parts/waiting-call'
import { useDevices } from './devices'
import { useHeadsets } from './headset'
import { useNotifications } from './notifications'
import { useOwnPictures } from './pictures'
import { ending, nameOf } from './words'

/** A question to somebody else before a call is passed on: the call, and the one to ask. */
export interface Consultation {
  from: string
  to: string
}

export function Desk({ phone, uri }: { phone: BridgePhone; uri: string }) {
  const state = usePhoneState(phone)
  const { run, say } = useNotices()
  const [settings, setSettings] = useState(false)
  const [consultation, setConsultation] = useState<Consultation>()
  const devices = useDevices(phone)
  const headsets = useHeadsets(phone)
  const pictures = useOwnPictures(phone)
  const recents = useRecents(phone, uri, (session, reason) => {
    const text = ending(nameOf(session), reason)
    if (text) say(text)
  })
  useNotifications(state.pendingSessions)

  const alone = state.sessions.filter(({ conference }) => conference === null)
  // The one that is talked in, else one that is dialled, else one on hold.
  const front = alone.find(({ active, held }) => active && !held) ?? alone.find(({ active }) => !active) ?? (state.conferences.length === 0 ? alone[0] : undefined)
  const waiting = alone.filter((call) => call !== front)
  const call = (target: string) => run(() => phone.call(target))
  const consult = async (from: string, target: string) => {
    await run(async () => setConsultation({ from, to: (await phone.call(target)).id }))
  }

  return (
    <div className="desk">
      <Header phone={phone} state={state} uri={uri} openSettings={() => setSettings(true)} />
      <aside>
        <Dialer call={call} />
        <RecentList recents={recents} call={call} />
      </aside>
      <main aria-label="Calls">
        {state.pendingSessions.map((pending, index) => (
          <IncomingCall key={pending.id} phone={phone} pending={pending} pictures={pictures} isFirst={index === 0} isSecond={state.sessions.length > 0} />
        ))}
        {state.sessions.map((call) => (
          <TransferRequest key={call.id} call={call} session={phone.session(call.id)} />
        ))}
        {state.conferences.map((conference) => (
          <ConferenceCard key={conference.id} phone={phone} conference={conference} sessions={state.sessions} pictures={pictures} />
        ))}
        {front && <CallCard key={front.id} phone={phone} call={front} others={waiting} conference={state.conferences[0]} pictures={pictures} consult={consult} consultation={consultation} />}
        {waiting.length > 0 && (
          <section aria-label="Other calls" className="waiting">
            {waiting.map((one) => (
              <WaitingCall key={one.id} phone={phone} call={one} front={front} conference={state.conferences[0]} />
            ))}
          </section>
        )}
        {state.sessions.length + state.pendingSessions.length === 0 && (
          <div className="empty">
            <Icon name="headset" />
            <p>No call now</p>
            <small>Type a name or a number to call, or wait until it rings.</small>
          </div>
        )}
      </main>
      {settings && <SettingsDialog devices={devices} chooseHeadset={headsets.choose} close={() => setSettings(false)} />}
    </div>
  )
}
