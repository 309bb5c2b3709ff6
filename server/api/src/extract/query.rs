//! Query strings: every parameter known, there once, and readable; what is wrong is told by its name.

use std::fmt;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use clawos_api::{Code, FieldError};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::params::NUL;
use crate::ApiError;

/// Query parameters; their type must refuse unknown ones.
#[derive(Debug)]
pub struct Query<T>(
    /// Their values.
    pub T,
);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        if parts.uri.query().is_some_and(|query| query.contains(NUL)) {
            return Err(ApiError::new(Code::ValidationFailed, "The query contains a NUL character."));
        }
        let pairs = axum::extract::Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let axum::extract::Query(pairs) = pairs.map_err(|rejection| {
            ApiError::new(Code::QueryInvalid, "The query string must be `name=value` pairs.").caused_by(rejection)
        })?;
        Ok(Query(read(pairs)?))
    }
}

fn read<T: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<T, QueryError> {
    T::deserialize(MapAccessDeserializer::new(Pairs { rest: pairs.into_iter(), read: None }))
}

/// Why a query cannot be read.
#[derive(Debug)]
enum QueryError {
    /// A parameter that the endpoint does not take, and those that it takes.
    Unknown(String, &'static [&'static str]),
    /// One that is there twice.
    Repeated(&'static str),
    /// One that has to be there.
    Missing(&'static str),
    /// A value outside what is allowed: of which parameter (empty until it is known), and why.
    Value(String, String),
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(_, []) => write!(f, "is not a parameter of this endpoint, which takes none"),
            Self::Unknown(_, known) => write!(f, "is not a parameter of this endpoint; it takes {}", known.join(", ")),
            Self::Repeated(_) => write!(f, "must be there once"),
            Self::Missing(_) => write!(f, "must be there"),
            Self::Value(_, detail) => write!(f, "{detail}"),
        }
    }
}

impl std::error::Error for QueryError {}

impl de::Error for QueryError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Value(String::new(), message.to_string())
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::Unknown(field.to_owned(), expected)
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::Value(String::new(), format!("must be one of {}", expected.join(", ")))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::Repeated(field)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        let detail = error.to_string();
        let (code, name) = match error {
            QueryError::Unknown(name, _) => (Code::QueryInvalid, name),
            QueryError::Repeated(name) | QueryError::Missing(name) => (Code::QueryInvalid, name.to_owned()),
            QueryError::Value(name, _) => (Code::ValidationFailed, name),
        };
        let field = FieldError::at(&name, detail.clone());
        ApiError::new(code, format!("The parameter `{name}` {detail}.")).with_errors(vec![field])
    }
}

impl QueryError {
    /// The same, of the parameter with this name.
    fn of(self, name: String) -> Self {
        match self {
            Self::Value(known, detail) if known.is_empty() => Self::Value(name, detail),
            other => other,
        }
    }
}

/// The parameters, one after another.
struct Pairs {
    rest: std::vec::IntoIter<(String, String)>,
    /// The one whose name was read.
    read: Option<(String, String)>,
}

impl<'de> MapAccess<'de> for Pairs {
    type Error = QueryError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, QueryError> {
        self.read = self.rest.next();
        self.read.as_ref().map(|(name, _)| seed.deserialize(name.as_str().into_deserializer())).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, QueryError> {
        let (name, value) = self.read.take().ok_or_else(|| de::Error::custom("a value has a name before it"))?;
        seed.deserialize(Text(value)).map_err(|error| error.of(name))
    }
}

/// One parameter's text, as whatever is asked for.
struct Text(String);

impl Text {
    fn parse<T: FromStr>(&self, form: &str) -> Result<T, QueryError> {
        self.0.parse().map_err(|_| de::Error::custom(format_args!("must be {form}")))
    }
}

impl<'de> Deserializer<'de> for Text {
    type Error = QueryError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_some(self)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_bool(self.parse("true or false")?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_u32(self.parse("a whole number below 2^32")?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_u64(self.parse("a whole number below 2^64")?)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 u8 u16 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}
