// What the room tells of its participants (RFC 4575): the streams of the others.
export function streamsIn(body, own) {
  const users = [...new DOMParser().parseFromString(body, 'text/xml').getElementsByTagName('user')]
  const others = users.filter((user) => !user.getAttribute('entity').endsWith(own))
  return others.flatMap((user) => [...user.querySelectorAll('endpoint')].map(streamOf)).filter(({ there }) => there)
}

function streamOf(endpoint) {
  const types = [...endpoint.querySelectorAll('media > type')].map(({ textContent }) => textContent)
  const name = endpoint.querySelector(':scope > display-text') ?? endpoint.parentElement.querySelector('display-text')
  return {
    endpointId: endpoint.getAttribute('entity').replace('urn:uuid:', ''),
    name: name.textContent,
    // Whoever holds the room is still there.
    there: ['connected', 'on-hold'].includes(endpoint.querySelector(':scope > status')?.textContent),
    hasSound: types.includes('audio'),
    hasPicture: types.includes('video'),
  }
}
