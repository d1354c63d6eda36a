//! One side of the bench: what is measured in Rust. Each result is a line of JSON on stdout.
//!
//! ```text
//! offhook-bench sip <seconds a measurement>
//! offhook-bench transport <calls> <seconds>
//! offhook-bench webrtc <calls> <seconds>
//! offhook-bench rooms
//! offhook-bench sound <folder> <clip>…
//! offhook-bench loss <folder> <calls of each kind> <which clip> <clip>…
//! ```

mod cpu;
mod figures;
mod loss;
mod sip;
mod sound;
mod transport;
mod webrtc;

use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["sip", seconds] => sip::run(seconds.parse().map(Duration::from_secs_f64)?),
        ["transport", calls, seconds] => {
            transport::run(calls.parse()?, Duration::from_secs(seconds.parse()?))?;
        }
        ["webrtc", calls, seconds] => {
            webrtc::run(calls.parse()?, Duration::from_secs(seconds.parse()?))?;
        }
        ["rooms"] => sound::print_rooms(),
        ["sound", folder, ref clips @ ..] if !clips.is_empty() => {
            sound::run_scenes(folder.as_ref(), clips)?;
        }
        ["loss", folder, seeds, which, ref clips @ ..] if !clips.is_empty() => {
            loss::run_calls(folder.as_ref(), seeds.parse()?, which.parse()?, clips)?;
        }
        _ => {
            let usage = "usage: offhook-bench sip <seconds> | (transport | webrtc) <calls> <seconds> \
                 | rooms | sound <folder> <clip>… | loss <folder> <calls> <which clip> <clip>…";
            return Err(usage.into());
        }
    }
    Ok(())
}
