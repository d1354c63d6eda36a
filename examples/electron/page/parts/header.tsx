import { useEffect, useState } from 'react'
import type { DisconnectedEvent, RegistrationFailedEvent } from 'offhook'
import type { BridgePhone, BridgeState } from 'offhook/bridge/client'
import { useNotices } from '../hooks'
import { Icon } from './icon'

interface Props {
  phone: BridgePhone
  state: BridgeState
  uri: string
  openSettings: () => void
}

export function Header({ phone, state, uri, openSettings }: Props) {
  const { run } = useNotices()
  const { kind, text } = useStanding(phone, state)
  const voice = unheard(state)
  return (
    <header>
      <div className="standing" role="status" data-kind={kind}>
        <span className="dot" aria-hidden="true" />
        <span>
          <strong>{uri.replace(/^sip:/, '')}</strong>
          <small>{text}</small>
        </span>
      </div>
      {voice > 0 && (
        <span className="mailbox">
          <Icon name="mail" /> {voice === 1 ? '1 voice message' : `${voice} voice messages`}
        </span>
      )}
      <nav aria-label="Phone">
        {kind === 'off' && (
          <button type="button" onClick={() => run(async () => phone.reconnect())}>
            Try now
          </button>
        )}
        <button type="button" className="quiet" aria-label="Sound and devices" title="Sound and devices" onClick={openSettings}>
          <Icon name="settings" />
        </button>
        <button type="button" className="quiet" aria-label="Sign out" title="Sign out" onClick={() => run(() => window.desktop.signOut())}>
          <Icon name="out" />
        </button>
      </nav>
    </header>
  )
}

/** How the phone stands, in words. */
function useStanding(phone: BridgePhone, { connected, registered }: BridgeState): { kind: 'on' | 'off' | 'refused'; text: string } {
  const [lost, setLost] = useState<DisconnectedEvent>()
  const [refused, setRefused] = useState<RegistrationFailedEvent>()
  useEffect(() => {
    phone.on('disconnected', setLost)
    phone.on('registrationFailed', setRefused)
    return () => void phone.off('disconnected', setLost).off('registrationFailed', setRefused)
  }, [phone])
  if (registered && connected) return { kind: 'on', text: 'Ready' }
  if (!connected) return { kind: 'off', text: lost?.reconnecting === false ? 'Not connected' : 'Not connected, it is tried again' }
  return { kind: 'refused', text: refused ? `Can’t be called: ${refused.reason}` : 'Connected, not registered yet' }
}

/** Voice messages that nobody has heard. */
function unheard({ messageWaiting }: BridgeState): number {
  return messageWaiting?.waiting ? (messageWaiting.voice?.new ?? 1) : 0
}
