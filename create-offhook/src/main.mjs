#!/usr/bin/env node
import { basename, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { askNoMore, asked, canAsk } from './asked.mjs'
import { folderFor, make, templates, version } from './make.mjs'
import { CreateError } from './create-error.mjs'

const usage = `Usage: npm create offhook [folder] -- [--template ${templates.map(({ name }) => name).join(' | ')}]

Makes a folder with a small project for offhook. What is not given is asked.

${templates.map(({ name, about }) => `  ${name.padEnd(8)} ${about}`).join('\n')}

  -t, --template NAME   which of them
  -v, --version         the version, which is also that of offhook
  -h, --help            this text`

try {
  await main(given())
} catch (error) {
  if (!(error instanceof CreateError)) throw error
  console.error(error.message)
  process.exitCode = 1
} finally {
  askNoMore()
}

async function main({ help, version: showsVersion, folder, template }) {
  if (help) return console.log(usage)
  if (showsVersion) return console.log(version)
  const chosen = template === undefined ? await chooseTemplate() : templateNamed(template)
  const path = folderFor(folder ?? (await asked('Folder', `my-${chosen.name}`)))
  make(path, chosen)
  console.log(nextSteps(path, chosen))
}

function given() {
  const options = {
    template: { type: 'string', short: 't' },
    version: { type: 'boolean', short: 'v' },
    help: { type: 'boolean', short: 'h' },
  }
  let parsed
  try {
    parsed = parseArgs({ options, allowPositionals: true })
  } catch (error) {
    throw new CreateError(`${error.message.split('. ')[0]}.\n\n${usage}`)
  }
  const { positionals: [folder, ...more], values } = parsed
  if (more.length > 0) {
    throw new CreateError(`One folder, please: "${more[0]}" is a second one. Options come after "--": npm create offhook ${folder} -- --template ${templates[0].name}`)
  }
  return { ...values, folder }
}

async function chooseTemplate() {
  if (!canAsk()) {
    throw new CreateError(`Which template? Here is no terminal to ask at: npm create offhook my-${templates[0].name} -- --template ${templates[0].name}`)
  }
  for (const { name, about } of templates) console.log(`  ${name.padEnd(8)} ${about}`)
  return templateNamed(await asked('Template', templates[0].name))
}

function templateNamed(name) {
  const found = templates.find((template) => template.name === name)
  if (found) return found
  throw new CreateError(`There is no template "${name}"; there is ${templates.map((template) => template.name).join(', ')}.`)
}

function nextSteps(path, { scripts }) {
  // npm, pnpm, yarn and bun say who they are.
  const [manager] = /^\w+/.exec(process.env.npm_config_user_agent ?? '') ?? ['npm']
  const way = relative(process.cwd(), path)
  const enter = way === '' ? [] : [`  cd ${/^[\w./-]+$/.test(way) ? way : `"${way}"`}`]
  const server = scripts.switchboard ? ['', 'And in another terminal, for a server to sign in to, which calls:', '', ...enter, `  ${manager} run switchboard`] : []
  return [`${basename(path)} is there. Now:`, '', ...enter, `  ${manager} install`, `  ${manager} start`, ...server, ''].join('\n')
}
