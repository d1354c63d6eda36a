import { join } from 'node:path'
import { Application } from 'typedoc'
import { entries, root } from './pages.mjs'

const compilerOptions = {
  target: 'es2022',
  module: 'node16',
  moduleResolution: 'node16',
  strict: true,
  skipLibCheck: true,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  types: ['node'],
  noEmit: true,
}

/** Writes a page for each class, interface, type and function of the public declarations. A link to nothing throws. */
export async function writeReference(into) {
  const files = Object.values(entries).map((file) => join(root, file))
  const app = await Application.bootstrapWithPlugins({
    name: 'Reference',
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: files,
    tsconfig: join(root, 'site', 'tsconfig.json'),
    outputs: [{ name: 'markdown', path: into }],
    entryFileName: 'index',
    router: 'member',
    readme: 'none',
    logLevel: 'Warn',
    // Those of Node's streams and emitters are in Node's own documentation.
    excludeExternals: true,
    disableSources: true,
    hidePageHeader: true,
    hideBreadcrumbs: true,
    useCodeBlocks: true,
    parametersFormat: 'table',
    propertiesFormat: 'list',
    enumMembersFormat: 'table',
    validation: { notExported: false, invalidLink: true },
    treatValidationWarningsAsErrors: true,
  })
  const project = await app.convert()
  if (!project) throw new Error('The declarations could not be read')
  for (const module of project.children) module.name = nameOf(module.name)
  app.validate(project)
  await app.generateOutputs(project)
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error('The reference has faults: see above')
}

// TypeDoc names a module by its file.
function nameOf(path) {
  const [name] = Object.entries(entries).find(([, file]) => file.replace(/(\/index)?\.d\.ts$/, '') === path) ?? []
  if (name === undefined) throw new Error(`No entry is in ${path}`)
  return name
}
