/** A report's item, as WebHID's `HIDReportItem` has it. */
export interface HidItem {
  isArray?: boolean
  isAbsolute?: boolean
  hasPreferredState?: boolean
  isRange?: boolean
  /** The usages, each with its page in the upper 16 bits. */
  usages?: readonly number[]
  usageMinimum?: number
  usageMaximum?: number
  logicalMinimum?: number
  reportSize?: number
  reportCount?: number
}

/** A report, as WebHID's `HIDReportInfo` has it. */
export interface HidReport {
  reportId?: number
  items?: readonly HidItem[]
}

/** A collection, as WebHID's `HIDCollectionInfo` has it. */
export interface HidCollection {
  usagePage?: number
  usage?: number
  children?: readonly HidCollection[]
  inputReports?: readonly HidReport[]
  outputReports?: readonly HidReport[]
}

/** What of WebHID's `HIDDevice` is used. */
export interface HidDevice {
  readonly opened: boolean
  readonly collections: readonly HidCollection[]
  readonly productName?: string
  open(): Promise<void>
  sendReport(reportId: number, data: Uint8Array<ArrayBuffer>): Promise<void>
  addEventListener(name: 'inputreport', listener: (event: { reportId: number; data: DataView }) => void): void
  removeEventListener(name: 'inputreport', listener: (event: { reportId: number; data: DataView }) => void): void
}

/** @internal One value in a report. */
export interface Field {
  reportId: number
  /** Bits before it. */
  offset: number
  /** Bits that it has. */
  size: number
  /** What it stands for; of an array what each of its values stands for, from `least` on. */
  usages: readonly number[]
  isArray: boolean
  isAbsolute: boolean
  /** Whether it goes back by itself when nobody touches it, as a button does; undefined if the device does not say. */
  returns: boolean | undefined
  least: number
}

/** @internal The fields of a device's reports of one direction. */
export function fieldsOf(collections: readonly HidCollection[], direction: 'inputReports' | 'outputReports'): Field[] {
  return collections.flatMap((collection) => [
    ...(collection[direction] ?? []).flatMap(fieldsOfReport),
    ...fieldsOf(collection.children ?? [], direction),
  ])
}

function fieldsOfReport({ reportId = 0, items = [] }: HidReport): Field[] {
  const fields: Field[] = []
  let offset = 0
  for (const item of items) {
    const { reportSize: size = 0, reportCount: count = 0, isArray = false, isAbsolute = true, hasPreferredState: returns, logicalMinimum: least = 0 } = item
    const usages = usagesOf(item)
    for (let index = 0; index < Math.min(count, MOST_USAGES); index += 1) {
      // Padding has no usage.
      const own = isArray ? usages : usages.slice(index, index + 1)
      if (own.length > 0) fields.push({ reportId, offset: offset + index * size, size, usages: own, isArray, isAbsolute, returns, least })
    }
    offset += size * count
  }
  return fields
}

/** What a descriptor says may be anything. */
const MOST_USAGES = 256
const MOST_OCTETS = 1024

function usagesOf({ isRange, usages = [], usageMinimum = 0, usageMaximum = 0 }: HidItem): readonly number[] {
  if (!isRange) return usages
  const length = Math.max(0, Math.min(usageMaximum - usageMinimum + 1, MOST_USAGES))
  return Array.from({ length }, (_, index) => usageMinimum + index)
}

/** @internal The usages that are on in a report. */
export function usagesIn(fields: readonly Field[], reportId: number, data: DataView): Set<number> {
  const on = new Set<number>()
  for (const field of fields) {
    if (field.reportId !== reportId) continue
    const value = bits(data, field)
    const usage = field.isArray ? field.usages[value - field.least] : value > 0 ? field.usages[0] : undefined
    if (usage !== undefined) on.add(usage)
  }
  return on
}

function bits(data: DataView, { offset, size }: Field): number {
  let value = 0
  for (let index = 0; index < Math.min(size, 32); index += 1) {
    const octet = Math.floor((offset + index) / 8)
    if (octet < data.byteLength && data.getUint8(octet) & (1 << ((offset + index) % 8))) value += 2 ** index
  }
  return value
}

/** @internal The output reports in which those usages are on, and all others off. */
export function reportsWith(fields: readonly Field[], on: ReadonlySet<number>): Map<number, Uint8Array<ArrayBuffer>> {
  const reports = new Map<number, Uint8Array<ArrayBuffer>>()
  for (const field of fields) {
    if (field.isArray) continue
    const ends = fields.filter(({ reportId }) => reportId === field.reportId).map(({ offset, size }) => offset + size)
    const data = reports.get(field.reportId) ?? new Uint8Array(Math.min(MOST_OCTETS, Math.ceil(Math.max(...ends) / 8)))
    reports.set(field.reportId, data)
    const [usage = 0] = field.usages
    const octet = Math.floor(field.offset / 8)
    if (on.has(usage)) data[octet] = (data[octet] ?? 0) | (1 << (field.offset % 8))
  }
  return reports
}
