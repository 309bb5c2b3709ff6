//! What an endpoint is told about the call it answers.

/// The call that an endpoint answers: an optional second argument of an endpoint's function.
///
/// Every value is in the call's receipt, so a replay gets the same ones.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Context {
    /// The receipt's id: `run_` and 32 hexadecimal digits.
    pub call_id: String,
    /// The tier of the caller's licence: `personal`, `commercial` or `enterprise`. None for a call without a licence:
    /// of a free skill, a free trial call, or one of the skill's own publisher.
    pub tier: Option<String>,
    /// Fuel that the call may use.
    pub fuel_limit: u64,
    /// Bytes that all memories and tables together may take.
    pub memory_limit: u64,
}

/// A call for tests on the host: an id of zeros, no licence, and the limits of a manifest that sets none.
impl Default for Context {
    fn default() -> Self {
        Self {
            call_id: "run_00000000000000000000000000000000".to_owned(),
            tier: None,
            fuel_limit: 1_000_000_000,
            memory_limit: 64 << 20,
        }
    }
}

#[cfg(target_family = "wasm")]
impl From<crate::bindings::Context> for Context {
    fn from(context: crate::bindings::Context) -> Self {
        let crate::bindings::Context { call_id, tier, fuel_limit, memory_limit } = context;
        Self { call_id, tier, fuel_limit, memory_limit }
    }
}
