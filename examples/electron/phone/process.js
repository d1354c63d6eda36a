// The utility process: the phone lives here, where no window can be throttled, and none that crashes takes a call with it.
const { parentPort } = process
/** @type {Promise<import('./desk.js').Desk> | undefined} */
let desk

// Loaded when it is needed, so that an addon that can't be loaded is told as any error is.
const opened = () => (desk ??= import('./desk.js').then(({ Desk }) => new Desk((news) => parentPort.postMessage({ news }))))

/** @type {Record<string, (given: any, ports: import('electron').MessagePortMain[]) => unknown>} */
const commands = {
  signIn: async (given) => (await opened()).signIn(given),
  signOut: async () => (await desk)?.signOut(),
  page: async (_, [port]) => port && (await desk)?.page(port),
  report: async (given) => (await opened()).report(given),
  awake: async () => (await desk)?.awake(),
}

parentPort.on('message', async ({ data: { number, name, given }, ports }) => {
  try {
    parentPort.postMessage({ number, value: await commands[name]?.(given, ports) })
  } catch (error) {
    const { message, code } = /** @type {Error & { code?: string }} */ (error)
    parentPort.postMessage({ number, error: { message, code } })
  }
})
