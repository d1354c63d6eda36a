import { Icon, type IconName } from './icon'

interface Props {
  icon: IconName
  label: string
  press: () => void
  pressed?: boolean
  kind?: 'end'
  disabled?: boolean
  shortcut?: string
}

/** A large button with its name below it. */
export function Control({ icon, label, press, pressed, kind, disabled, shortcut }: Props) {
  return (
    <button type="button" className={`control ${kind ?? ''}`} aria-pressed={pressed} disabled={disabled} aria-keyshortcuts={shortcut} title={shortcut && `${label} (${shortcut})`} onClick={press}>
      <Icon name={icon} />
      <span>{label}</span>
    </button>
  )
}
