// The sample's server: it lets browsers and phones into rooms by name, and dials telephones into them.
import { createServer } from 'node:http'
import { answer } from './answer.mjs'
import { placeCall } from './voice.mjs'

export async function startMeetingServer({ phone, rooms, files, port = 5000 }) {
  const sessions = new Map()
  const calls = new Map()
  const sessionOf = (room) => sessions.get(room) ?? sessions.set(room, rooms.createSession({ tag: room })).get(room)
  rooms.on('sessionEnded', ({ tag }) => sessions.delete(tag))
  const addParticipantToRoom = async ({ name, room }) => {
    const session = await sessionOf(room)
    const { participant, token } = await rooms.createParticipant({ tag: name })
    await rooms.addParticipantToSession(session.id, participant.id)
    return { id: participant.id, token }
  }
  const routes = {
    '/joinCall': addParticipantToRoom,
    async '/startPSTNCall'({ number, ...caller }) {
      const { id, token } = await addParticipantToRoom(caller)
      const call = await placeCall({ phone, rooms, number, answerUrl: `${url}/Callbacks/answer` })
      calls.set(id, { call, token })
      return { id }
    },
    '/Callbacks/answer': ({ callId }) => ({ transferTo: [...calls.values()].find(({ call }) => call.id === callId).token }),
    async '/endPSTNCall'({ id }) {
      await calls.get(id).call.end()
      await rooms.removeParticipant((await rooms.getParticipant(id)).sessionId, id)
    },
    '/idLookup': async ({ id }) => ({ name: (await rooms.getParticipant(id)).tag }),
    '/endSession': async ({ room }) => rooms.endSession((await sessionOf(room)).id),
  }
  const server = createServer((request, response) => answer(request, response, { routes, files }))
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${server.address().port}`
  return { url, close: () => (server.close(), server.closeAllConnections()) }
}
