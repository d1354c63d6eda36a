//! Reads what JavaScript gave, and names what is wrong as its user wrote it: `iceServers[0].urls`.
//!
//! What JSON can't carry comes as `{"\0": "a function"}`: an object with this one key says what stood there.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Value;

use super::error::{ConfigError, describe, foreign, shown_name};

/// Reads a value; `expected` says what it may be as a whole, and its type what is inside.
pub(super) fn read<T: DeserializeOwned>(
    path: &str,
    value: &Value,
    expected: &str,
) -> Result<T, ConfigError> {
    let given = |absent| Given {
        value,
        path: path.to_owned(),
        absent,
    };
    let first = match T::deserialize(given(None)) {
        Ok(read) => return Ok(read),
        Err(mismatch) => mismatch,
    };
    // What is not there has no reader that says what it may be: it is read again, as undefined.
    let mismatch = match (&first.missing, &first.path) {
        (Some(_), Some(absent)) => T::deserialize(given(Some(absent))).err(),
        (Some(_), None) | (None, _) => None,
    };
    let Mismatch {
        path: place,
        expected: inside,
        got,
        missing: _,
    } = mismatch.unwrap_or(first);
    match place {
        Some(place) if place != path => Err(ConfigError::new(place, inside, got)),
        Some(_) | None => Err(ConfigError::new(path, expected, describe(expected, value))),
    }
}

/// A value and where it stands.
#[derive(Clone)]
struct Given<'a> {
    value: &'a Value,
    path: String,
    /// What is read as if it were there and undefined.
    absent: Option<&'a str>,
}

/// What is wrong.
#[derive(Debug)]
struct Mismatch {
    /// Where, once that is known.
    path: Option<String>,
    expected: String,
    got: String,
    /// What an object has not.
    missing: Option<&'static str>,
}

impl Given<'_> {
    fn mismatch(&self, expected: impl Into<String>) -> Mismatch {
        let expected = expected.into();
        Mismatch {
            path: Some(self.path.clone()),
            got: self.description(&expected),
            expected,
            missing: None,
        }
    }

    fn description(&self, expected: &str) -> String {
        match self.absent == Some(self.path.as_str()) {
            true => "undefined".into(),
            false => describe(expected, self.value),
        }
    }

    /// Says where a reader's complaint belongs, unless it comes from further inside.
    fn here(&self, mut mismatch: Mismatch) -> Mismatch {
        if mismatch.path.is_none() {
            mismatch.path = Some(match mismatch.missing {
                Some(name) => self.member(name),
                None => self.path.clone(),
            });
            mismatch.got = match mismatch.missing {
                Some(_) => "undefined".into(),
                None => self.description(&mismatch.expected),
            };
        }
        mismatch
    }

    fn member(&self, name: &str) -> String {
        match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        }
    }
}

impl<'a> Given<'a> {
    fn inside(&self, path: String, value: &'a Value) -> Given<'a> {
        Given {
            value,
            path,
            absent: self.absent,
        }
    }

    fn any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if foreign(self.value).is_some() {
            let expected = Expectation(&visitor).to_string();
            return Err(self.mismatch(expected));
        }
        let here = self.clone();
        let read = match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, Some(number)) => visitor.visit_i64(number),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_str(text),
            Value::Array(members) => visitor.visit_seq(Members {
                list: self,
                members: members.iter(),
                index: 0,
            }),
            Value::Object(members) => {
                let prefix = self
                    .absent
                    .and_then(|path| path.strip_prefix(&self.member("")));
                let is_ours =
                    |name: &&str| !name.contains(['.', '[']) && !members.contains_key(*name);
                let absent = prefix.filter(is_ours);
                visitor.visit_map(Entries {
                    entries: members.iter(),
                    absent,
                    value: None,
                    object: self,
                })
            }
        };
        read.map_err(|mismatch| here.here(mismatch))
    }

    fn whole<'de, V: Visitor<'de>>(self, most: u64, visitor: V) -> Result<V::Value, Mismatch> {
        let number = self.value.as_u64().filter(|number| *number <= most);
        match number {
            Some(number) => visitor.visit_u64(number),
            None if most == u64::MAX => Err(self.mismatch("a whole number")),
            None => Err(self.mismatch(format!("a whole number from 0 to {most}"))),
        }
    }
}

/// What a visitor expects, as text.
struct Expectation<'a, V>(&'a V);

impl<'de, V: Visitor<'de>> fmt::Display for Expectation<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }
}

impl<'de> Deserializer<'de> for Given<'_> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.any(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.value.as_bool() {
            Some(value) => visitor.visit_bool(value),
            None => Err(self.mismatch("a boolean")),
        }
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.whole(u8::MAX.into(), visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.whole(u16::MAX.into(), visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.whole(u32::MAX.into(), visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.whole(u64::MAX, visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.value.as_str() {
            Some(text) => {
                let read = visitor.visit_str(text);
                read.map_err(|mismatch| self.here(mismatch))
            }
            None => Err(self.mismatch("a non-empty string")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_str(visitor)
    }

    // Null is a value like any other, and a wrong one: what is left out is not there.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.value.is_array() {
            true => self.any(visitor),
            false => Err(self.mismatch("an array")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match self.value.is_object() && foreign(self.value).is_none() {
            true => self.any(visitor),
            false => Err(self.mismatch(format!("an object with {}", fields.join(", ")))),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match self.value.as_str().filter(|text| variants.contains(text)) {
            Some(text) => {
                let word: StrDeserializer<'_, Mismatch> = text.into_deserializer();
                visitor.visit_enum(word)
            }
            None => {
                let words: Vec<_> = variants.iter().map(|word| format!("'{word}'")).collect();
                Err(self.mismatch(format!("one of {}", words.join(", "))))
            }
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct map identifier
        ignored_any
    }
}

/// The members of a list.
struct Members<'a> {
    list: Given<'a>,
    members: std::slice::Iter<'a, Value>,
    index: usize,
}

impl<'de> SeqAccess<'de> for Members<'_> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mismatch> {
        let Some(member) = self.members.next() else {
            return Ok(None);
        };
        let path = format!("{}[{}]", self.list.path, self.index);
        self.index += 1;
        seed.deserialize(self.list.inside(path, member)).map(Some)
    }
}

/// The members of an object.
struct Entries<'a> {
    object: Given<'a>,
    entries: serde_json::map::Iter<'a>,
    absent: Option<&'a str>,
    value: Option<Given<'a>>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Mismatch;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Mismatch> {
        let (name, value) = match (self.entries.next(), self.absent.take()) {
            (Some((name, value)), absent) => {
                self.absent = absent;
                (name.as_str(), value)
            }
            (None, Some(absent)) => (absent, &Value::Null),
            (None, None) => return Ok(None),
        };
        let place = self.object.member(&shown_name(name));
        self.value = Some(self.object.inside(place, value));
        let word: StrDeserializer<'_, Mismatch> = name.into_deserializer();
        let unknown = |mismatch: Mismatch| Mismatch {
            path: Some(self.object.member(&shown_name(name))),
            got: "unknown".into(),
            ..mismatch
        };
        seed.deserialize(word).map(Some).map_err(unknown)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mismatch> {
        match self.value.take() {
            Some(value) => seed.deserialize(value),
            None => Err(Mismatch::custom("a value behind its name")),
        }
    }
}

impl Error for Mismatch {
    fn custom<T: fmt::Display>(expected: T) -> Self {
        Self {
            path: None,
            expected: expected.to_string(),
            got: String::new(),
            missing: None,
        }
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(expected)
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(expected)
    }

    fn unknown_field(_: &str, known: &'static [&'static str]) -> Self {
        Self::custom(format_args!("one of {}", known.join(", ")))
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            missing: Some(field),
            ..Self::custom("given")
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "must be {}, but is {}", self.expected, self.got)
    }
}

impl std::error::Error for Mismatch {}
