// Counts only: how much memory a process of this size has is another thing from one minute to the next. npm run soak measures it.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { forgotten, kept, openHouse, settled, talk, visit } from './long-life.mjs'

describe('a process that lives long', () => {
  test('keeps nothing of a thousand calls', async (t) => {
    const house = await openHouse(4)
    t.after(() => house.close())
    await talk(house, (calls) => calls < 200)
    await forgotten(house)
    const before = kept()
    const calls = await talk(house, (calls) => calls < 1000)
    await forgotten(house)
    await settled(before)
    const { heap } = kept()
    t.diagnostic(`${JSON.stringify(before.counts)}; ${Math.round((heap - before.heap) / calls)} octets of the heap a call`)
    assert.ok(heap - before.heap < calls * 500, `the heap grew from ${before.heap} to ${heap}`)
  })

  test('keeps nothing of two hundred phones that came and went', async (t) => {
    const house = await openHouse(1)
    t.after(() => house.close())
    const visits = async (count) => {
      for (let number = 0; number < count; number++) await visit(house)
    }
    await visits(40)
    const before = kept()
    await visits(200)
    await settled(before)
    const { heap } = kept()
    t.diagnostic(`${JSON.stringify(before.counts)}; ${Math.round((heap - before.heap) / 200)} octets of the heap a phone`)
    assert.ok(heap - before.heap < 200 * 3000, `the heap grew from ${before.heap} to ${heap}`)
  })
})
