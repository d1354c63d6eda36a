// docs/errors.md, made of what lib/error-code.ts says of each code.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../lib/error-code.ts', import.meta.url))

/** The codes of each line of the comment, and when they come. */
export function errorCodes() {
  const [, comment] = /\/\*\*([^]*?)\*\//.exec(readFileSync(source, 'utf8'))
  const text = comment.replaceAll(/\n \* ?/g, '\n').replaceAll(/\n {2,}/g, ' ')
  return [...text.matchAll(/^- ((?:`ERR_\w+`, )*(?:`ERR_\w+`|…)): (.*)$/gm)].map(([, codes, when]) => ({ codes, when }))
}

/** The whole page. */
export function errorPage() {
  const rows = errorCodes().map(({ codes, when }) => `| ${codes} | ${when.replace(/\.$/, '')} |`)
  return `<!-- Generated from lib/error-code.ts by "npm run types". Do not edit. -->
# Errors

There is one class, \`SoftphoneError\`, with a stable \`code\`, PureCloud's \`type\`, the \`sip\` status if there is one, and the \`cause\`. The \`message\` is for people; tell failures apart by \`code\`.

| code | when |
|---|---|
${rows.join('\n')}

\`error\` without a listener never throws: it goes to the logger. On its way to another thread or process an error loses its code unless it goes [as JSON](electron.md#over-a-port).
`
}
