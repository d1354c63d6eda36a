//! Leaves out of libvpx what only VP9 calls. VP8 does not need it, but the table of functions for this processor, which
//! both share, names all of it: half a megabyte.

use std::collections::{BTreeMap, BTreeSet};

use object::read::archive::ArchiveFile;
use object::{BinaryFormat, Object, ObjectSymbol};

/// What fills the table, and is defined in the member that has it.
const TABLE: &str = "vpx_dsp_rtcd";

/// An archive that has what a program needs.
pub(crate) struct Slim {
    pub(crate) archive: Vec<u8>,
    /// Functions that the table names and nothing calls: they are to be defined otherwise.
    pub(crate) absent: BTreeSet<String>,
}

#[derive(Default)]
struct Member<'a> {
    data: &'a [u8],
    defines: BTreeSet<&'a str>,
    needs: BTreeSet<&'a str>,
}

/// Leaves out of an archive what `program`, object files that go before it, can never call. None if it is of a kind
/// that was not tried, or has no such table.
pub(crate) fn slim(archive: &[u8], program: &[Vec<u8>]) -> Option<Slim> {
    let mut ours = Member::default();
    for object in program {
        let object = Member::read(object)?;
        ours.defines.extend(object.defines);
        ours.needs.extend(object.needs);
    }
    let members: Vec<Member<'_>> = ArchiveFile::parse(archive)
        .ok()?
        .members()
        .map(|member| Member::read(member.ok()?.data(archive).ok()?))
        .collect::<Option<_>>()?;
    let table = members
        .iter()
        .position(|member| member.defines.contains(TABLE))?;
    let needed = needed(&ours, &members, table);
    let absent = members[table].needs.iter().filter(|name| {
        let of = |member: &Member<'_>| member.defines.contains(*name);
        !of(&ours)
            && members
                .iter()
                .enumerate()
                .any(|(at, member)| of(member) && !needed.contains(&at))
    });
    Some(Slim {
        absent: absent.map(|name| (*name).to_owned()).collect(),
        archive: write(needed.iter().map(|at| members[*at].data)),
    })
}

/// The members that a linker would take if the table named only what is called through it.
fn needed(program: &Member<'_>, members: &[Member<'_>], table: usize) -> BTreeSet<usize> {
    let mut where_defined = BTreeMap::new();
    for (at, member) in members.iter().enumerate() {
        for name in member.defines.difference(&program.defines) {
            where_defined.entry(*name).or_insert(at);
        }
    }
    let mut needed = BTreeSet::new();
    let mut called = BTreeSet::new();
    let mut waiting: Vec<&str> = program.needs.iter().copied().collect();
    while let Some(name) = waiting.pop() {
        if !called.insert(name) {
            continue;
        }
        let Some(&at) = where_defined.get(name) else {
            continue;
        };
        // `vpx_name`, a pointer of the table's, is set to `vpx_name_sse2`, `vpx_name_avx2` and such.
        if at == table {
            let kinds = members[table].needs.iter().filter(|kind| {
                kind.strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with('_'))
            });
            waiting.extend(kinds);
        }
        if needed.insert(at) && at != table {
            waiting.extend(&members[at].needs);
        }
    }
    needed
}

impl<'a> Member<'a> {
    fn read(data: &'a [u8]) -> Option<Self> {
        let file = object::File::parse(data).ok()?;
        if file.format() != BinaryFormat::Elf {
            return None;
        }
        let (mut defines, mut needs) = (BTreeSet::new(), BTreeSet::new());
        for symbol in file.symbols() {
            let name = symbol.name().ok()?;
            if symbol.is_undefined() {
                needs.insert(name);
            } else if symbol.is_global() {
                defines.insert(name);
            }
        }
        needs.remove("");
        Some(Self {
            data,
            defines,
            needs,
        })
    }
}

/// An archive without a table of symbols: rustc takes it apart again.
fn write<'a>(members: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut archive = b"!<arch>\n".to_vec();
    for (number, data) in members.enumerate() {
        let name = format!("vpx{number}.o/");
        let size = data.len();
        archive
            .extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 644).bytes());
        archive.extend(data);
        if size % 2 == 1 {
            archive.push(b'\n');
        }
    }
    archive
}
