// What the room tells of its participants (RFC 4575): the streams of the others.
export function streamsIn(body, own) {
  const users = [...new DOMParser().parseFromString(body, 'text/xml').getElementsByTagName('user')]
  const others = users.filter((user) => !user.getAttribute('entity').endsWith(own))
  return others.flatMap((user) => [...user.querySelectorAll('endpoint')].map(streamOf)).filter(({ connected }) => connected)
}

function streamOf(endpoint) {
  const types = [...endpoint.querySelectorAll('media > type')].map(({ textContent }) => textContent)
  const name = endpoint.querySelector(':scope > display-text') ?? endpoint.parentElement.querySelector('display-text')
  return {
    endpointId: endpoint.getAttribute('entity').replace('urn:uuid:', ''),
    name: name.textContent,
    connected: endpoint.querySelector(':scope > status')?.textContent === 'connected',
    hasSound: types.includes('audio'),
    hasPicture: types.includes('video'),
  }
}
