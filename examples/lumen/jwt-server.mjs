// Stands in for the JWT server of the platform: whoever knows the customer's key gets a token for one user of the gateway.
import { createHmac, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'

export async function startJwtServer({ key, admit, lifetime = 300 }) {
  const server = createServer(async (request, response) => {
    if (request.headers.authorization !== `Bearer ${key}`) return response.writeHead(401).end()
    const user = new URL(request.url, 'http://localhost').searchParams.get('user')
    const jwt = sign({ sub: user, exp: Math.floor(Date.now() / 1000) + lifetime, jti: randomUUID() }, key)
    await admit(user, jwt)
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ jwt }))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() }
}

function sign(claims, key) {
  const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
}
