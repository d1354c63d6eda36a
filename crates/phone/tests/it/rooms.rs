//! The rooms of this crate import only what ARCHITECTURE.md allows: nobody needs the engine to take the door.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The rooms that a room may import, by its name: the table under "The rooms of `phone`".
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let page = include_str!("../../../../ARCHITECTURE.md");
    let (_, section) = page
        .split_once("## The rooms of `phone`")
        .expect("the page has that section");
    let rows = section.lines().skip_while(|line| !line.starts_with("|---"));
    rows.skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
            let [room, _, imports] = cells.as_slice() else {
                panic!("a row has three cells: {row}");
            };
            (
                quoted(room).remove(0),
                quoted(imports).into_iter().collect(),
            )
        })
        .collect()
}

fn quoted(cell: &str) -> Vec<String> {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

/// What follows each `crate::` outside of comments.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("crate::").skip(1))
}

#[test]
fn no_import_runs_upwards() {
    let allowed = allowed();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&src, &mut all);
    let mut rooms = BTreeSet::new();
    for path in all {
        let shown = path.strip_prefix(&src).unwrap();
        let Some(room) = shown.parent().and_then(|folder| folder.iter().next()) else {
            assert_eq!(shown, Path::new("lib.rs"), "every file has a room");
            continue;
        };
        let room = room.to_str().unwrap();
        let may = allowed
            .get(room)
            .unwrap_or_else(|| panic!("ARCHITECTURE.md does not know the room {room}"));
        rooms.insert(room.to_owned());
        for import in imports(&std::fs::read_to_string(&path).unwrap()) {
            let end = import.find(|c: char| !c.is_alphanumeric() && c != '_');
            let name = &import[..end.unwrap_or(import.len())];
            assert!(
                name == room || may.contains(name),
                "{} imports crate::{import}, which {room} may not",
                shown.display()
            );
        }
    }
    assert!(rooms.iter().eq(allowed.keys()), "the table names them all");
}

/// What may stand twice: every layer of the contract gives out an `Output`, and the other is always said with its
/// module, `audio::Output`.
const TWICE: [&str; 1] = ["Output"];

/// The type that a line declares outside of any block.
fn declared(line: &str) -> Option<&str> {
    let line = match line.strip_prefix("pub") {
        Some(rest) => rest.split_once(' ')?.1,
        None => line,
    };
    let (kind, rest) = line.split_once(' ')?;
    ["struct", "enum", "trait", "type"]
        .contains(&kind)
        .then(|| rest.split(|c: char| !c.is_alphanumeric()).next())?
}

#[test]
fn a_type_has_its_name_for_itself() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&src, &mut all);
    let mut known: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in all {
        let text = std::fs::read_to_string(&path).unwrap();
        for name in text.lines().filter_map(declared) {
            let before = known.insert(name.to_owned(), path.clone());
            assert!(
                TWICE.contains(&name) || before.is_none(),
                "{name} is declared in {} and in {}",
                path.display(),
                before.unwrap_or_default().display()
            );
        }
    }
    assert!(known.len() > 200, "{} types are found", known.len());
}
