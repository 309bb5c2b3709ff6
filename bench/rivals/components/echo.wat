;; The smallest skill there is: answers with its payload. No language runtime, so it shows what a call itself costs.
(component
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
  (core module $echo
    (memory (export "memory") 1)
    ;; What does not fit below `top` ends the call: it is an echo of small payloads.
    (global $top (mut i32) (i32.const 1024))
    (func (export "realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.sub (local.get $align) (i32.const 1)))
                              (i32.sub (i32.const 0) (local.get $align))))
      (global.set $top (i32.add (local.get $at) (local.get $new)))
      (local.get $at))
    ;; At address 0: 0 for `ok`, then the text's address and length.
    (func (export "run") (param $endpoint i32) (param $endpoint-len i32) (param $payload i32) (param $payload-len i32)
          (param $call-id i32) (param $call-id-len i32) (param $has-tier i32) (param $tier i32) (param $tier-len i32)
          (param $fuel-limit i64) (param $memory-limit i64) (result i32)
      (i32.store offset=4 (i32.const 0) (local.get $payload))
      (i32.store offset=8 (i32.const 0) (local.get $payload-len))
      (i32.const 0)))
  (core instance $instance (instantiate $echo))
  (func (export "run") (param "endpoint" string) (param "payload" string) (param "ctx" $context)
        (result (result string (error $skill-error)))
    (canon lift (core func $instance "run") (memory $instance "memory") (realloc (func $instance "realloc")))))
