// What a participant may switch during the meeting.
export function toggleButton(button, session, kind, [off, on]) {
  const show = () => (button.textContent = session.isMuted()[kind] ? on : off)
  button.onclick = () => {
    if (session.isMuted()[kind]) session.unmute({ [kind]: true })
    else session.mute({ [kind]: true })
    show()
  }
  show()
}

/** Shares a screen until it is pressed again, or the browser's own button for that is. */
export function shareButton(button, share) {
  button.onclick = async () => {
    const screen = await navigator.mediaDevices.getDisplayMedia({ video: true })
    const [track] = screen.getVideoTracks()
    const call = share(screen)
    const stop = () => (track.stop(), call.isEnded() || call.terminate(), shareButton(button, share))
    call.on('ended', stop).on('failed', stop)
    track.onended = button.onclick = stop
    button.textContent = 'Stop sharing'
  }
  button.textContent = 'Share screen'
}
