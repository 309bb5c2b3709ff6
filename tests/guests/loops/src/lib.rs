//! A guest that misbehaves on request: for the system tests, and for the demo's runaway module.

use clawos_skill::{Context, SkillError, clock, log, progress, random, skill};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The skill.
pub struct Loops;

/// Nothing.
#[derive(Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// How often.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// How many rounds.
    pub times: u32,
}

/// What came of it.
#[derive(Serialize, JsonSchema)]
pub struct Done {
    /// A number that depends on every round.
    pub value: u32,
}

/// A refusal to make.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Its code.
    pub code: Code,
    /// Its message.
    pub message: String,
}

/// The codes of a refusal.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The payload is at fault.
    BadRequest,
    /// Something does not exist.
    NotFound,
    /// Something is not there now.
    Unavailable,
    /// The skill is at fault.
    Internal,
}

/// A number that is promised to be small.
#[derive(Serialize, JsonSchema)]
pub struct Small {
    /// The number.
    #[schemars(range(max = 10))]
    pub number: u32,
}

/// How many random bytes to return.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bytes {
    /// How many.
    #[schemars(range(max = 1024))]
    pub bytes: u16,
}

/// A number in digits.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Digits {
    /// The digits.
    pub digits: String,
}

/// What the call was given.
#[derive(Serialize, JsonSchema)]
pub struct Given {
    /// The call's time in milliseconds since 1970-01-01 UTC, as decimal text.
    pub now_ms: String,
    /// The time again, later in the call.
    pub later_ms: String,
    /// Random bytes in lower-case hexadecimal.
    pub random: String,
}

/// What the call was told about itself.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Told {
    /// Its id.
    pub call_id: String,
    /// The tier of the caller's licence.
    pub tier: Option<String>,
    /// Fuel it may use, as decimal text.
    pub fuel_limit: String,
    /// Bytes of memory it may use, as decimal text.
    pub memory_limit: String,
}

#[skill]
impl Loops {
    /// Never ends.
    pub fn spin(_: Nothing) -> Result<Done, SkillError> {
        let mut value = 0;
        loop {
            value = round(value);
        }
    }

    /// Is busy for as many rounds as asked.
    pub fn sleepless(input: Times) -> Result<Done, SkillError> {
        let value = (0..input.times).fold(0, |value, _| round(value));
        // The high half: the low bits of such a generator hardly change.
        Ok(Done { value: (value >> 32) as u32 })
    }

    /// Returns any JSON as it came.
    pub fn echo(input: serde_json::Value) -> Result<serde_json::Value, SkillError> {
        Ok(input)
    }

    /// Refuses, as asked.
    pub fn fail(input: Refusal) -> Result<Nothing, SkillError> {
        Err(match input.code {
            Code::BadRequest => SkillError::bad_request(input.message),
            Code::NotFound => SkillError::not_found(input.message),
            Code::Unavailable => SkillError::unavailable(input.message),
            Code::Internal => SkillError::internal(input.message),
        })
    }

    /// Reads a number; what is none is refused with the error of the standard library.
    pub fn read_number(input: Digits) -> Result<Done, SkillError> {
        Ok(Done { value: input.digits.parse()? })
    }

    /// Panics.
    pub fn trap(_: Nothing) -> Result<Nothing, SkillError> {
        panic!("asked to trap");
    }

    /// Answers with what its schema forbids.
    pub fn bad_output(_: Nothing) -> Result<Small, SkillError> {
        Ok(Small { number: 11 })
    }

    /// Logs as many lines of 100 bytes as asked.
    pub fn noise(input: Times) -> Result<Done, SkillError> {
        for line in 0..input.times {
            log::info(format_args!("{line:0>100}"));
        }
        Ok(Done { value: input.times })
    }

    /// Returns the call's time and random bytes.
    pub fn clock_random(input: Bytes) -> Result<Given, SkillError> {
        let now_ms = clock::now_ms().to_string();
        let random = random::bytes(usize::from(input.bytes));
        let random = random.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Given { now_ms, random, later_ms: clock::now_ms().to_string() })
    }

    /// Reports progress, and returns what the call was told about itself.
    pub fn context(_: Nothing, context: &Context) -> Result<Told, SkillError> {
        progress::report(1, 1, "reading the context");
        Ok(Told {
            call_id: context.call_id.clone(),
            tier: context.tier.clone(),
            fuel_limit: context.fuel_limit.to_string(),
            memory_limit: context.memory_limit.to_string(),
        })
    }
}

/// One round of work that no compiler can skip.
fn round(value: u64) -> u64 {
    std::hint::black_box(value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1))
}

#[cfg(test)]
mod tests {
    //! The endpoints that end, on the host.

    use super::*;

    #[test]
    fn files_match_the_code() {
        clawos_skill::testing::check::<Loops>(env!("CARGO_MANIFEST_DIR"));
    }

    #[test]
    fn work_is_repeatable() {
        let value = |times| Loops::sleepless(Times { times }).unwrap().value;
        assert_eq!(value(1000), value(1000));
        assert_ne!(value(1000), value(1001));
    }

    #[test]
    #[should_panic(expected = "asked to trap")]
    fn a_trap_is_a_panic() {
        let _ = Loops::trap(Nothing {});
    }
}
