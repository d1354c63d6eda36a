/** Drawn on 24 × 24, by lines of the text's colour. */
const paths = {
  answer: 'M5 4h4l2 5-3 2a11 11 0 0 0 5 5l2-3 5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 6a2 2 0 0 1 2-2',
  end: 'M3 15c0-2 4-5 9-5s9 3 9 5v2l-5-1v-2a10 10 0 0 0-8 0v2l-5 1z',
  mute: 'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3M6 11a6 6 0 0 0 12 0M12 17v4M4 4l16 16',
  microphone: 'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3M6 11a6 6 0 0 0 12 0M12 17v4',
  hold: 'M8 5v14M16 5v14',
  resume: 'M7 4l13 8-13 8z',
  keypad: 'M6 5h.01M12 5h.01M18 5h.01M6 12h.01M12 12h.01M18 12h.01M6 19h.01M12 19h.01M18 19h.01',
  transfer: 'M4 8h13l-4-4M20 16H7l4 4',
  merge: 'M4 5l8 7v8M20 5l-8 7',
  camera: 'M3 7h12v10H3zM15 11l6-3v8l-6-3',
  screen: 'M3 4h18v12H3zM8 20h8M12 16v4',
  settings: 'M4 7h9M19 7h1M4 17h1M11 17h9M16 4.5v5M8 14.5v5',
  report: 'M6 3h9l4 4v14H6zM9 13h6M9 17h6',
  close: 'M6 6l12 12M18 6L6 18',
  incoming: 'M18 6L7 17M7 9v8h8',
  outgoing: 'M6 18L17 7M9 7h8v8',
  back: 'M20 12H5l6-6M5 12l6 6',
  out: 'M10 4H5v16h5M9 12h11l-4-4M20 12l-4 4',
  headset: 'M4 14v-2a8 8 0 0 1 16 0v2M4 14h3v5H5a1 1 0 0 1-1-1zM20 14h-3v5h2a1 1 0 0 0 1-1z',
  mail: 'M3 6h18v12H3zM3 7l9 7 9-7',
} as const

export type IconName = keyof typeof paths

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  )
}
