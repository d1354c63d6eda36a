export { connectHeadset, headsetFilters } from '../dist/bridge/headset.mjs'
