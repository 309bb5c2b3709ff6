//! Skills written in WebAssembly text: small, exact, and able to misbehave in ways no compiler would produce.

/// A skill of the world `clawos:skill/skill`, put together from text.
///
/// The main module may define what it likes and must define `$run`, which gets endpoint and payload as pointer and
/// length and returns the address of its answer: `(call $ok ptr len)` or `(call $refuse code ptr len)`. It can call
/// `$alloc`, `$log (level ptr len)`, `$now` and `$random (n retptr)`, and has `memory`. The context is in the globals
/// `$call-id`, `$call-id-len`, `$has-tier`, `$tier`, `$tier-len`, `$fuel-limit` and `$memory-limit`. Addresses below
/// 32,768 are its own; the heap follows.
#[derive(Clone, Debug)]
pub struct WatSkill {
    /// What the main module defines.
    pub main: String,
    /// The module with the memory: `memory` and `realloc` must be exported.
    pub libc: String,
    /// More imports, types and instances at component level, before everything else.
    pub imports: String,
    /// Component-level definitions after the others, for instance more exports.
    pub extras: String,
    /// Core functions lowered from [`Self::imports`].
    pub lowered: String,
    /// Those functions as the main module imports them from `host`: `(export "name" (func $lowered))`.
    pub host: String,
}

/// The component around it all. The words in capitals stand for a [`WatSkill`]'s fields.
const COMPONENT: &str = r#"(component
  (import "clawos:skill/types@0.1.0" (instance $types
    (type $code' (enum "bad-request" "not-found" "unavailable" "internal"))
    (export $code "error-code" (type (eq $code')))
    (type $error' (record (field "code" $code) (field "message" string)))
    (export $error "skill-error" (type (eq $error')))
    (type $context' (record (field "call-id" string) (field "tier" (option string))
                            (field "fuel-limit" u64) (field "memory-limit" u64)))
    (export $context "context" (type (eq $context')))))
  (alias export $types "skill-error" (type $skill-error))
  (alias export $types "context" (type $context))
  (import "clawos:skill/log@0.1.0" (instance $log
    (type $level' (enum "debug" "info" "warn" "error"))
    (export $level "level" (type (eq $level')))
    (export "write" (func (param "level" $level) (param "message" string)))))
  (import "clawos:skill/clock@0.1.0" (instance $clock (export "now" (func (result u64)))))
  (import "clawos:skill/random@0.1.0" (instance $random (export "bytes" (func (param "n" u32) (result (list u8))))))
  IMPORTS
  (core module $libc-module LIBC)
  (core instance $libc (instantiate $libc-module))
  (alias core export $libc "memory" (core memory $memory))
  (alias core export $libc "realloc" (core func $realloc))
  (core func $log-write (canon lower (func $log "write") (memory $memory)))
  (core func $clock-now (canon lower (func $clock "now")))
  (core func $random-bytes (canon lower (func $random "bytes") (memory $memory) (realloc $realloc)))
  LOWERED
  (core module $main-module
    (import "libc" "memory" (memory 0))
    (import "libc" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
    (import "host" "log" (func $log (param i32 i32 i32)))
    (import "host" "now" (func $now (result i64)))
    (import "host" "random" (func $random (param i32 i32)))
    MAIN
    (func $alloc (param $size i32) (result i32)
      (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (local.get $size)))
    (func $ok (param $text i32) (param $length i32) (result i32)
      (local $answer i32)
      (local.set $answer (call $alloc (i32.const 16)))
      (i32.store (local.get $answer) (i32.const 0))
      (i32.store offset=4 (local.get $answer) (local.get $text))
      (i32.store offset=8 (local.get $answer) (local.get $length))
      (local.get $answer))
    (func $refuse (param $code i32) (param $text i32) (param $length i32) (result i32)
      (local $answer i32)
      (local.set $answer (call $alloc (i32.const 16)))
      (i32.store (local.get $answer) (i32.const 1))
      (i32.store offset=4 (local.get $answer) (local.get $code))
      (i32.store offset=8 (local.get $answer) (local.get $text))
      (i32.store offset=12 (local.get $answer) (local.get $length))
      (local.get $answer))
    (global $call-id (mut i32) (i32.const 0))
    (global $call-id-len (mut i32) (i32.const 0))
    (global $has-tier (mut i32) (i32.const 0))
    (global $tier (mut i32) (i32.const 0))
    (global $tier-len (mut i32) (i32.const 0))
    (global $fuel-limit (mut i64) (i64.const 0))
    (global $memory-limit (mut i64) (i64.const 0))
    (func (export "run") (param i32 i32 i32 i32) (param i32 i32) (param i32 i32 i32) (param i64 i64) (result i32)
      (global.set $call-id (local.get 4))
      (global.set $call-id-len (local.get 5))
      (global.set $has-tier (local.get 6))
      (global.set $tier (local.get 7))
      (global.set $tier-len (local.get 8))
      (global.set $fuel-limit (local.get 9))
      (global.set $memory-limit (local.get 10))
      (call $run (local.get 0) (local.get 1) (local.get 2) (local.get 3))))
  (core instance $main (instantiate $main-module
    (with "libc" (instance $libc))
    (with "host" (instance
      (export "log" (func $log-write))
      (export "now" (func $clock-now))
      (export "random" (func $random-bytes))
      HOST))))
  (func (export "run") (param "endpoint" string) (param "payload" string) (param "ctx" $context)
        (result (result string (error $skill-error)))
    (canon lift (core func $main "run") (memory $memory) (realloc $realloc)))
  EXTRAS)"#;

/// A bump allocator that grows its memory a page at a time.
const LIBC: &str = r#"
    (memory (export "memory") 2)
    (global $next (mut i32) (i32.const 32768))
    (func $realloc (export "realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
                              (i32.sub (i32.const 0) (local.get $align))))
      (global.set $next (i32.add (local.get $at) (local.get $new)))
      (loop $more
        (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
          (then (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable)) (br $more))))
      (memory.copy (local.get $at) (local.get $old) (local.get $size))
      (local.get $at))
"#;

impl WatSkill {
    /// A skill whose main module defines `main`.
    #[must_use]
    pub fn new(main: &str) -> Self {
        Self {
            main: main.to_owned(),
            libc: LIBC.to_owned(),
            imports: String::new(),
            extras: String::new(),
            lowered: String::new(),
            host: String::new(),
        }
    }

    /// A skill whose `run` has this body.
    #[must_use]
    pub fn running(body: &str) -> Self {
        Self::new(&format!(
            "(func $run (param $endpoint i32) (param $endpoint-len i32) (param $payload i32) (param $payload-len i32) \
             (result i32) {body})"
        ))
    }

    /// A skill that answers with its payload.
    #[must_use]
    pub fn echo() -> Self {
        Self::running("(call $ok (local.get $payload) (local.get $payload-len))")
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> String {
        COMPONENT
            .replace("IMPORTS", &self.imports)
            .replace("LIBC", &self.libc)
            .replace("LOWERED", &self.lowered)
            .replace("HOST", &self.host)
            .replace("EXTRAS", &self.extras)
            .replace("MAIN", &self.main)
    }

    /// The component.
    ///
    /// # Panics
    /// When the text is wrong, with the place.
    #[must_use]
    pub fn build(&self) -> Vec<u8> {
        let text = self.text();
        wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }
}
