import bridge from './index.js'

export const { serve } = bridge
