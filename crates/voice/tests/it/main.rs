//! The processing of a microphone's sound, in rooms that are computed, in virtual time.

mod echo;
mod level;
mod noise;
mod room;
mod scene;

/// Somebody who talks; the other voices are made of the same one, as slow and low or fast and high.
fn speech() -> Vec<f32> {
    scene::clip(include_bytes!("../../../../examples/speech.wav"))
}
