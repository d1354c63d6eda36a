import { useCallback, useMemo, useState } from 'react'
import { Desk } from './desk'
import { NoticesContext, useDesktop, type Notices } from './hooks'
import { NoticeList, type Notice } from './parts/notices'
import { SignIn } from './parts/sign-in'
import { explained } from './words'

const MOST_NOTICES = 4

export function App() {
  const { account, phone, refused } = useDesktop()
  const [notices, setNotices] = useState<Notice[]>([])
  const say = useCallback((text: string) => {
    setNotices((before) => [...before.filter((one) => one.text !== text), { id: Math.random(), text }].slice(-MOST_NOTICES))
  }, [])
  const value = useMemo<Notices>(
    () => ({
      say,
      run: async (action) => {
        try {
          await action()
          return true
        } catch (error) {
          say(explained(error))
          return false
        }
      },
    }),
    [say],
  )
  return (
    <NoticesContext value={value}>
      {phone ? <Desk key={account?.uri} phone={phone} uri={account?.uri ?? ''} /> : <SignIn account={account} refused={refused} />}
      <NoticeList notices={notices} close={(id) => setNotices((before) => before.filter((one) => one.id !== id))} />
    </NoticesContext>
  )
}
