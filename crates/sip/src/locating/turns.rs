//! In which order places are tried (RFC 2782).

use super::Place;

/// The places in the order in which they are tried: by rank, and within one as `draw` decides, which gives a number from 0 to the
/// one that it is given, that included.
pub fn in_turn(mut places: Vec<Place>, mut draw: impl FnMut(u32) -> u32) -> Vec<Place> {
    // Those without weight first, so that a draw of 0 gives them their small chance.
    places.sort_by_key(|place| (place.rank, place.weight != 0));
    let mut ordered = Vec::with_capacity(places.len());
    while let Some(first) = places.first() {
        let rank = first.rank;
        let group = places.iter().take_while(|place| place.rank == rank);
        let sum = group.map(|place| u32::from(place.weight)).sum();
        let drawn = draw(sum);
        let mut running = 0;
        let chosen = places.iter().position(|place| {
            running += u32::from(place.weight);
            running >= drawn
        });
        ordered.push(places.remove(chosen.unwrap_or_default()));
    }
    ordered
}
