import exotel from './exotel.js'

export const { Call, ExotelWebClient, SessionListener } = exotel
