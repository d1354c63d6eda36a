import { useRef, useState, type FormEvent } from 'react'
import { DigitPad } from './digit-pad'
import { Icon } from './icon'

export function Dialer({ call }: { call: (target: string) => void }) {
  const [target, setTarget] = useState('')
  const field = useRef<HTMLInputElement>(null)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!target.trim()) return field.current?.focus()
    call(target.trim())
    setTarget('')
  }
  const press = (digit: string) => {
    setTarget((before) => before + digit)
    field.current?.focus()
  }
  return (
    <form className="dialer" onSubmit={submit}>
      <label className="hidden" htmlFor="target">
        Name, number or SIP address
      </label>
      <div className="line">
        <input id="target" ref={field} value={target} placeholder="Name or number" autoComplete="off" spellCheck={false} onChange={({ target }) => setTarget(target.value)} />
        <button type="submit" className="call" aria-label="Call">
          <Icon name="answer" />
        </button>
      </div>
      <DigitPad label="Digits to dial" press={press} />
    </form>
  )
}
