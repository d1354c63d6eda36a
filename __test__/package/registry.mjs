import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

/**
 * A registry on loopback with these packages, `{ manifest, tarball? }`, until the test ends.
 * `fetched` lists the packages whose tarball was asked for.
 */
export async function registryOf(t, packages) {
  const fetched = []
  const server = createServer((request, response) => {
    const [, name, file] = /^\/((?:@[^/]+\/)?[^/]+)(\/-\/tarball)?$/.exec(decodeURIComponent(request.url)) ?? []
    const found = packages.find(({ manifest }) => manifest.name === name)
    if (file) fetched.push(name)
    if (!found || (file && !found.tarball)) return void response.writeHead(404).end('{}')
    response.end(file ? readFileSync(found.tarball) : JSON.stringify(document(found)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${server.address().port}`

  function document({ manifest, tarball }) {
    const dist = { tarball: `${url}/${manifest.name}/-/tarball`, ...(tarball && { integrity: integrity(tarball) }) }
    return {
      name: manifest.name,
      'dist-tags': { latest: manifest.version },
      versions: { [manifest.version]: { ...manifest, dist } },
    }
  }

  return { url, fetched }
}

function integrity(tarball) {
  return `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`
}
