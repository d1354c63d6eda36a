use std::borrow::Cow;
use std::fmt;

use super::HeaderFault;
use super::grammar::{
    PARAM_VALUE, TOKEN, is_param_value, quoted_length, run, token_length, trim_start, unquote,
    write_quoted,
};

/// The `;name=value` parameters of a header, kept as they were written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params<'a> {
    text: Cow<'a, str>,
}

impl<'a> Params<'a> {
    /// Checks `text`, which is empty or starts with `;`.
    ///
    /// One `;` with nothing after it is let through at the end, as several devices write it.
    pub fn parse(text: &'a str) -> Result<Self, HeaderFault> {
        Self::check(text)?;
        Ok(Self::checked(text))
    }

    /// Whether `text` can be parsed.
    pub(super) fn check(text: &str) -> Result<(), HeaderFault> {
        if text.is_empty() {
            return Ok(());
        }
        let mut at = text.len() - trim_start(text).len();
        while at < text.len() {
            at = match plain_end(text.as_bytes(), at) {
                Some(end) => end,
                None => text.len() - check_one(&text[at..])?.len(),
            };
        }
        Ok(())
    }

    /// The parameters in a text that passed [`Params::check`].
    pub(super) fn checked(text: &'a str) -> Self {
        Self {
            text: Cow::Borrowed(text),
        }
    }

    /// Value of the parameter `name` (any case), without quotes but with its escapes; an empty
    /// text if it has no value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).map(|value| {
            value
                .strip_prefix('"')
                .and_then(|v| v.strip_suffix('"'))
                .unwrap_or(value)
        })
    }

    /// Value of the parameter `name` as written, quotes included.
    pub fn raw(&self, name: &str) -> Option<&str> {
        if self.text.is_empty() {
            return None;
        }
        self.iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.unwrap_or_default())
    }

    /// Value of the parameter `name`, without quotes and escapes.
    pub fn unquoted(&self, name: &str) -> Option<Cow<'_, str>> {
        self.raw(name).map(unquote)
    }

    /// Whether there is a parameter `name`, with or without a value.
    pub fn contains(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// The parameters in order: name, and value as written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        ParamIter { rest: &self.text }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Sets a parameter in place or at the end; a value that is no token becomes a quoted string,
    /// and an empty one stands for none.
    pub fn set(&mut self, name: &str, value: &str) {
        let mut text = String::with_capacity(self.text.len() + name.len() + value.len() + 4);
        let mut done = false;
        for (key, old) in self.iter() {
            if !key.eq_ignore_ascii_case(name) {
                push_param(&mut text, key, old);
            } else if !done {
                push_value(&mut text, name, value);
                done = true;
            }
        }
        if !done {
            push_value(&mut text, name, value);
        }
        self.text = Cow::Owned(text);
    }

    /// Removes every parameter `name`.
    pub fn remove(&mut self, name: &str) {
        if !self.contains(name) {
            return;
        }
        let mut text = String::with_capacity(self.text.len());
        for (key, value) in self.iter() {
            if !key.eq_ignore_ascii_case(name) {
                push_param(&mut text, key, value);
            }
        }
        self.text = Cow::Owned(text);
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Params<'static> {
        Params {
            text: Cow::Owned(self.text.into_owned()),
        }
    }
}

impl fmt::Display for Params<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.trim_end_matches([';', ' ', '\t']))
    }
}

fn push_param(text: &mut String, name: &str, value: Option<&str>) {
    text.push(';');
    text.push_str(name);
    if let Some(value) = value {
        text.push('=');
        text.push_str(value);
    }
}

fn push_value(text: &mut String, name: &str, value: &str) {
    if value.is_empty() {
        return push_param(text, name, None);
    }
    if value.bytes().all(is_param_value) {
        return push_param(text, name, Some(value));
    }
    push_param(text, name, Some(""));
    write_quoted(text, value).expect("a String takes everything");
}

/// Checks the parameter that `text` starts with and returns what follows it.
fn check_one(text: &str) -> Result<&str, HeaderFault> {
    let body = text.strip_prefix(';').ok_or(HeaderFault::Parameter)?;
    let body = trim_start(body);
    if body.is_empty() {
        return Ok(body);
    }
    let (name, _, rest) = split_one(body).ok_or(HeaderFault::Parameter)?;
    (!name.is_empty())
        .then_some(rest)
        .ok_or(HeaderFault::Parameter)
}

/// Where the parameter ends whose `;` is at `at`, if no white space or quote is in it.
fn plain_end(bytes: &[u8], at: usize) -> Option<usize> {
    let name = at + 1;
    let mut end = run(bytes, name, TOKEN);
    let mut empty = end == name;
    if bytes.get(end) == Some(&b'=') {
        let value = end + 1;
        end = run(bytes, value, PARAM_VALUE);
        empty |= end == value;
    }
    let ends = bytes.get(end).is_none_or(|b| *b == b';');
    (bytes[at] == b';' && ends && !empty).then_some(end)
}

/// Splits `name[=value]` where the value is no quoted string and no white space stands between:
/// what nearly every parameter is.
fn split_plain(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let bytes = text.as_bytes();
    let name = token_length(text);
    match bytes.get(name) {
        None | Some(b';') => Some((&text[..name], None, &text[name..])),
        Some(b'=') => {
            let value = name + 1;
            let end = value + value_length(&text[value..]);
            let ends = bytes.get(end).is_none_or(|b| *b == b';');
            let plain = ends && end > value;
            plain.then(|| (&text[..name], Some(&text[value..end]), &text[end..]))
        }
        Some(_) => None,
    }
}

/// Splits `name [= value]`, white space allowed around `=`, from the text up to the next `;`.
fn split_one(text: &str) -> Option<(&str, Option<&str>, &str)> {
    if let Some(plain) = split_plain(text) {
        return Some(plain);
    }
    let (name, after) = text.split_at(token_length(text));
    let after = trim_start(after);
    let Some(value) = after.strip_prefix('=') else {
        let clean = after.is_empty() || after.starts_with(';');
        return clean.then_some((name, None, after));
    };
    let value = trim_start(value);
    let length = match value.as_bytes().first() {
        Some(b'"') => quoted_length(value)?,
        Some(_) | None => value_length(value),
    };
    let (value, rest) = value.split_at(length);
    let rest = trim_start(rest);
    (rest.is_empty() || rest.starts_with(';')).then_some((name, Some(value), rest))
}

fn value_length(text: &str) -> usize {
    run(text.as_bytes(), 0, PARAM_VALUE)
}

struct ParamIter<'p> {
    rest: &'p str,
}

impl<'p> Iterator for ParamIter<'p> {
    type Item = (&'p str, Option<&'p str>);

    fn next(&mut self) -> Option<Self::Item> {
        let body = trim_start(trim_start(self.rest).strip_prefix(';')?);
        let (name, value, rest) = split_one(body)?;
        self.rest = rest;
        (!name.is_empty()).then_some((name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_quotes_and_flags_are_read() {
        let text = " ; tag = a1 ;lr;x=\"a;b=\\\"c\"; host=[2001:db8::1]:5060";
        let params = Params::parse(text).unwrap();
        assert_eq!(params.get("TAG"), Some("a1"));
        assert_eq!(params.get("lr"), Some(""));
        assert_eq!(params.unquoted("x").as_deref(), Some("a;b=\"c"));
        assert_eq!(params.get("host"), Some("[2001:db8::1]:5060"));
        assert_eq!(params.get("b"), None);
        assert_eq!(params.to_string(), text);
    }

    #[test]
    fn an_empty_parameter_in_the_middle_is_refused() {
        assert!(Params::parse(";;a=1").is_err());
        assert!(Params::parse(";a=1;;").is_err());
        assert!(Params::parse(";a=\"open").is_err());
        assert!(Params::parse(";a=1 2").is_err());
        assert!(Params::parse(";=1").is_err());
        assert!(Params::parse(";a=1;").is_ok());
    }

    #[test]
    fn setting_keeps_the_others_as_they_were() {
        let mut params = Params::parse(";a=\"x y\";B;tag=1").unwrap();
        params.set("TAG", "2");
        params.set("b", "");
        params.set("text", "two words");
        assert_eq!(params.to_string(), ";a=\"x y\";b;TAG=2;text=\"two words\"");
        params.remove("A");
        assert_eq!(params.to_string(), ";b;TAG=2;text=\"two words\"");
    }
}
