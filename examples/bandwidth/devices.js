// The pickers: the microphones and speakers of this machine, whose names a browser tells once the microphone is allowed.
const kinds = { audioinput: 'Microphone', audiooutput: 'Speaker' }

export async function pickDevices(microphone, speaker) {
  const allowed = await navigator.mediaDevices.getUserMedia({ audio: true }).catch(() => undefined)
  for (const track of allowed?.getTracks() ?? []) track.stop()
  const list = async () => {
    const devices = await navigator.mediaDevices.enumerateDevices()
    fill(microphone, 'audioinput', devices)
    fill(speaker, 'audiooutput', devices)
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
