import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { targets } from '../../scripts/platforms.mjs'
import { chosen, linked, metadata, refused, thirdParty } from '../../scripts/third-party.mjs'

describe('the licences of others', () => {
  test('are followed as few and as simple as an expression offers', () => {
    for (const [expression, choice] of [
      ['MIT', ['MIT']],
      ['Apache-2.0/MIT', ['MIT']],
      ['Apache-2.0 WITH LLVM-exception OR Apache-2.0', ['Apache-2.0']],
      ['(MIT OR Apache-2.0) AND Unicode-3.0', ['MIT', 'Unicode-3.0']],
      ['MIT OR Apache-2.0 OR LGPL-2.1-or-later', ['MIT']],
      ['GPL-3.0-only OR (ISC AND Apache-2.0)', ['ISC', 'Apache-2.0']],
      ['MIT AND LGPL-2.1-or-later', undefined],
      ['MPL-2.0', undefined],
      [null, undefined],
    ]) {
      assert.deepEqual(chosen(expression), choice, expression)
    }
  })

  describe('of the crates that we use', () => {
    let all

    before(() => {
      all = metadata()
    })

    test('are all permissive', () => {
      assert.deepEqual(refused(all), [])
    })

    test('would be told if one was not', () => {
      const [first, ...rest] = all.packages.filter(({ source }) => source !== null)
      const packages = [{ ...first, license: 'AGPL-3.0-only' }, { ...rest[0], license: null }, ...rest.slice(1)]
      const told = [`${first.name} ${first.version}: AGPL-3.0-only`, `${rest[0].name} ${rest[0].version}: no licence`]
      assert.deepEqual(refused({ packages }), told)
    })

    for (const [platform, target] of Object.entries(targets)) {
      test(`are all in the text for ${platform}`, () => {
        const crates = linked(metadata(target))
        const text = thirdParty(platform)
        const [list, ...sections] = text.split(/^-{80}\n(?=\S)/m)
        assert.ok(crates.length > 100, `${crates.length} crates`)
        for (const { name, version, license } of crates) {
          assert.ok(list.includes(`\n  ${name} ${version}  ${license}`), `${name} ${version} is listed`)
          const named = sections.filter((section) => section.startsWith(`${name} ${version}\n`) || section.includes(`\n${name} ${version}\n`))
          assert.ok(named.length > 0, `${name} ${version} has a text`)
        }
        assert.match(text, /^libvpx\n-+\n\nCopyright \(c\) 2010, The WebM Project authors/m)
        for (const vendored of ['opusic-sys', 'ring']) assert.match(text, new RegExp(`^${vendored} [\\d.]+: `, 'm'))
      })
    }
  })
})
