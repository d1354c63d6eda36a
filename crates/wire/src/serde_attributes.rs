//! What `#[serde(…)]` says.

use syn::{Attribute, LitStr, Token};

/// What serde is told of a type, a variant or a field.
#[derive(Debug, Default)]
pub(crate) struct SerdeAttributes {
    pub(crate) rename: Option<String>,
    pub(crate) rename_all: Option<String>,
    pub(crate) rename_all_fields: Option<String>,
    pub(crate) tag: Option<String>,
    pub(crate) untagged: bool,
    pub(crate) flatten: bool,
    /// It may be left out on its way in.
    pub(crate) default: bool,
    /// It may be left out on its way out.
    pub(crate) skipped: bool,
    pub(crate) serialized_with: Option<String>,
}

impl SerdeAttributes {
    pub(crate) fn of(attributes: &[Attribute]) -> Self {
        let mut found = Self::default();
        for attribute in attributes.iter().filter(|one| one.path().is_ident("serde")) {
            attribute
                .parse_nested_meta(|meta| {
                    let name = meta.path.require_ident()?.to_string();
                    let value = match meta.input.peek(Token![=]) {
                        true => Some(meta.value()?.parse::<LitStr>()?.value()),
                        false => None,
                    };
                    found.learn(&name, value);
                    Ok(())
                })
                .expect("serde's attributes are names and texts");
        }
        found
    }

    fn learn(&mut self, name: &str, value: Option<String>) {
        match name {
            "rename" => self.rename = value,
            "rename_all" => self.rename_all = value,
            "rename_all_fields" => self.rename_all_fields = value,
            "tag" => self.tag = value,
            "untagged" => self.untagged = true,
            "flatten" => self.flatten = true,
            "default" => self.default = true,
            "skip_serializing_if" => self.skipped = true,
            "serialize_with" => self.serialized_with = value,
            // What these change is not seen from outside: a newtype is its inner type anyway, and numbers stay numbers.
            "transparent" | "deny_unknown_fields" | "deserialize_with" | "expecting" => {}
            other => panic!("serde's attribute '{other}' is not known here"),
        }
    }
}

/// A name as serde writes it under a rule.
pub(crate) fn renamed(name: &str, rule: Option<&str>, is_variant: bool) -> String {
    let words: Vec<String> = match is_variant {
        true => words_of_pascal(name),
        false => name.split('_').map(str::to_owned).collect(),
    };
    match rule {
        None => name.to_owned(),
        Some("camelCase") => camel(&words),
        Some("lowercase") => words.concat(),
        Some("kebab-case") => words.join("-"),
        Some("snake_case") => words.join("_"),
        Some(other) => panic!("serde's rule '{other}' is not known here"),
    }
}

// As serde does: a word begins with each capital letter, and digits belong to the word before.
fn words_of_pascal(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for letter in name.chars() {
        match words.last_mut() {
            Some(word) if !letter.is_uppercase() => word.push(letter),
            Some(_) | None => words.push(letter.to_ascii_lowercase().to_string()),
        }
    }
    words
}

fn camel(words: &[String]) -> String {
    let mut text = String::new();
    for word in words {
        match text.is_empty() {
            true => text.push_str(word),
            false => {
                let mut letters = word.chars();
                text.extend(letters.next().map(|first| first.to_ascii_uppercase()));
                text.push_str(letters.as_str());
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_serde_writes_them() {
        let variants = [
            ("SendDtmf", "camelCase", "sendDtmf"),
            ("Rfc4733", "lowercase", "rfc4733"),
            ("NotifyTalk", "kebab-case", "notify-talk"),
            ("InvalidToken", "snake_case", "invalid_token"),
        ];
        for (name, rule, written) in variants {
            assert_eq!(renamed(name, Some(rule), true), written);
        }
        assert_eq!(
            renamed("early_media", Some("camelCase"), false),
            "earlyMedia"
        );
        assert_eq!(renamed("q850", Some("camelCase"), false), "q850");
        assert_eq!(renamed("Lose", None, true), "Lose");
    }

    #[test]
    fn what_is_not_known_is_named() {
        let item: syn::ItemStruct = syn::parse_quote!(
            #[serde(getter = "x")]
            struct A;
        );
        let refused = std::panic::catch_unwind(|| SerdeAttributes::of(&item.attrs));
        let told = refused.unwrap_err().downcast::<String>().unwrap();
        assert!(told.contains("'getter'"), "{told}");
    }
}
