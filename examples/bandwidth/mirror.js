// The vanity mirror shows the own camera, before and without any peer; what is hidden from the others is dark in it, too.
export async function lookInto(mirror, camera, onCamera) {
  const look = async () => {
    for (const track of mirror.srcObject?.getTracks() ?? []) track.stop()
    mirror.srcObject = await navigator.mediaDevices.getUserMedia({ video: chosen(camera) }).catch(() => null)
    onCamera(mirror.srcObject?.getVideoTracks()[0])
  }
  camera.onchange = look
  await look()
}

/** What is published: the microphone, and what the mirror shows. */
export async function microphoneOf(microphone, mirror) {
  const sound = await navigator.mediaDevices.getUserMedia({ audio: chosen(microphone) })
  return new MediaStream([...sound.getTracks(), ...(mirror.srcObject?.getTracks() ?? [])])
}

function chosen({ value }) {
  return value ? { deviceId: { exact: value } } : true
}
