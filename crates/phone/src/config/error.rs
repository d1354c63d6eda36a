use std::fmt;

use serde_json::Value;

/// An option that can't be used; its text is what the application sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The option's name in JavaScript, such as `tls.ca`.
    pub option: String,
    /// What it may be.
    pub expected: String,
    /// What it was: its type, and its value only if that can't be a secret.
    pub got: String,
    text: Option<&'static str>,
}

impl ConfigError {
    /// An option of a wrong type or value.
    pub fn new(
        option: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Self {
        Self {
            option: option.into(),
            expected: expected.into(),
            got: got.into(),
            text: None,
        }
    }

    /// A missing option for which PureCloud's SDK has a text of its own.
    pub(crate) fn missing(option: &str, expected: &str, text: &'static str) -> Self {
        Self {
            text: Some(text),
            ..Self::new(option, expected, "nothing")
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text {
            Some(text) => f.write_str(text),
            None => write!(
                f,
                "Option '{}' must be {}, but is {}",
                self.option, self.expected, self.got
            ),
        }
    }
}

impl std::error::Error for ConfigError {}

/// The key of an object that stands for what JSON can't carry: `{"\0": "a function"}`.
const FOREIGN: &str = "\0";

/// Of a name that an error shows: no option is called longer.
const LONGEST_SHOWN: usize = 128;

/// What stands for something that JSON can't carry, in words.
pub(super) fn foreign(value: &Value) -> Option<&str> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    object.get(FOREIGN)?.as_str()
}

/// A name that somebody gave, on one line and not longer than names are.
pub(super) fn shown_name(name: &str) -> String {
    name.escape_debug().take(LONGEST_SHOWN).collect()
}

/// Names a value's type. Booleans are shown, and numbers if one is expected: anything else may be a secret that came so.
pub(super) fn describe(expected: &str, value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(value) => format!("the boolean {value}"),
        Value::Number(value) if expected.contains("number") => format!("the number {value}"),
        Value::Number(_) => "a number".into(),
        Value::String(value) if value.is_empty() => "an empty string".into(),
        Value::String(_) => "a string".into(),
        Value::Array(members) if members.is_empty() => "an empty array".into(),
        Value::Array(_) => "an array".into(),
        Value::Object(_) => foreign(value).unwrap_or("an object").into(),
    }
}
