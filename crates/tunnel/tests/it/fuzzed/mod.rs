//! Answers that were changed at random: nothing breaks, all ends, and no proxy writes a line of our requests.

mod conversation;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use conversation::converse;

const RUNS: u32 = 10_000;

/// What the fuzzer begins with.
fn seeds() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/tunnel");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

fn changed(seeds: &[Vec<u8>], rng: &mut StdRng) -> Vec<u8> {
    let mut octets = seeds[rng.random_range(0..seeds.len())].clone();
    for _ in 0..rng.random_range(0..6) {
        let at = rng.random_range(0..octets.len().max(1)).min(octets.len());
        match rng.random_range(0..4) {
            0 if at < octets.len() => octets[at] = rng.random(),
            1 if at < octets.len() => {
                octets.remove(at);
            }
            2 => octets.insert(
                at,
                *b"\r\n\"\\ ,:\0\xff".get(rng.random_range(0..9)).unwrap(),
            ),
            _ => {
                let other = &seeds[rng.random_range(0..seeds.len())];
                octets.splice(at..at, other.iter().copied());
            }
        }
    }
    octets
}

#[test]
fn no_answer_breaks_it_writes_into_a_request_or_gets_a_password_after_a_digest() {
    let seeds = seeds();
    assert!(!seeds.is_empty());
    seeds.iter().for_each(|seed| converse(seed));
    let mut rng = StdRng::seed_from_u64(7);
    for _ in 0..RUNS {
        converse(&changed(&seeds, &mut rng));
    }
}
