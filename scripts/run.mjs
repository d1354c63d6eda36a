// The door of every npm script: makes sure that what the command needs is there, then runs it.
//   node scripts/run.mjs build [--release]
//   node scripts/run.mjs demo | test | bench | soak | fleet | interop [arguments]      bench and fleet measure a release build, but with --quick
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { bootstrap, root } from './bootstrap.mjs'

const commands = {
  build: { needs: {}, runs: undefined },
  demo: { needs: { packages: 'demo' }, runs: 'scripts/demo.mjs' },
  test: { needs: { packages: 'test' }, runs: 'scripts/test.mjs' },
  soak: { needs: {}, runs: 'scripts/soak.mjs' },
  interop: { needs: { packages: 'test' }, runs: 'scripts/interop.mjs' },
  fleet: { needs: { release: !process.argv.includes('--quick') }, runs: 'scripts/fleet.mjs' },
  bench: { needs: { release: !process.argv.includes('--quick') }, runs: 'bench/run.mjs' },
}

const [name, ...args] = process.argv.slice(2)
const command = Object.hasOwn(commands, name ?? '') ? commands[name] : undefined
if (command === undefined) {
  console.error(`Usage: node scripts/run.mjs ${Object.keys(commands).join(' | ')}`)
  process.exit(2)
}

try {
  const missing = await bootstrap({ release: args.includes('--release'), ...command.needs })
  if (command.runs) {
    const { run } = await import(pathToFileURL(join(root, command.runs)).href)
    await run(args, { missing })
  }
} catch (error) {
  console.error(error.expected ? `\n${error.message}` : error)
  process.exitCode = 1
}
