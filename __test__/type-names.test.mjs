// A type that one file shows to another has a name of its own in its crate: whoever reads `Order` need not ask which.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const crates = fileURLToPath(new URL('../crates', import.meta.url))
/** Of a crate's types, this share may be called as one in another of its files. */
const BOUND = 0.1

/** What has two bodies, one for each platform, and so one name. */
const alternatives = { signals: ['Watch'] }

/** Every type that a crate defines outside its tests: where, by name. */
function typesOf(crate) {
  const places = new Map()
  for (const entry of readdirSync(join(crates, crate, 'src'), { recursive: true })) {
    if (!entry.endsWith('.rs') || /(^|\/)tests(\.rs|\/)/.test(entry)) continue
    const [text] = readFileSync(join(crates, crate, 'src', entry), 'utf8').split(/^#\[cfg\(test\)\]$/m)
    for (const [, name] of text.matchAll(/^(?:pub(?:\([a-z: ]+\))? )?(?:struct|enum|trait|type) (\w+)/gm)) {
      places.set(name, [...(places.get(name) ?? []), entry])
    }
  }
  return places
}

describe('type names', () => {
  for (const crate of readdirSync(crates)) {
    test(`of ${crate} are its own`, () => {
      const places = typesOf(crate)
      const shared = [...places].filter(([name, files]) => files.length > 1 && !alternatives[crate]?.includes(name))
      const list = shared.map(([name, files]) => `  ${name}: ${files.join(', ')}`).sort()
      const count = (of) => of.reduce((sum, [, files]) => sum + files.length, 0)
      const [alike, all] = [count(shared), count([...places])]
      assert.ok(all > 0, 'no type was found')
      assert.ok(alike / all < BOUND, `${alike} of ${all} types share their names (${((alike / all) * 100).toFixed(1)} %):\n${list.join('\n')}`)
    })
  }
})
