/** Letters that take two cells of a terminal: those of East Asia (UAX #11, W and F), and emoji. */
const WIDE = /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f9ff}\u{20000}-\u{3fffd}]/u
/** Marks that stand on the letter before them. */
const NONE = /[\p{M}\u200b-\u200d\ufe00-\ufe0f]/u

/** How many cells of a terminal a text takes. */
export function widthOf(text: string): number {
  return [...text].reduce((width, letter) => width + widthOfLetter(letter), 0)
}

/** As much of the beginning of a text as fits into so many cells, with `…` if that is not all. */
export function beginningOf(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let left = width - 1
  const kept = [...text].filter((letter) => left >= 0 && (left -= widthOfLetter(letter)) >= 0)
  return `${kept.join('')}…`
}

/** As much of the end of a text as fits into so many cells. */
export function endOf(text: string, width: number): string {
  const letters = [...text]
  while (widthOf(letters.join('')) > width) letters.shift()
  return letters.join('')
}

function widthOfLetter(letter: string): number {
  return NONE.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1
}
