// Files to GET, JSON in and out of routes to POST.
const longest = 16_384

export async function answer(request, response, { routes, files }) {
  const [pathname] = request.url.split('?')
  const reply = (status, type, body) => response.writeHead(status, { 'content-type': `${type}; charset=utf-8` }).end(body)
  const json = (status, value = {}) => reply(status, 'application/json', JSON.stringify(value))
  const file = request.method === 'GET' && files[pathname]
  if (file) return reply(200, file.type, file.body)
  const route = request.method === 'POST' && Object.hasOwn(routes, pathname) && routes[pathname]
  if (!route) return json(404, { error: 'There is nothing here' })
  try {
    json(200, await route(JSON.parse(await bodyOf(request))))
  } catch (error) {
    json(400, { error: error.message })
  }
}

async function bodyOf(request) {
  let body = ''
  for await (const chunk of request) {
    body += chunk
    if (body.length > longest) throw new Error('That is too long')
  }
  return body || '{}'
}
