// Counts only: what memory a process of this size has is another thing from one minute to the next. npm run soak measures it.
import { describe, test } from 'node:test'
import { kept, openHouse, settled, talk, visit } from './long-life.mjs'

describe('a process that lives long', () => {
  test('keeps no thread, descriptor or handle of two hundred calls', async (t) => {
    const house = await openHouse(4)
    t.after(() => house.close())
    await talk(house, (calls) => calls < 50)
    const before = kept()
    await talk(house, (calls) => calls < 200)
    await settled(before)
  })

  test('keeps none of a hundred phones that came and went', async (t) => {
    const house = await openHouse(1)
    t.after(() => house.close())
    const visits = async (count) => {
      for (let number = 0; number < count; number++) await visit(house)
    }
    await visits(20)
    const before = kept()
    await visits(100)
    await settled(before)
  })
})
