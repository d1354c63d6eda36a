// A preflight: node nat-preflight.mjs '{ "options": …, "how": { "checks": […] } }' prints what it has found.
import { preflight } from 'offhook'

const { options, how } = JSON.parse(process.argv[2])
console.log(JSON.stringify(await preflight(options, how)))
