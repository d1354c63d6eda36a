import { VideoSource } from '../../index'
import { BandwidthRtcError } from './errors'
import { device, type DeviceConstraint } from './device-constraint'

/** What a constraint of a number may say, as in a browser. */
export type NumberConstraint = number | { exact?: number; ideal?: number; max?: number; min?: number }

/** What a camera's pictures should be, as in a browser. */
export interface VideoConstraints {
  deviceId?: DeviceConstraint
  width?: NumberConstraint
  height?: NumberConstraint
  frameRate?: NumberConstraint
  [constraint: string]: unknown
}

/** A camera, as {@link Cameras} list it. */
export interface Camera {
  /** Names it, for constraints. */
  deviceId: string
  /** The name that the system shows. */
  label: string
}

/** What {@link Cameras.open} is asked for; what is left out is the camera's choice. */
export interface CameraRequest {
  deviceId: string
  /** Pixels in a row. */
  width?: number
  /** Rows. */
  height?: number
  /** Pictures a second. */
  frameRate?: number
}

/**
 * The cameras of the application: this package opens none itself. A page lists and captures them, and gives their pictures by
 * `publish()` of `offhook/renderer`.
 */
export interface Cameras {
  /** Lists them, the default one first. */
  list(): readonly Camera[] | PromiseLike<readonly Camera[]>
  /** Opens one. */
  open(request: CameraRequest): VideoSource | PromiseLike<VideoSource>
  /** Told when nobody shows what `open` gave any more. */
  close?(source: VideoSource): void
}

/** @internal What of a camera is wanted. */
export interface WantedCamera {
  exact: boolean
  request: Partial<CameraRequest>
}

/** @internal Reads the constraints of a camera; what has no effect is added to `ignored`. */
export function wantedCamera(video: true | VideoConstraints, ignored: string[]): WantedCamera {
  if (video === true) return { exact: false, request: {} }
  const { deviceId, width, height, frameRate, ...rest } = video
  ignored.push(...Object.keys(rest).map((name) => `video.${name}`))
  const sizes = Object.entries({ width, height, frameRate }).flatMap(([name, constraint]) => {
    const value = numberOf(`constraints.video.${name}`, constraint)
    return value === undefined ? [] : [[name, value]]
  })
  const id = device(deviceId)
  const exact = typeof deviceId === 'object' && deviceId !== null && 'exact' in deviceId
  return { exact, request: { ...(id === undefined ? {} : { deviceId: id }), ...Object.fromEntries(sizes) } }
}

/**
 * @internal Opens the camera that is wanted, or the first one if that is not there and need not be exactly it: `missing` is told then.
 *
 * @throws `BandwidthRtcError` that names the camera.
 */
export async function openCamera(cameras: Cameras | undefined, { exact, request }: WantedCamera, missing: (what: string) => void): Promise<VideoSource> {
  const there = (await cameras?.list()) ?? []
  const { deviceId } = request
  const found = there.find((camera) => camera.deviceId === deviceId)
  if (deviceId !== undefined && !found && (exact || there.length === 0)) throw new BandwidthRtcError(`There is no camera '${deviceId}'`)
  const [first] = there
  const camera = found ?? first
  if (!cameras || !camera) throw new BandwidthRtcError("There is no camera: give some to 'setCameras', or publish a VideoSource")
  if (deviceId !== undefined && !found) missing(`There is no camera '${deviceId}': '${camera.label}' is published`)
  const source = await cameras.open({ ...request, deviceId: camera.deviceId })
  if (!(source instanceof VideoSource)) throw new BandwidthRtcError(`'open' of the cameras must give a VideoSource for '${camera.deviceId}'`)
  return source
}

/** @internal */
export function isVideoInput(given: unknown): given is VideoSource {
  return given instanceof VideoSource
}

function numberOf(name: string, constraint: NumberConstraint | null | undefined): number | undefined {
  if (constraint === undefined || constraint === null) return undefined
  const value = typeof constraint === 'object' ? (constraint.exact ?? constraint.ideal ?? constraint.max ?? constraint.min) : constraint
  if (value === undefined || (typeof value === 'number' && value > 0 && value < Infinity)) return value
  throw new BandwidthRtcError(`'${name}' must be a number above 0`)
}
