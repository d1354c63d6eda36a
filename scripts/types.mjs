// Generates index.d.ts and those of the other entries from lib/: the declarations that tsc emits, one file per entry point,
// in the reading order below, without what is marked @internal; and docs/errors.md.
//   node scripts/types.mjs           writes them
//   node scripts/types.mjs --check   fails when the committed ones differ
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { errorPage } from './error-page.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

const entries = {
  index: [
    'softphone',
    'session',
    'conference',
    'subscription',
    'notifier',
    'orphan',
    'events',
    'recording',
    'conference-info',
    'options',
    'media-options',
    'method-options',
    'end-reason',
    'errors',
    'error-code',
    'audio-source',
    'audio-sink',
    'raw-video',
    'video-source',
    'video-sink',
    'devices',
    'preflight',
    'preflight-code',
    'capture',
    'stats',
    'health',
    'diagnostics',
    'emitter',
  ],
  // What it takes from the modules of `index`, it imports from there.
  testing: ['testing'],
  'renderer/index': ['renderer/publish', 'renderer/render', 'renderer/picture', 'renderer/channel'],
  'renderer/host': ['renderer/host', 'renderer/channel'],
  'bridge/index': ['bridge/serve', 'bridge/port'],
  'bridge/client': ['bridge/client', 'bridge/calls', 'bridge/messages', 'bridge/methods', 'bridge/bridged', 'bridge/emitter', 'bridge/error', 'bridge/port'],
  'bridge/headset': ['bridge/headset', 'bridge/hid'],
  'bridge/video': ['bridge/video'],
  'bridge/subscriptions': ['bridge/subscriptions'],
  ...facade('purecloud', ['sdk', 'session', 'emitter', 'events', 'options']),
  ...facade('exotel', ['client', 'call', 'account', 'line', 'click-to-call']),
  ...facade('whistle', ['engine', 'config']),
  ...facade('bandwidth', ['rtc', 'rooms', 'streams', 'cameras', 'device-constraint', 'token', 'log', 'errors']),
  ...facade('xivo', ['xc-webrtc', 'messages', 'cti', 'line']),
}

function facade(system, modules) {
  return { [`compat/${system}`]: modules.map((module) => `compat/${system}/${module}`) }
}

const banner = `// Generated from lib/ by "npm run types". Do not edit.\n`

const check = process.argv.includes('--check')
const declarations = mkdtempSync(join(tmpdir(), 'offhook-types-'))
let failed = false
try {
  emitDeclarations(declarations)
  for (const [entry, modules] of Object.entries(entries)) {
    golden(`${entry}.d.ts`, bundle(declarations, entry, modules))
  }
  golden('docs/errors.md', errorPage())
} finally {
  rmSync(declarations, { recursive: true })
}
process.exitCode = failed ? 1 : 0

function golden(name, text) {
  const file = join(root, name)
  if (!check) writeFileSync(file, text)
  else if (read(file) !== text) {
    failed = true
    console.error(`${name} is not up to date: run "npm run types" and commit it`)
  }
}

function emitDeclarations(outDir) {
  for (const project of ['', 'lib/renderer']) emitProject(join(root, project), outDir)
}

function emitProject(folder, outDir) {
  const { config } = ts.readConfigFile(join(folder, 'tsconfig.json'), ts.sys.readFile)
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, folder)
  const program = ts.createProgram(fileNames, { ...options, outDir, emitDeclarationOnly: true })
  const result = program.emit()
  const diagnostics = [...ts.getPreEmitDiagnostics(program), ...result.diagnostics]
  if (diagnostics.length === 0) return
  console.error(ts.formatDiagnosticsWithColorAndContext(diagnostics, ts.createCompilerHost(options)))
  process.exit(1)
}

function bundle(directory, entry, modules) {
  const exported = exportedNames(directory, entry)
  const imports = new Map()
  const statements = modules.flatMap((module) => topLevel(directory, module, { entry, modules, imports, exported }))
  const head = [...imports].sort().map(([from, names]) => `import { ${[...names].sort().join(', ')} } from '${from}'\n`)
  return `${banner}${head.join('')}\n${statements.join('\n\n')}\n\nexport {}\n`
}

// What the entry's own module exports; `*` stands for everything in the modules it names.
function exportedNames(directory, entry) {
  const names = new Set()
  const module = entry.startsWith('compat/') ? `${entry}/index` : entry
  for (const statement of parse(join(directory, `${module}.d.ts`)).statements) {
    if (isExported(statement)) names.add(nameOf(statement))
    if (!ts.isExportDeclaration(statement)) continue
    if (statement.exportClause && ts.isNamedExports(statement.exportClause)) {
      for (const { name } of statement.exportClause.elements) names.add(name.text)
    } else {
      const from = resolved(module, statement.moduleSpecifier.text)
      for (const name of declared(join(directory, `${from}.d.ts`))) names.add(name)
    }
  }
  return names
}

function declared(file) {
  return parse(file).statements.flatMap((statement) => {
    if (ts.isExportDeclaration(statement) && !statement.exportClause) return declared(join(dirname(file), `${statement.moduleSpecifier.text}.d.ts`))
    return nameOf(statement) ?? []
  })
}

function topLevel(directory, module, bundled) {
  const source = parse(join(directory, `${module}.d.ts`))
  return source.statements.flatMap((statement) => {
    if (ts.isImportDeclaration(statement)) {
      collectImport(statement, module, bundled)
      return []
    }
    const name = nameOf(statement)
    if (name === undefined) return []
    const text = source.text.slice(statement.getFullStart(), statement.end).trim()
    const bare = text.replace(/^((?:\/\*\*[\s\S]*?\*\/\s*)?)(?:export )?(?:declare )?/, '$1')
    const keyword = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement) ? '' : 'declare '
    return [bare.replace(/^((?:\/\*\*[\s\S]*?\*\/\s*)?)/, `$1${bundled.exported.has(name) ? 'export ' : ''}${keyword}`)]
  })
}

function collectImport(statement, module, { entry, modules, imports }) {
  const from = publicModule(statement.moduleSpecifier.text, module, entry, modules)
  if (from === undefined) return
  const names = imports.get(from) ?? new Set()
  for (const { name } of statement.importClause?.namedBindings?.elements ?? []) names.add(name.text)
  imports.set(from, names)
}

// Undefined for a module of the same bundle.
function publicModule(from, module, entry, modules) {
  if (!from.startsWith('.')) return from
  const name = resolved(module, from)
  if (modules.includes(name)) return undefined
  if (name === 'index' || entries.index.includes(name)) return entry.includes('/') ? '../index.js' : './index.js'
  // What an entry shares with a neighbour, the neighbour exports.
  const neighbour = Object.keys(entries).find((other) => posix.dirname(other) === posix.dirname(entry) && other !== entry && entries[other].includes(name))
  if (neighbour) return `./${posix.basename(neighbour)}.js`
  throw new Error(`${module} needs ${from} in its declarations: mark what needs it @internal, or list that module`)
}

function resolved(module, from) {
  return posix.normalize(posix.join(posix.dirname(module), from))
}

function isExported(statement) {
  return statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false
}

function nameOf(statement) {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations[0].name.text
  return statement.name?.text
}

function parse(file) {
  return ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true)
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
