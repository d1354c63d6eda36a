//! Which devices are worn at the ear, so that no loudspeaker reaches their microphone.

/// What operating systems call such devices, also in other languages, as Windows does.
const WORDS: [&str; 24] = [
    "airpods",
    "auriculares",
    "auscultadores",
    "buds",
    "casque",
    "cuffie",
    "earbud",
    "earbuds",
    "earphone",
    "earphones",
    "earpiece",
    "earpods",
    "écouteurs",
    "fones",
    "handset",
    "headphone",
    "headphones",
    "headset",
    "headsets",
    "hoofdtelefoon",
    "hörlurar",
    "hovedtelefoner",
    "kopfhörer",
    "słuchawki",
];

/// Who makes mostly headsets.
const MAKERS: [&str; 5] = ["epos", "jabra", "plantronics", "poly", "sennheiser"];

/// What such makers call their loudspeakers.
const LOUDSPEAKERS: [&str; 9] = [
    "calisto",
    "conference",
    "expand",
    "loudspeaker",
    "panacast",
    "speak",
    "speakerphone",
    "studio",
    "sync",
];

/// Whether a device is known for a headset or headphones by its name; a sound server's "default" is not.
pub(super) fn is_headset(name: &str) -> bool {
    let name = name.to_lowercase();
    let mut words = name.split(|letter: char| !letter.is_alphanumeric());
    let has = |list: &[&str]| words.clone().any(|word| list.contains(&word));
    if has(&WORDS) {
        return true;
    }
    // "Speak2" and "Speak 510" are both one.
    let is_loud = words.any(|word| {
        let word = word.trim_end_matches(|digit: char| digit.is_ascii_digit());
        LOUDSPEAKERS.contains(&word)
    });
    !is_loud
        && name
            .split(|letter: char| !letter.is_alphanumeric())
            .any(|word| MAKERS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::is_headset;

    #[test]
    fn headsets_and_headphones_are_known_by_their_names() {
        for name in [
            "Headset Microphone (Jabra EVOLVE 20 MS)",
            "Headset (WH-1000XM4 Hands-Free AG Audio)",
            "Jabra Evolve2 65",
            "Plantronics Blackwire 3220 Series",
            "Poly BT700",
            "EPOS ADAPT 360",
            "Sennheiser SC60 for Lync",
            "Kopfhörer (Realtek(R) Audio)",
            "AirPods Pro",
            "External Headphones",
        ] {
            assert!(is_headset(name), "{name}");
        }
    }

    #[test]
    fn loudspeakers_and_what_says_nothing_are_not_taken_for_headsets() {
        for name in [
            "Default Audio Device",
            "MacBook Pro Microphone",
            "Speakers (Realtek(R) Audio)",
            "Jabra SPEAK 510 USB",
            "Jabra Speak2 75",
            "Poly Sync 20",
            "EPOS EXPAND 30T",
            "HD Webcam C270",
            "Polycom CX5100",
            "",
        ] {
            assert!(!is_headset(name), "{name}");
        }
    }
}
