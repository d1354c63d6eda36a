// Who is there, and a video element for each stream with pictures, for as long as it is there.
export function showStreams(streams, { state, others, videos }, meeting) {
  const before = others.childElementCount
  const names = streams.filter(({ hasSound }) => hasSound).map(({ name }) => name)
  others.replaceChildren(...names.map((textContent) => Object.assign(document.createElement('li'), { textContent })))
  // It rings until the first peer comes, and tells when the last is gone.
  state.textContent = names.length > 0 ? 'Talking' : before > 0 ? 'You are the last one' : 'Ringing'
  if (meeting) showVideos(videos, streams.filter(({ hasPicture }) => hasPicture), meeting.watch)
}

function showVideos(place, streams, watch) {
  const gone = new Map([...place.children].map((figure) => [figure.dataset.id, figure]))
  for (const { endpointId, name } of streams) if (!gone.delete(endpointId)) place.append(figureOf(endpointId, name, watch))
  for (const figure of gone.values()) figure.remove()
}

function figureOf(endpointId, name, watch) {
  const figure = document.createElement('figure')
  figure.dataset.id = endpointId
  const video = Object.assign(document.createElement('video'), { autoplay: true, muted: true, playsInline: true })
  const caption = Object.assign(document.createElement('figcaption'), { textContent: name })
  figure.append(video, caption)
  watch(endpointId, video)
  return figure
}
