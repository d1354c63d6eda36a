//! Writes `lib/wire.ts`: what crosses between the addon and JavaScript as JSON, in TypeScript's words.
//!
//! The types of `phone`, `runtime`, `pbx` and `preflight` are the one truth: this reads their source, takes what serde is told of each, and
//! writes what serde makes of it. **What it does not understand is a panic that names it, never a guess.**
//!
//! ```text
//! crates/{phone,runtime,pbx,preflight}/src ── source ── Types ── typescript ── lib/wire.ts
//! ```
//!
//! `cargo run -p wire` writes the file; a test fails if the committed one differs.
#![forbid(unsafe_code)]

mod serde_attributes;
mod source;
mod typescript;

use std::path::{Path, PathBuf};

use source::Types;
use typescript::{Direction, Writer};

const HEAD: &str =
    "// Generated from the serde forms of crates/ by \"cargo run -p wire\". Do not edit.\n";

/// One event or command of several.
const TAIL: &str =
    "export type WireEventOf<T extends WireEvent['type']> = Extract<WireEvent, { type: T }>

export type WireCommandOf<T extends WireCommand['type']> = Extract<WireCommand, { type: T }>
";

/// What crosses; what these are made of follows them.
const ROOTS: [(&str, &str, Direction); 8] = [
    ("runtime", "Event", Direction::ToJavaScript),
    ("phone", "Reply", Direction::ToJavaScript),
    ("phone", "Command", Direction::FromJavaScript),
    ("runtime", "Health", Direction::ToJavaScript),
    ("runtime", "PreflightEvent", Direction::ToJavaScript),
    ("runtime", "PbxEvent", Direction::ToJavaScript),
    ("pbx", "Reply", Direction::ToJavaScript),
    ("pbx", "Command", Direction::FromJavaScript),
];

/// The text of `lib/wire.ts` for the sources of this checkout.
///
/// # Panics
///
/// A type that crosses has a form that is not known here.
pub fn typescript() -> String {
    let types = Types::read(&root().join("crates"));
    let mut writer = Writer::new(&types);
    for (krate, name, direction) in ROOTS {
        writer.write(krate, name, direction);
    }
    let mut parts = vec![HEAD.to_owned()];
    parts.extend(writer.finish());
    parts.push(TAIL.to_owned());
    parts.push(typescript::option_names(types.options()));
    parts.join("\n")
}

/// The file that is written.
pub fn file() -> PathBuf {
    root().join("lib/wire.ts")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("a crate is two folders deep")
}

#[cfg(test)]
mod tests {
    #[test]
    fn lib_wire_ts_is_what_the_crates_say() {
        let committed = std::fs::read_to_string(super::file()).unwrap_or_default();
        assert!(
            committed == super::typescript(),
            "lib/wire.ts is not up to date: run \"cargo run -p wire\" and commit it"
        );
    }
}
