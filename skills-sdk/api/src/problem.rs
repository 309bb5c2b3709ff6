//! The body of every error answer: RFC 9457 `application/problem+json`.

use serde::{Deserialize, Deserializer, Serialize};

use crate::Code;

/// One thing wrong with a request body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// JSON Pointer (RFC 6901) to the value; for a multipart body the name of the part comes first.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

impl FieldError {
    /// Something wrong with the member, parameter or part of this name.
    pub fn at(name: &str, detail: impl Into<String>) -> FieldError {
        FieldError { pointer: format!("/{}", name.replace('~', "~0").replace('/', "~1")), detail: detail.into() }
    }
}

/// The body of every error answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `https://clawos.dev/errors/` and the code.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub r#type: String,
    /// What this code means.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened here and what to do.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub detail: String,
    /// Stable, for programs.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = Code))]
    pub code: String,
    /// Whether the same request may succeed later.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub retryable: bool,
    /// Quote this when you report a problem.
    // Empty, and not written, where no server answered.
    #[serde(default, deserialize_with = "text_or_null", skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub request_id: String,
    /// Field by field, where the body was wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// The signed receipt (amount 0) of a call that ran and failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<clawos_receipts::SignedReceipt>))]
    pub receipt: Option<serde_json::Value>,
    /// Seconds that the server asked to wait, in its answer's `Retry-After` and not in its body.
    #[serde(skip)]
    pub retry_after_secs: Option<u64>,
}

/// Text; null is read as empty.
fn text_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl Problem {
    /// The problem of `code`, with its title, status and retryability.
    pub fn new(code: Code, detail: impl Into<String>, request_id: impl Into<String>) -> Problem {
        Problem {
            r#type: format!("https://clawos.dev/errors/{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            detail: detail.into(),
            code: code.as_str().to_owned(),
            retryable: code.retryable(),
            request_id: request_id.into(),
            errors: Vec::new(),
            receipt: None,
            retry_after_secs: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateways_problem_may_lack_all_but_the_status() {
        for text in [r#"{"status":502}"#, r#"{"status":502,"request_id":null}"#] {
            let problem: Problem = serde_json::from_str(text).expect(text);
            assert_eq!((problem.status, problem.code.as_str(), problem.request_id.as_str()), (502, "", ""));
            assert!(!problem.retryable && problem.errors.is_empty() && problem.receipt.is_none());
        }
        assert!(serde_json::from_str::<Problem>("{}").is_err());
    }
}
