// The pickers: the devices of this machine, whose names a browser tells once they are allowed.
const kinds = { audioinput: 'Microphone', videoinput: 'Camera', audiooutput: 'Speaker' }

/** Fills the pickers, by the kind of their devices. */
export async function pickDevices(pickers) {
  for (const wanted of [{ audio: true, video: true }, { audio: true }]) {
    const allowed = await navigator.mediaDevices.getUserMedia(wanted).catch(() => undefined)
    for (const track of allowed?.getTracks() ?? []) track.stop()
    if (allowed) break
  }
  const list = async () => {
    const devices = await navigator.mediaDevices.enumerateDevices()
    for (const [kind, select] of Object.entries(pickers)) fill(select, kind, devices)
  }
  navigator.mediaDevices.ondevicechange = list
  await list()
}

function fill(select, kind, devices) {
  const { value } = select
  const found = devices.filter((device) => device.kind === kind && device.deviceId !== '')
  const options = found.map(({ deviceId, label }, index) => new Option(label || `${kinds[kind]} ${index + 1}`, deviceId))
  select.replaceChildren(new Option(`${kinds[kind]} of the system`, ''), ...options)
  // What was chosen stays chosen, unless it is gone.
  if (found.some(({ deviceId }) => deviceId === value)) select.value = value
}
