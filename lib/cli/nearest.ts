/** The word of a list that somebody is likely to have meant; undefined if none is near. */
export function nearest(typed: string, words: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(typed.length / 3))
  const distances = words.map((word) => ({ word, distance: distance(typed.toLowerCase(), word.toLowerCase()) }))
  const [best] = distances.filter(({ word, distance }) => distance <= most || isBeginning(typed, word)).sort((one, other) => one.distance - other.distance)
  return best?.word
}

/** A question that names the word that was meant, to stand behind what is wrong; empty if none is near. */
export function didYouMean(typed: string, words: readonly string[], shown: (word: string) => string = (word) => word): string {
  const word = nearest(typed, words)
  return word === undefined ? '' : ` Did you mean ${shown(word)}?`
}

function isBeginning(typed: string, word: string): boolean {
  return typed.length >= 3 && word.toLowerCase().startsWith(typed.toLowerCase())
}

/** How many letters are to be added, removed, replaced or swapped with the next. */
function distance(from: string, to: string): number {
  let last: number[] = []
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const before = last
    last = row
    row = [i]
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1]
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      const least = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1))
      row[j] = swapped ? Math.min(least, at(before, j - 2) + 1) : least
    }
  }
  return at(row, to.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity
}
