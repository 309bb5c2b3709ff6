//! One call: from JSON text to the author's function and back.

use serde::{Serialize, de::DeserializeOwned};

use crate::{Context, SkillError};

/// A skill, as [`skill`](macro@crate::skill) implements it.
pub trait Skill {
    /// Answers one call, exactly as the sandbox does: `payload` is the JSON text of the endpoint's input, the
    /// answer that of its output.
    ///
    /// # Errors
    /// `NotFound` for an unknown endpoint, `BadRequest` for a payload that is not the endpoint's input, and what
    /// the endpoint itself says.
    fn run(endpoint: &str, payload: &str, context: &Context) -> Result<String, SkillError>;

    /// The JSON Schemas of every endpoint, in the order in which they are written.
    #[cfg(not(target_family = "wasm"))]
    fn schemas() -> Vec<crate::schema::EndpointSchemas>;
}

/// Reads the payload, calls the endpoint, writes its answer.
///
/// # Errors
/// As [`Skill::run`] says.
pub fn call<I: DeserializeOwned, O: Serialize>(
    payload: &str,
    context: &Context,
    endpoint: fn(I, &Context) -> Result<O, SkillError>,
) -> Result<String, SkillError> {
    let mut json = serde_json::Deserializer::from_str(payload);
    let input = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { String::new() } else { format!(" at `{path}`") };
        SkillError::bad_request(format!("payload{place}: {}", error.into_inner()))
    })?;
    json.end().map_err(|error| SkillError::bad_request(format!("payload: {error}")))?;
    let output = endpoint(input, context)?;
    serde_json::to_string(&output).map_err(|error| SkillError::internal(format!("output cannot be written: {error}")))
}

/// The answer to a call of an endpoint that does not exist.
pub fn no_endpoint(endpoint: &str, known: &[&str]) -> SkillError {
    SkillError::not_found(format!("no endpoint `{endpoint}`; there is {}", known.join(", ")))
}

/// What the component's `run` does.
///
/// # Errors
/// As [`Skill::run`] says.
#[cfg(target_family = "wasm")]
pub fn answer<S: Skill>(
    endpoint: &str,
    payload: &str,
    context: crate::bindings::Context,
) -> Result<String, crate::bindings::SkillError> {
    use crate::ErrorCode;
    use crate::bindings::{SkillError as WireError, clawos::skill::types::ErrorCode as WireCode};

    // A trap says nothing; the host tells the author what was logged last.
    std::panic::set_hook(Box::new(|panic| crate::log::error(panic)));
    S::run(endpoint, payload, &context.into()).map_err(|error| {
        if let Some(cause) = error.cause() {
            crate::log::error(cause);
        }
        let code = match error.code {
            ErrorCode::BadRequest => WireCode::BadRequest,
            ErrorCode::NotFound => WireCode::NotFound,
            ErrorCode::Unavailable => WireCode::Unavailable,
            ErrorCode::Internal => WireCode::Internal,
        };
        WireError { code, message: error.message }
    })
}
