//! The types in TypeScript's words.

use std::collections::BTreeMap;

use syn::{Fields, GenericArgument, ItemEnum, ItemStruct, PathArguments, Type, Variant};

use crate::serde_attributes::{SerdeAttributes, renamed};
use crate::source::{Found, Shape, Types};

/// Lines of TypeScript are this long at most.
const WIDTH: usize = 140;

/// Which way a value goes: it decides what may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// It is serialized.
    ToJavaScript,
    /// It is deserialized.
    FromJavaScript,
}

/// What has a word of its own in JSON.
const WORDS: [(&str, &str); 12] = [
    ("String", "string"),
    ("SessionId", "string"),
    ("bool", "boolean"),
    ("Value", "unknown"),
    ("u8", "number"),
    ("u16", "number"),
    ("u32", "number"),
    ("u64", "number"),
    ("i32", "number"),
    ("f32", "number"),
    ("f64", "number"),
    ("Duration", "number"),
];

/// What two crates would call the same.
const NAMES: [((&str, &str), &str); 2] = [
    (("phone", "Event"), "WirePhoneEvent"),
    (("runtime", "PbxEvent"), "WirePbxStreamEvent"),
];

/// Writes the types that are asked for, and those that these are made of.
pub(crate) struct Writer<'a> {
    types: &'a Types,
    /// By name: whose it is, which way it goes, and its text.
    written: BTreeMap<String, (&'static str, Direction, String)>,
    order: Vec<String>,
}

/// A member of an object.
struct Member {
    name: String,
    optional: bool,
    value: String,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(types: &'a Types) -> Self {
        Self {
            types,
            written: BTreeMap::new(),
            order: Vec::new(),
        }
    }

    /// Writes a type and what it is made of, unless that is done; gives what to call it.
    pub(crate) fn write(&mut self, krate: &str, name: &str, direction: Direction) -> String {
        let found = self.types.get(krate, name);
        let krate = found.krate;
        if let Shape::Struct(ItemStruct {
            fields: Fields::Unnamed(fields),
            ..
        }) = &found.shape
        {
            let inner = fields.unnamed.first().expect("a newtype has a field");
            return self.value(found, &inner.ty, direction);
        }
        let ours = ours(krate, name);
        match self.written.get(&ours) {
            Some((same, way, text)) => {
                assert!(*same == krate, "{ours} would be two types");
                let once_again = *way != direction && !text.is_empty();
                let before = text.clone();
                if once_again {
                    let now = self.shape(found, direction);
                    assert!(now == before, "{ours} is not the same both ways");
                }
            }
            None => {
                let place = (krate, direction, String::new());
                // Known before its members are read, which may name it.
                self.written.insert(ours.clone(), place);
                self.order.push(ours.clone());
                let text = self.shape(found, direction);
                self.written.insert(ours.clone(), (krate, direction, text));
            }
        }
        ours
    }

    /// Everything that was written, in the order in which it was asked for.
    pub(crate) fn finish(mut self) -> Vec<String> {
        let order = std::mem::take(&mut self.order);
        let texts = order.iter().filter_map(|name| {
            let (_, _, text) = self.written.remove(name)?;
            let is_object = text.starts_with('{') && !text.contains("\n  | ");
            Some(match is_object {
                true => format!("export interface {name} {text}\n"),
                false if text.starts_with('\n') => format!("export type {name} ={text}\n"),
                false => format!("export type {name} = {text}\n"),
            })
        });
        texts.collect()
    }

    fn shape(&mut self, found: &Found, direction: Direction) -> String {
        match &found.shape {
            Shape::Struct(item) => {
                let attributes = SerdeAttributes::of(&item.attrs);
                let (members, flattened) =
                    self.members(found, &item.fields, &attributes, direction);
                match flattened.is_empty() {
                    true => block(&members),
                    false => format!("{} & {}", flattened.join(" & "), line(&members)),
                }
            }
            Shape::Enum(item) => self.choice(found, item, direction),
            Shape::Texts(texts) => union(texts.iter().map(|text| quoted(text)).collect()),
        }
    }

    fn choice(&mut self, found: &Found, item: &ItemEnum, direction: Direction) -> String {
        let attributes = SerdeAttributes::of(&item.attrs);
        let variants = item.variants.iter();
        union(
            variants
                .map(|variant| self.variant(found, variant, &attributes, direction))
                .collect(),
        )
    }

    fn variant(
        &mut self,
        found: &Found,
        variant: &Variant,
        parent: &SerdeAttributes,
        direction: Direction,
    ) -> String {
        let own = SerdeAttributes::of(&variant.attrs);
        let name = own.rename.clone().unwrap_or_else(|| {
            renamed(
                &variant.ident.to_string(),
                parent.rename_all.as_deref(),
                true,
            )
        });
        let fields = SerdeAttributes {
            rename_all: parent.rename_all_fields.clone(),
            ..SerdeAttributes::default()
        };
        if own.serialized_with.is_some() {
            // `{"type": …}` and nothing else, beside variants that have no tag of their own.
            return format!(
                "{{ type: {} }}",
                quoted(&renamed(
                    &variant.ident.to_string(),
                    Some("camelCase"),
                    true
                ))
            );
        }
        let (members, mut parts) = self.members(found, &variant.fields, &fields, direction);
        match (&parent.tag, parent.untagged) {
            (Some(tag), _) => {
                let tag = Member {
                    name: tag.clone(),
                    optional: false,
                    value: quoted(&name),
                };
                let members: Vec<_> = [tag].into_iter().chain(members).collect();
                parts.insert(0, line(&members));
                match parts.len() {
                    1 => parts.concat(),
                    _ => format!("({})", parts.join(" & ")),
                }
            }
            (None, true) => match (&variant.fields, members.is_empty()) {
                (Fields::Unit, _) => "null".into(),
                (Fields::Unnamed(_), _) => parts.concat(),
                (Fields::Named(_), _) => line(&members),
            },
            (None, false) => match &variant.fields {
                Fields::Unit => quoted(&name),
                Fields::Unnamed(_) => format!("{{ {name}: {} }}", parts.concat()),
                Fields::Named(_) => format!("{{ {name}: {} }}", line(&members)),
            },
        }
    }

    /// The members of an object, and what is flattened into it, or is all of it.
    fn members(
        &mut self,
        found: &Found,
        fields: &Fields,
        parent: &SerdeAttributes,
        direction: Direction,
    ) -> (Vec<Member>, Vec<String>) {
        let (mut members, mut flattened) = (Vec::new(), Vec::new());
        for field in fields {
            let own = SerdeAttributes::of(&field.attrs);
            let Some(ident) = &field.ident else {
                flattened.push(self.value(found, &field.ty, direction));
                continue;
            };
            if own.flatten {
                let inner = inside_option(&field.ty);
                let value = self.value(found, inner, direction);
                flattened.push(match std::ptr::eq(inner, &field.ty) {
                    true => value,
                    false => format!("Partial<{value}>"),
                });
                continue;
            }
            let name = own.rename.clone().unwrap_or_else(|| {
                renamed(&ident.to_string(), parent.rename_all.as_deref(), false)
            });
            let may_be_absent = own.default || parent.default;
            let (optional, value) = match direction {
                Direction::FromJavaScript if may_be_absent => {
                    let value = self.value(found, inside_option(&field.ty), direction);
                    (true, format!("{value} | undefined"))
                }
                Direction::ToJavaScript if own.skipped => {
                    (true, self.value(found, inside_option(&field.ty), direction))
                }
                Direction::FromJavaScript | Direction::ToJavaScript => {
                    (false, self.value(found, &field.ty, direction))
                }
            };
            members.push(Member {
                name,
                optional,
                value,
            });
        }
        (members, flattened)
    }

    fn value(&mut self, found: &Found, ty: &Type, direction: Direction) -> String {
        if let Type::Tuple(tuple) = ty {
            let parts = tuple.elems.iter();
            let parts: Vec<_> = parts.map(|one| self.value(found, one, direction)).collect();
            return format!("[{}]", parts.join(", "));
        }
        let Type::Path(path) = ty else {
            panic!("{} has a type that is no path and no tuple", found.krate);
        };
        let segments = &path.path.segments;
        let last = segments.last().expect("a path has a last segment");
        let name = last.ident.to_string();
        let arguments = arguments(&last.arguments);
        match (name.as_str(), arguments.as_slice()) {
            ("Box", [inner]) => self.value(found, inner, direction),
            ("Option", [inner]) => format!("{} | null", self.value(found, inner, direction)),
            ("Vec", [inner]) => {
                let inner = self.value(found, inner, direction);
                match inner.contains(" | ") || inner.contains(" & ") {
                    true => format!("({inner})[]"),
                    false => format!("{inner}[]"),
                }
            }
            ("OneOrMany", [inner]) => {
                let inner = self.value(found, inner, direction);
                format!("{inner} | {inner}[]")
            }
            ("BTreeMap", [_, value]) => {
                format!("Record<string, {}>", self.value(found, value, direction))
            }
            (_, []) => match WORDS.iter().find(|(word, _)| *word == name) {
                Some((_, word)) => (*word).to_owned(),
                None => {
                    let first = segments.first().map(|one| one.ident.to_string());
                    let used = found.uses.iter().find(|(here, _, _)| *here == name);
                    match (first.as_deref(), used) {
                        (Some("phone"), _) => self.write("phone", &name, direction),
                        (Some("pbx"), _) => self.write("pbx", &name, direction),
                        (_, Some((_, krate, there))) => self.write(krate, there, direction),
                        (_, None) => self.write(found.krate, &name, direction),
                    }
                }
            },
            _ => panic!("{} has a type that has no form here: {name}", found.krate),
        }
    }
}

fn ours(krate: &str, name: &str) -> String {
    let exception = NAMES.iter().find(|(of, _)| *of == (krate, name));
    match (exception, krate) {
        (Some((_, ours)), _) => (*ours).to_owned(),
        (None, "pbx") => format!("WirePbx{name}"),
        (None, _) => format!("Wire{name}"),
    }
}

fn inside_option(ty: &Type) -> &Type {
    let Type::Path(path) = ty else { return ty };
    match path.path.segments.last() {
        Some(last) if last.ident == "Option" => match arguments(&last.arguments).as_slice() {
            [inner] => inner,
            _ => ty,
        },
        Some(_) | None => ty,
    }
}

fn arguments(arguments: &PathArguments) -> Vec<&Type> {
    let PathArguments::AngleBracketed(given) = arguments else {
        return Vec::new();
    };
    let mut types = Vec::new();
    for argument in &given.args {
        if let GenericArgument::Type(ty) = argument {
            types.push(ty);
        }
    }
    types
}

fn member(member: &Member) -> String {
    let mark = if member.optional { "?" } else { "" };
    format!("{}{mark}: {}", member.name, member.value)
}

fn line(members: &[Member]) -> String {
    let members: Vec<_> = members.iter().map(member).collect();
    match members.is_empty() {
        true => "{}".into(),
        false => format!("{{ {} }}", members.join("; ")),
    }
}

fn block(members: &[Member]) -> String {
    let members = members.iter().map(|one| format!("  {}\n", member(one)));
    format!("{{\n{}}}", members.collect::<String>())
}

fn union(choices: Vec<String>) -> String {
    let line = choices.join(" | ");
    match line.len() > WIDTH || line.contains('{') {
        true => choices
            .iter()
            .map(|choice| format!("\n  | {choice}"))
            .collect(),
        false => line,
    }
}

fn quoted(text: &str) -> String {
    format!("'{text}'")
}

/// The names of the options, object by object.
pub(crate) fn option_names<'a>(objects: impl Iterator<Item = (&'a str, &'a [String])>) -> String {
    let objects = objects.map(|(object, names)| {
        let names = names.iter().map(|name| format!("    {},\n", quoted(name)));
        let object = renamed(object, Some("camelCase"), true);
        format!("  {object}: [\n{}  ],\n", names.collect::<String>())
    });
    format!(
        "export const optionNames = {{\n{}}} as const\n",
        objects.collect::<String>()
    )
}
