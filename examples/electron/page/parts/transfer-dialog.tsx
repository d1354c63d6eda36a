import { useState, type FormEvent } from 'react'
import type { BridgePhone, SessionSnapshot } from 'offhook/bridge/client'
import { useNotices } from '../hooks'
import { nameOf } from '../words'
import { Dialog } from './dialog'
import { Icon } from './icon'

interface Props {
  phone: BridgePhone
  call: SessionSnapshot
  others: readonly SessionSnapshot[]
  consult: (from: string, target: string) => void
  close: () => void
}

export function TransferDialog({ phone, call, others, consult, close }: Props) {
  const { run } = useNotices()
  const [target, setTarget] = useState('')
  const session = phone.session(call.id)
  const name = nameOf(call)
  const now = (event: FormEvent) => {
    event.preventDefault()
    void run(async () => session?.transfer(target.trim()))
    close()
  }
  const ask = () => {
    consult(call.id, target.trim())
    close()
  }
  const connect = (id: string) => {
    const other = phone.session(id)
    if (other) void run(async () => session?.attendedTransfer(other))
    close()
  }
  return (
    <Dialog title={`Transfer ${name}`} close={close}>
      <form onSubmit={now}>
        <label>
          To whom
          <input name="transfer" value={target} autoFocus required autoComplete="off" spellCheck={false} placeholder="Name or number" onChange={({ target }) => setTarget(target.value)} />
        </label>
        <div className="line">
          <button type="submit" className="primary">
            <Icon name="transfer" /> Transfer now
          </button>
          <button type="button" disabled={!target.trim()} onClick={ask}>
            <Icon name="answer" /> Ask first
          </button>
        </div>
      </form>
      {others.map((other) => (
        <button key={other.id} type="button" onClick={() => connect(other.id)}>
          <Icon name="merge" /> Connect with {nameOf(other)}, who waits
        </button>
      ))}
    </Dialog>
  )
}
