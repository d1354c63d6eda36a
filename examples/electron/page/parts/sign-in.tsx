import { useState, type FormEvent } from 'react'
import type { AccountState } from '../desktop'
import { useNotices } from '../hooks'
import { explained } from '../words'

export function SignIn({ account, refused }: { account: AccountState | undefined; refused: string | undefined }) {
  const { run } = useNotices()
  if (!account) return <main className="sign-in" aria-busy="true" />
  const { state, uri, error } = account
  if (state !== 'signed-out') {
    return (
      <main className="sign-in">
        <section className="card" aria-busy="true">
          <h1>{state === 'signed-in' ? 'Looking for the phone' : 'Signing in'}</h1>
          <p className="who">{uri}</p>
          {error && (
            <p role="alert" className="trouble">
              {explained(error)} It is tried again by itself.
            </p>
          )}
          {refused && (
            <p role="alert" className="trouble">
              {refused}
            </p>
          )}
          <button type="button" onClick={() => run(() => window.desktop.signOut())}>
            Use another account
          </button>
        </section>
      </main>
    )
  }
  return <Form uri={uri ?? ''} error={error && explained(error)} />
}

function Form({ uri, error }: { uri: string; error: string | undefined }) {
  const { run } = useNotices()
  const [busy, setBusy] = useState(false)
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const given = new FormData(event.currentTarget)
    const text = (name: string) => String(given.get(name) ?? '').trim()
    const typed = text('uri')
    setBusy(true)
    await run(() => window.desktop.signIn({ uri: typed.startsWith('sip:') ? typed : `sip:${typed}`, password: String(given.get('password')), servers: text('servers') }))
    setBusy(false)
  }
  return (
    <main className="sign-in">
      <form className="card" onSubmit={submit}>
        <h1>Sign in</h1>
        <label>
          Your address
          <input name="uri" defaultValue={uri} placeholder="alice@example.com" required autoFocus autoComplete="username" spellCheck={false} />
        </label>
        <label>
          Password
          <input name="password" type="password" required autoComplete="current-password" />
        </label>
        <label>
          Server <small>if it is not wss://your domain/ws</small>
          <input name="servers" placeholder="wss://pbx.example.com/ws" spellCheck={false} />
        </label>
        {error && (
          <p role="alert" className="trouble">
            {error}
          </p>
        )}
        <button type="submit" className="primary" disabled={busy}>
          Sign in
        </button>
      </form>
    </main>
  )
}
