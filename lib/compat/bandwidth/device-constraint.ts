/** What a constraint may say, as in a browser. */
export type DeviceConstraint = string | readonly string[] | { exact?: string | readonly string[]; ideal?: string | readonly string[] }

/** @internal The device that a constraint names. */
export function device(constraint: DeviceConstraint | null | undefined): string | undefined {
  // A browser takes null for a constraint without anything in it.
  if (constraint === undefined || constraint === null) return undefined
  if (typeof constraint === 'string') return constraint
  if (Array.isArray(constraint)) return constraint[0]
  const { exact, ideal } = constraint as Exclude<DeviceConstraint, string | readonly string[]>
  return device(exact ?? ideal)
}
