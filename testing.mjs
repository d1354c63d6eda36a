import testing from './testing.js'

export const { Pbx } = testing
