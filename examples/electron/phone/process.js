// The utility process: the phone lives here, where no window can be throttled, and none that crashes takes a call with it.
import { SoftphoneError } from 'offhook'
import { Desk } from './desk.js'

const { parentPort } = process
const desk = new Desk((news) => parentPort.postMessage({ news }))

/** @type {Record<string, (given: any, ports: import('electron').MessagePortMain[]) => unknown>} */
const commands = {
  signIn: (given) => desk.signIn(given),
  signOut: () => desk.signOut(),
  page: (_, [port]) => port && desk.page(port),
  report: (given) => desk.report(given),
  awake: () => desk.awake(),
}

parentPort.on('message', async ({ data: { number, name, given }, ports }) => {
  try {
    parentPort.postMessage({ number, value: await commands[name]?.(given, ports) })
  } catch (error) {
    const { message, code, type } = SoftphoneError.from(/** @type {Error} */ (error)).toJSON()
    parentPort.postMessage({ number, error: { message, code, type } })
  }
})
