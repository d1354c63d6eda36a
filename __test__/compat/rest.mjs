import { createServer } from 'node:http'

/** What a route gives that never answers, or has answered itself. */
export const never = Symbol('never')

/**
 * A REST server on a free loopback port that ends with the test. `routes` maps `'METHOD /path'` to what it answers,
 * or to a function of the request (and its response) that gives it; `requests` has what came, in order; `close()` ends it before.
 */
export async function restOf(t, routes) {
  const requests = []
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const seen = { method: request.method, path: request.url, headers: request.headers, body }
    requests.push(seen)
    const route = routes[`${request.method} ${request.url}`]
    const answer = typeof route === 'function' ? await route(seen, response) : route
    if (response.headersSent || answer === never) return
    response.statusCode = route === undefined ? 404 : (answer?.status ?? 200)
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer?.body ?? answer ?? {}))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${server.address().port}`
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  t.after(close)
  return { url, requests, close }
}

async function text(stream) {
  let all = ''
  for await (const chunk of stream.setEncoding('utf8')) all += chunk
  return all
}
