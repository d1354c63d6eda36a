//! The types of the crates that have a form in JSON.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, Item, ItemEnum, ItemStruct, LitStr, Macro, Token, Type, UseTree};

use crate::serde_attributes::{SerdeAttributes, renamed};

/// One type with a form in JSON.
pub(crate) enum Shape {
    Struct(ItemStruct),
    Enum(ItemEnum),
    /// One of some texts.
    Texts(Vec<String>),
}

/// What `lib` adds to what its user gave.
const LIBS_OWN: &str = "renewable";

/// The objects in lists of options, which serde reads by itself.
const IN_LISTS: [&str; 2] = ["IceServer", "WeightedServer"];

type Use = (String, &'static str, String);
type Uses = Rc<[Use]>;

/// The crates whose types may cross, in the order in which a name is looked for.
const CRATES: [&str; 4] = ["phone", "runtime", "pbx", "preflight"];

/// One type and where it stands.
pub(crate) struct Found {
    pub(crate) krate: &'static str,
    pub(crate) shape: Shape,
    /// What its file takes from another of these crates: the name here, the crate, the name there.
    pub(crate) uses: Uses,
}

/// What the crates have.
pub(crate) struct Types {
    /// By crate and name; several if a crate has more than one of a name.
    found: BTreeMap<(&'static str, String), Vec<Found>>,
    /// The objects of options, in the order of the source, each with the names of its options.
    options: Vec<(String, Vec<String>)>,
}

impl Types {
    pub(crate) fn read(crates: &Path) -> Self {
        let mut types = Self {
            found: BTreeMap::new(),
            options: Vec::new(),
        };
        for krate in CRATES {
            types.read_folder(krate, &crates.join(krate).join("src"));
        }
        types
    }

    /// The type of this name in a crate.
    pub(crate) fn get(&self, krate: &str, name: &str) -> &Found {
        let own = CRATES.iter().filter(|one| **one == krate);
        let others = CRATES.iter().filter(|one| **one != krate);
        for place in own.chain(others) {
            match self
                .found
                .get(&(*place, name.to_owned()))
                .map(Vec::as_slice)
            {
                Some([found]) => return found,
                Some(_) => panic!("{place} has several types {name} with a form in JSON"),
                None => {}
            }
        }
        panic!("no type {name} with a form in JSON, which {krate} needs")
    }

    /// The objects of options, each with the names of its options.
    pub(crate) fn options(&self) -> impl Iterator<Item = (&str, &[String])> {
        let objects = self.options.iter();
        objects.map(|(object, names)| (object.as_str(), names.as_slice()))
    }

    fn read_folder(&mut self, krate: &'static str, folder: &Path) {
        let entries = std::fs::read_dir(folder).expect("the sources are there");
        let mut paths: Vec<_> = entries
            .map(|entry| entry.expect("it is read").path())
            .collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                self.read_folder(krate, &path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).expect("it is text");
                let file = syn::parse_file(&text)
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                let mut uses = Vec::new();
                for item in &file.items {
                    if let Item::Use(item) = item {
                        collect(&item.tree, None, &mut uses);
                    }
                }
                self.read_items(krate, &Rc::from(uses), file.items);
            }
        }
    }

    fn read_items(&mut self, krate: &'static str, uses: &Uses, items: Vec<Item>) {
        for item in items {
            if let Item::Struct(item) = item {
                if IN_LISTS.iter().any(|name| item.ident == name) {
                    self.options.push((item.ident.to_string(), members(&item)));
                }
                if has_form(&item.attrs) {
                    self.add(krate, uses, item.ident.to_string(), Shape::Struct(item));
                }
            } else if let Item::Enum(item) = item {
                if has_form(&item.attrs) {
                    self.add(krate, uses, item.ident.to_string(), Shape::Enum(item));
                }
            } else if let Item::Mod(item) = item {
                let is_test = item.attrs.iter().any(|one| one.path().is_ident("cfg"));
                if let (false, Some((_, items))) = (is_test, item.content) {
                    self.read_items(krate, uses, items);
                }
            } else if let Item::Macro(item) = item {
                self.read_macro(krate, uses, item.mac);
            }
        }
    }

    // The macros that make types with a form in JSON.
    fn read_macro(&mut self, krate: &'static str, uses: &Uses, called: Macro) {
        if called.path.is_ident("options") {
            let options: OptionsMacro =
                syn::parse2(called.tokens).expect("options! has its own form");
            let users = options.members.into_iter().filter(|name| name != LIBS_OWN);
            self.options.push((options.name, users.collect()));
        } else if called.path.is_ident("conditions") {
            let texts: TextsMacro =
                syn::parse2(called.tokens).expect("conditions! has its own form");
            self.add(krate, uses, "Condition".into(), Shape::Texts(texts.0));
        } else if called.path.is_ident("codes") {
            let texts: TextsMacro = syn::parse2(called.tokens).expect("codes! has its own form");
            self.add(krate, uses, "CheckCode".into(), Shape::Texts(texts.0));
        }
    }

    fn add(&mut self, krate: &'static str, uses: &Uses, name: String, shape: Shape) {
        let uses = Rc::clone(uses);
        let found = Found { krate, shape, uses };
        self.found.entry((krate, name)).or_default().push(found);
    }
}

/// Collects what a `use` takes from one of these crates.
fn collect(tree: &UseTree, from: Option<&'static str>, uses: &mut Vec<Use>) {
    match tree {
        UseTree::Path(path) => {
            let krate = CRATES.into_iter().find(|krate| path.ident == krate);
            collect(&path.tree, from.or(krate), uses);
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                collect(tree, from, uses);
            }
        }
        UseTree::Name(name) => {
            let name = name.ident.to_string();
            uses.extend(from.map(|krate| (name.clone(), krate, name.clone())));
        }
        UseTree::Rename(renamed) => uses.extend(
            from.map(|krate| (renamed.rename.to_string(), krate, renamed.ident.to_string())),
        ),
        // What comes by a glob is looked for in every crate.
        UseTree::Glob(_) => {}
    }
}

fn members(item: &ItemStruct) -> Vec<String> {
    let rule = SerdeAttributes::of(&item.attrs).rename_all;
    let names = item.fields.iter().filter_map(|field| field.ident.as_ref());
    names
        .map(|name| renamed(&name.to_string(), rule.as_deref(), false))
        .collect()
}

fn has_form(attributes: &[Attribute]) -> bool {
    let derives = attributes
        .iter()
        .filter(|one| one.path().is_ident("derive"));
    derives.into_iter().any(|derive| {
        let paths = derive.parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated);
        paths.is_ok_and(|paths| {
            paths.iter().any(|path| {
                let last = path
                    .segments
                    .last()
                    .map(|segment| segment.ident.to_string());
                matches!(last.as_deref(), Some("Serialize" | "Deserialize"))
            })
        })
    })
}

struct OptionsMacro {
    name: String,
    members: Vec<String>,
}

impl Parse for OptionsMacro {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Attribute::parse_outer(input)?;
        let name = input.parse::<Ident>()?.to_string();
        let body;
        syn::braced!(body in input);
        let mut members = Vec::new();
        while !body.is_empty() {
            Attribute::parse_outer(&body)?;
            body.parse::<Ident>()?;
            body.parse::<Token![,]>()?;
            let option = body.parse::<LitStr>()?.value();
            body.parse::<Token![:]>()?;
            body.parse::<Type>()?;
            body.parse::<Token![=]>()?;
            body.parse::<LitStr>()?;
            body.parse::<Token![;]>()?;
            members.push(option);
        }
        Ok(Self { name, members })
    }
}

struct TextsMacro(Vec<String>);

impl Parse for TextsMacro {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut texts = Vec::new();
        while !input.is_empty() {
            Attribute::parse_outer(input)?;
            input.parse::<Ident>()?;
            input.parse::<Token![=]>()?;
            texts.push(input.parse::<LitStr>()?.value());
            input.parse::<Token![,]>()?;
        }
        Ok(Self(texts))
    }
}
