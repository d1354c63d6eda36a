import { accessSync, constants, realpathSync, statSync, type Stats } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Cli } from './cli'
import { UsageError } from './usage-error'

/** The options that name a file to write. */
const WRITTEN = ['output', 'record', 'report'] as const

/** Whether a choice of sound is a file. */
export function isSoundFile(choice: string): boolean {
  return /\.wav$/i.test(choice)
}

/**
 * Refuses files that can't be written, that are there already, or that are named twice: before anybody is called. `input` is what is
 * played if nothing was chosen.
 */
export function checkFiles({ given }: Cli, input?: string): void {
  const named = new Map<string, string>()
  const played = given.value('input') ?? input
  if (played !== undefined && isSoundFile(played)) named.set(placeOf('--input', played).name, '--input')
  for (const option of WRITTEN) {
    const path = given.value(option)
    if (path === undefined || (option === 'output' && !isSoundFile(path))) continue
    const { name, file } = placeOf(`--${option}`, path)
    const other = named.get(name)
    if (other !== undefined) throw new UsageError(`--${option} and ${other} must be different files, but are both ${path}.`)
    named.set(name, `--${option}`)
    if (file?.isDirectory()) throw new UsageError(`--${option}: ${path} is a folder.`)
    if (file?.isFile() && !given.has('force')) throw new UsageError(`--${option}: ${path} is there already. Name another file, or add --force to overwrite it.`)
    checkAccess(`--${option}`, path, file ? path : dirname(path))
  }
}

/** What a file is called however it was named, and what is there. */
function placeOf(option: string, path: string): { name: string; file: Stats | undefined } {
  try {
    const file = statSync(path, { throwIfNoEntry: false })
    if (file) return { name: `${file.dev}:${file.ino}`, file }
    return { name: join(realpathSync(dirname(path)), basename(path)), file: undefined }
  } catch (error) {
    throw unusable(option, path, error)
  }
}

function checkAccess(option: string, path: string, place: string): void {
  try {
    accessSync(place, constants.W_OK)
  } catch (error) {
    throw unusable(option, path, error)
  }
}

function unusable(option: string, path: string, error: unknown): UsageError {
  return new UsageError(`${option}: ${path} can not be used: ${(error as Error).message}`)
}
