// Compiles the type tests, as a CommonJS and as an ES module, against each major version of @types/node:
// in a folder of its own for each, as an application would install this package.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))
const tests = fileURLToPath(new URL('.', import.meta.url))

const published = [
  ...['package.json', 'index.d.ts', 'index.d.mts', 'testing.d.ts', 'testing.d.mts'],
  ...['bridge', 'compat', 'renderer'].flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name))),
]
const versions = ['@types/node', 'types-node-20-0', 'types-node-22', 'types-node-24', 'types-node-26']

const failed = versions.filter((version) => !compiles(version))
process.exitCode = failed.length === 0 ? 0 : 1

function compiles(version) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-types-'))
  try {
    install(folder, version)
    const { config } = ts.readConfigFile(join(tests, 'tsconfig.json'), ts.sys.readFile)
    const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, folder)
    // Old versions of @types/node do not compile by themselves any more, nor beside the DOM: only what is ours counts.
    const ours = ts.getPreEmitDiagnostics(ts.createProgram(fileNames, options)).filter(({ file }) => !isForeign(file))
    const { version: number } = JSON.parse(ts.sys.readFile(join(root, 'node_modules', version, 'package.json')))
    console.log(`${ours.length === 0 ? 'ok' : 'FAILED'}: ${fileNames.length} files with @types/node ${number}`)
    if (ours.length > 0) console.error(ts.formatDiagnostics(ours, ts.createCompilerHost(options)))
    return ours.length === 0
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function install(folder, version) {
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, 'offhook'), { recursive: true })
  for (const file of published) cpSync(join(root, file), join(modules, 'offhook', file))
  cpSync(join(root, 'node_modules', version), join(modules, '@types', 'node'), { recursive: true })
  cpSync(join(root, 'node_modules', 'undici-types'), join(modules, 'undici-types'), { recursive: true })
  for (const file of readdirSync(tests).filter((name) => /\.[cm]ts$/.test(name))) cpSync(join(tests, file), join(folder, file))
}

function isForeign(file) {
  return file !== undefined && /node_modules\/(?:@types|undici-types|typescript)\//.test(file.fileName.replaceAll('\\', '/'))
}
