// Stands in for the platform's Voice API: it places a call, and asks its callback what becomes of it once it is answered.
export async function placeCall({ phone, rooms, number, answerUrl }) {
  const call = await phone.call(number, { mediaStream: 'none', audioElement: 'none' })
  transfer({ rooms, call, answerUrl }).catch(async (error) => {
    console.warn(`The call to ${number} came to nothing: ${error.message}`)
    if (call.state !== 'ended') await call.end()
  })
  return call
}

async function transfer({ rooms, call, answerUrl }) {
  await call.answered
  const answer = await fetch(answerUrl, { method: 'POST', body: JSON.stringify({ callId: call.id }) })
  const { transferTo, error } = await answer.json()
  if (error) throw new Error(error)
  await rooms.admit(transferTo, call)
}
