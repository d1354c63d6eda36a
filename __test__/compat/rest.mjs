import { createServer } from 'node:http'

/**
 * A REST server on a free loopback port that ends with the test. `routes` maps `'METHOD /path'` to what it answers,
 * or to a function of the request that gives it; `requests` has what came, in order.
 */
export async function restOf(t, routes) {
  const requests = []
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const seen = { method: request.method, path: request.url, headers: request.headers, body }
    requests.push(seen)
    const route = routes[`${request.method} ${request.url}`]
    const answer = typeof route === 'function' ? await route(seen) : route
    response.statusCode = route === undefined ? 404 : (answer?.status ?? 200)
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer?.body ?? answer ?? {}))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${server.address().port}`, requests }
}

async function text(stream) {
  let all = ''
  for await (const chunk of stream.setEncoding('utf8')) all += chunk
  return all
}
