/** Tests in real time can miss their time on a machine that others use. More failures than this have a reason. */
const MOST_TRIED_AGAIN = 4

/** What failed of `cargo test`, by name and reason, and the commands that run it once more; none if it was too much. */
export function failuresOfRust(output) {
  const told = output.split('\n').filter((line) => /^test .* FAILED$|panicked at|^error/.test(line))
  const targets = [...output.matchAll(/^ {4}`(-p \S+ --\S+(?: \S+)?)`$/gm)].map(([, target]) => target)
  const failed = told.filter((line) => line.endsWith('FAILED')).length
  const isFew = failed > 0 && failed <= MOST_TRIED_AGAIN && targets.length > 0
  return { told, again: isFew ? targets.map((target) => ['cargo', 'test', ...target.split(' ')]) : undefined }
}

/** The same of `node --test` with its reporter `spec`; `command` makes the command that runs these files. */
export function failuresOfNode(output, command) {
  const [, list = ''] = output.split('✖ failing tests:')
  const files = [...new Set([...list.matchAll(/^test at (\S+\.test\.mjs):\d+:\d+$/gm)].map(([, file]) => file))]
  // The place, the name and the first line of the reason.
  const told = list.match(/^test at .*\n✖ .*\n.*$/gm)?.flatMap((failure) => failure.split('\n')) ?? []
  const isFew = files.length > 0 && files.length <= MOST_TRIED_AGAIN
  return { told, again: isFew ? [command(files)] : undefined }
}
