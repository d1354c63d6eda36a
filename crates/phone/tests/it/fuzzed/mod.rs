//! What the fuzzers do, on a few bytes drawn at random and on the ones that they found worth keeping.

mod life;
mod options;
mod promises;
mod scripts;
mod state_documents;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::harness::start;

#[test]
fn whatever_happens_in_whatever_order_a_phone_keeps_its_promises() {
    let now = start();
    for seed in 0..300 {
        life::live(&random(seed, 400), now);
    }
    each_seed("phone", |bytes| life::live(bytes, now));
}

#[test]
fn whatever_a_notification_says_it_is_read_or_left_alone() {
    let now = start();
    for seed in 0..100 {
        state_documents::notify(&random(seed, 100), now);
    }
    let seeds = each_seed("state_documents", |bytes| {
        state_documents::notify(bytes, now)
    });
    assert!(seeds > 0);
}

#[test]
fn whatever_options_and_commands_are_they_are_taken_or_refused_by_name() {
    let now = start();
    let seeds = each_seed("options", |bytes| options::take(bytes, now));
    assert!(seeds > 0);
}

fn random(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    StdRng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}

/// Runs what the fuzzer begins with; gives how many there were.
fn each_seed(target: &str, run: impl Fn(&[u8])) -> usize {
    let folder = format!("{}/../../fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(&folder).expect("each target has seeds");
    files
        .map(|file| run(&std::fs::read(file.unwrap().path()).unwrap()))
        .count()
}
