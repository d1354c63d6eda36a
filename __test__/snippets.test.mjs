// TypeScript on pages and in doc comments compiles as it stands; JavaScript runs (pages.test.mjs, compat/migrate.test.mjs).
import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { folderOf } from './installed.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const given = fileURLToPath(new URL('types/snippets.d.ts', import.meta.url))

const filesIn = (folder, end) => readdirSync(join(root, folder)).filter((name) => name.endsWith(end)).map((name) => `${folder}/${name}`)
const pages = ['README.md', 'SECURITY.md', ...filesIn('docs', '.md'), ...filesIn('docs/migrate', '.md')]
const declarations = ['index.d.ts', 'testing.d.ts', ...['bridge', 'renderer', 'compat'].flatMap((folder) => filesIn(folder, '.d.ts'))]
const blocks = [...pages, ...declarations].flatMap((source) => blocksOf(source).map((code, index) => ({ source, code, index })))

function blocksOf(source) {
  const text = readFileSync(join(root, source), 'utf8')
  const bare = source.endsWith('.md') ? text : text.replaceAll(/^ *\* ?/gm, '')
  return [...bare.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code)
}

describe('TypeScript', () => {
  const ends = []
  let faults

  before(() => {
    const folder = folderOf({ after: (end) => ends.push(end) })
    copyFileSync(given, join(folder, 'given.d.ts'))
    const files = blocks.map(({ code }, index) => {
      const file = join(folder, `block-${index}.mts`)
      writeFileSync(file, `${code}\nexport {}\n`)
      return file
    })
    faults = faultsOf([join(folder, 'given.d.ts'), ...files], files)
  })

  after(() => ends.forEach((end) => end()))

  test('is found', () => assert.ok(blocks.length > 10))

  for (const [place, { source, code, index }] of blocks.entries()) {
    test(`of ${source} compiles: block ${index + 1}, ${code.split('\n')[0]}`, () => assert.deepEqual(faults[place], []))
  }

  test('that is wrong would be told', () => {
    const folder = folderOf({ after: (end) => ends.push(end) })
    copyFileSync(given, join(folder, 'given.d.ts'))
    const file = join(folder, 'wrong.mts')
    writeFileSync(file, `await phone.call('bob', { timeuot: 1 })\nexport {}\n`)
    assert.match(faultsOf([join(folder, 'given.d.ts'), file], [file])[0].join(), /timeuot/)
  })
})

/** What the compiler says of each of these files, of the whole program. */
function faultsOf(all, files) {
  const options = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    typeRoots: [join(root, 'node_modules', '@types')],
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  }
  const program = ts.createProgram(all, options)
  const said = ts.getPreEmitDiagnostics(program)
  const textOf = ({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')
  return files.map((name) => said.filter(({ file }) => file?.fileName === name.replaceAll('\\', '/')).map(textOf))
}
