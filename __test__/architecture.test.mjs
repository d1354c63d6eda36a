// What ARCHITECTURE.md says of the code is so.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { tableOf } from './linked-tests.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const crates = readdirSync(join(root, 'crates'))
/** The crates with unsafe code; each wraps it. */
const unsafeCrates = ['asound', 'opus', 'signals', 'vpx']

/** The sources below a folder by their paths, without their tests. */
function sourcesOf(folder, end) {
  const names = readdirSync(join(root, folder), { recursive: true }).filter((name) => name.endsWith(end))
  const all = names.map((name) => ({ path: `${folder}/${name}`, text: readFileSync(join(root, folder, name), 'utf8') }))
  const ofTests = all.flatMap(({ path, text }) => [...text.matchAll(/#\[cfg\(test\)\]\nmod (\w+);/g)].map(([, name]) => join(inner(path), name)))
  const own = all.filter(({ path }) => !ofTests.some((name) => path === `${name}.rs` || path.startsWith(`${name}/`)))
  return own.map(({ path, text }) => ({ path, text: text.split(/\n#\[cfg\(test\)\]\nmod \w+ \{/)[0] }))
}

/** Where the modules of a file lie. */
function inner(path) {
  return /\/(mod|lib|main)\.rs$/.test(path) ? dirname(path) : path.replace(/\.rs$/, '')
}

const rust = [...crates.map((crate) => `crates/${crate}/src`), 'src'].flatMap((folder) => sourcesOf(folder, '.rs'))

/** Each line of the sources that a pattern fits, with the lines before it. */
function linesLike(pattern, sources) {
  return sources.flatMap(({ path, text }) => {
    const lines = text.split('\n')
    return lines.flatMap((line, index) => {
      if (/^\s*\/\//.test(line) || !pattern.test(line)) return []
      return { at: `${path}:${index + 1}`, line, before: lines.slice(Math.max(0, index - 4), index).join('\n'), after: lines.slice(index, index + 3).join('\n') }
    })
  })
}

describe('arrows', () => {
  const page = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')
  const drawn = Object.fromEntries([...page.matchAll(/^(\w+) +→ ([\w, ]+)$/gm)].map(([, from, to]) => [from, to.split(', ')]))

  for (const name of ['src', ...crates]) {
    test(`from ${name} are those that are drawn`, () => {
      const text = readFileSync(join(root, name === 'src' ? '' : `crates/${name}`, 'Cargo.toml'), 'utf8')
      const sections = text.split(/^\[/m).filter((section) => /^(?:target\..*\.)?dependencies\]/.test(section))
      const needed = sections.flatMap((section) => [...section.matchAll(/^([\w-]+)(?:\.| =)/gm)].map(([, crate]) => crate))
      assert.deepEqual(needed.filter((crate) => crates.includes(crate)).sort(), drawn[name] ?? [])
    })
  }
})

describe('what the SIP endpoint knows', () => {
  const state = rust.filter(({ path }) => path.startsWith('crates/sip/src/endpoint/state/'))
  const words = ['event', 'command', 'config', 'compose']

  test('imports nothing of what it does', () => {
    assert.ok(state.length > 10)
    const imports = linesLike(/^use crate::endpoint::/, state)
    assert.ok(imports.length > 5)
    assert.deepEqual(imports.filter(({ line }) => !words.includes(/endpoint::(\w+)/.exec(line)[1])).map(({ at }) => at), [])
    assert.deepEqual(linesLike(/super::super/, state), [])
  })
})

describe('the terminal phone', () => {
  for (const { path, text } of sourcesOf('lib/cli', '.ts')) {
    test(`uses the public API alone in ${path}`, () => {
      const imported = [...text.matchAll(/\bfrom '([^']+)'|^import '([^']+)'/gm)].map(([, from, alone]) => from ?? alone)
      assert.deepEqual(imported.filter((from) => !/^(\.\.\/(index|testing)|\.\/[\w-]+|node:.+)$/.test(from)), [])
    })
  }
})

describe('the transform of the noise suppressor', () => {
  const locked = readFileSync(join(root, 'Cargo.lock'), 'utf8')

  test('is the one of the echo canceller', () => {
    assert.match(locked, /^name = "easyfft"\nversion = "[\d.]+"\ndependencies/m, 'crates/easyfft stands in for it')
    assert.doesNotMatch(locked, /^name = "rustfft"$/m, 'nnnoiseless asks for an easyfft that crates/easyfft does not stand in for')
  })
})

describe('unsafe code', () => {
  for (const crate of crates.filter((name) => !unsafeCrates.includes(name))) {
    test(`is forbidden in ${crate}`, () => {
      assert.match(readFileSync(join(root, 'crates', crate, 'src', 'lib.rs'), 'utf8'), /^#!\[forbid\(unsafe_code\)\]$/m)
    })
  }

  test('is not in the addon', () => {
    assert.deepEqual(linesLike(/\bunsafe\b/, rust.filter(({ path }) => path.startsWith('src/'))), [])
  })
})

describe('threads and tasks', () => {
  const spawns = linesLike(/\bspawn(_blocking)?\(/, rust).filter(({ line }) => !/\bfn spawn\b/.test(line))

  test('are started by runtime, and the one for signals', () => {
    assert.ok(spawns.length > 10)
    const elsewhere = spawns.filter(({ at }) => !/^crates\/(runtime|signals)\//.test(at)).map(({ at }) => at)
    assert.deepEqual(elsewhere, [])
  })

  for (const { at, line, before, after } of spawns) {
    test(`${at.replace(/:\d+$/, '')} holds what "${line.trim()}" gives, waits for it, or says how it ends`, () => {
      const held = /\b(jobs|tasks|farewells)\b/.test(`${before.split('\n').at(-1)}\n${line}`) || /\blet \w+ = [^;]*;?$/.test(`${before}\n${line}`)
      const awaited = /\.await\b/.test(after)
      const through = /\bspawn\(jobs, /.test(line)
      assert.ok(held || awaited || through || /Not joined: /.test(before), `${at}: ${line.trim()}`)
    })
  }
})

describe('channels', () => {
  const bounded = linesLike(/\b(?:mpsc::(?:sync_)?channel|RingBuffer::new)\([A-Z]/, rust)
  const unbounded = linesLike(/\b(?:unbounded_channel|mpsc::channel)\(\)/, rust)

  test('are in runtime', () => {
    assert.ok(bounded.length > 5 && unbounded.length > 5)
    for (const { at } of [...bounded, ...unbounded]) assert.match(at, /^crates\/runtime\//)
  })

  for (const { at, line } of bounded) {
    const [, name] = /\(([A-Z_]+)\)/.exec(line)
    test(`${at.replace(/:\d+$/, '')} says what happens when ${name} is full`, () => {
      const [path] = at.split(':')
      const beside = [path, 'crates/runtime/src/device/ring.rs'].map((file) => readFileSync(join(root, file), 'utf8')).find((text) => text.includes(`const ${name}: usize`))
      const [, said] = new RegExp(`((?:^ *///.*\\n)+)(?:pub\\S* )?const ${name}: usize`, 'm').exec(beside) ?? []
      assert.match(said ?? '', /full|faster|slower|no more/)
    })
  }

  for (const { at, before } of unbounded) {
    test(`${at.replace(/:\d+$/, '')} says why one has no bound`, () => assert.match(before, /Unbounded[:,] /))
  }
})

describe('locks', () => {
  test('are those of the table', () => {
    const used = rust.filter(({ text }) => /\b(?:Mutex|RwLock|Condvar)\b/.test(text)).map(({ path }) => path)
    const { rows } = tableOf('ARCHITECTURE.md', 'locks')
    assert.deepEqual(rows.map(([file]) => file.replaceAll('`', '')).sort(), used.sort())
  })

  test('keep no tick of a media session waiting', () => {
    const tick = ['audio/source/reader.rs', 'audio/source/queue.rs', 'audio/link.rs', 'audio/conference.rs', 'media_worker/worker.rs', 'media_worker/hosted.rs']
    for (const name of tick) {
      const { text } = rust.find(({ path }) => path === `crates/runtime/src/${name}`)
      const [, read = text] = /fn read\(([^]*?)\n    }\n/.exec(text) ?? []
      assert.doesNotMatch(name.startsWith('audio/source/reader') ? read : text, /(?<!try_)\block\(/, name)
    }
  })
})

describe('where new things go', () => {
  const { rows } = tableOf('ARCHITECTURE.md', 'places')
  const filesOf = (cell) => [...cell.matchAll(/`([\w./-]+\/[\w./-]+)`/g)].map(([, path]) => path)

  for (const [what, where] of rows) {
    test(`"${what}" names files that are there`, () => {
      const files = filesOf(where)
      assert.ok(files.length > 0)
      for (const file of files) assert.ok(existsSync(join(root, file)), file)
    })
  }

  test('a codec touches the files that it says, and no others', () => {
    const [, where] = rows.find(([what]) => what === 'a codec')
    const named = [...rust, ...sourcesOf('lib', '.ts')].filter(({ text }) => /\bG722\b/.test(text)).map(({ path }) => path)
    assert.deepEqual(filesOf(where).filter((path) => !path.endsWith('/g722.rs')).sort(), named.sort())
  })
})

describe('names on the page', () => {
  const names = namesOn('ARCHITECTURE.md')
  const files = ['crates', 'lib', 'src'].flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((name) => `${folder}/${name}`))
  const everything = rust.map(({ text }) => text).join('\n')
  const ofOthers = ['thread::sleep', 'Instant::now', 'SystemTime::now']

  /** Whether a part of a path is a module, or a type or variant somewhere. */
  function isThere(part) {
    if (!/^[A-Z]/.test(part)) return files.some((file) => file.endsWith(`/${part}.rs`) || file.endsWith(`/${part}`))
    return new RegExp(`\\b(?:struct|enum|trait|type) ${part}\\b|^ +${part}(?:[,({ ]|$)`, 'm').test(everything)
  }

  test('are modules, types and variants that are there', () => {
    const paths = names.filter((name) => /^\w+(::\w+)+$/.test(name) && !ofOthers.includes(name))
    assert.ok(paths.length > 20)
    for (const path of paths) for (const part of path.split('::')) assert.ok(isThere(part), `${part} of ${path}`)
  })

  for (const page of ['ARCHITECTURE.md', 'CONTRIBUTING.md']) {
    test(`those of ${page} with a slash are files and folders that are there`, () => {
      const paths = namesOn(page).filter((name) => /^[\w.-]+(\/[\w.-]*)+$/.test(name) && !/^(offhook|fuzz\/artifacts|target)\b/.test(name))
      assert.ok(paths.length > 10)
      for (const path of paths) {
        const isInside = files.some((file) => file.endsWith(`/${path}`) || file.endsWith(`/${path}.rs`))
        assert.ok(existsSync(join(root, path)) || isInside, path)
      }
    })
  }
})

/** What stands between backticks on a page, but for its blocks. */
function namesOn(page) {
  const text = readFileSync(join(root, page), 'utf8').replaceAll(/^```[^]*?^```$/gm, '')
  return [...new Set([...text.matchAll(/`([^`\n]+)`/g)].map(([, name]) => name.replace(/\(.*\)$/, '')))]
}
