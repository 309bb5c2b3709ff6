//! A skill composed of two components, as composition tools make them: parts with memories of their own that pass each
//! other text.

use wac_graph::{CompositionGraph, EncodeOptions, plug, types::Package};

use crate::wat_skill::WatSkill;

/// A component that gives back text in capitals, in another encoding than the skill's where `utf16`.
///
/// # Panics
/// Never: its text is valid.
pub fn voices(utf16: bool) -> Vec<u8> {
    let (unit, encoding) = if utf16 { (2, "utf16") } else { (1, "utf8") };
    let text = format!(
        r#"(component
          (core module $m
            (memory (export "memory") 1)
            (global $next (mut i32) (i32.const 1024))
            (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
              (global.get $next)
              (global.set $next (i32.add (global.get $next)
                (i32.and (i32.add (local.get $size) (i32.const 7)) (i32.const -8)))))
            (func (export "shout") (param $at i32) (param $length i32) (result i32)
              (local $end i32)
              (i32.store (i32.const 16) (local.get $at))
              (i32.store (i32.const 20) (local.get $length))
              (local.set $end (i32.add (local.get $at) (i32.mul (local.get $length) (i32.const {unit}))))
              (loop $next
                (if (i32.lt_u (i32.sub (i32.load8_u (local.get $at)) (i32.const 97)) (i32.const 26))
                  (then (i32.store8 (local.get $at) (i32.sub (i32.load8_u (local.get $at)) (i32.const 32)))))
                (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (local.get $end))))
              (i32.const 16)))
          (core instance $i (instantiate $m))
          (func $shout (param "text" string) (result string)
            (canon lift (core func $i "shout") (memory $i "memory") (realloc (func $i "realloc"))
              string-encoding={encoding}))
          (instance $voices (export "shout" (func $shout)))
          (export "acme:voices/shout@1.0.0" (instance $voices)))"#
    );
    wat::parse_str(text).expect("valid text")
}

/// A skill that answers with what `acme:voices/shout` makes of its payload.
pub fn shouter() -> Vec<u8> {
    let mut skill = WatSkill::running(
        "(call $shout (local.get $payload) (local.get $payload-len) (i32.const 64))
         (call $ok (i32.load (i32.const 64)) (i32.load (i32.const 68)))",
    );
    skill.imports = r#"(import "acme:voices/shout@1.0.0"
        (instance $voices (export "shout" (func (param "text" string) (result string)))))"#
        .to_owned();
    skill.lowered =
        r#"(core func $shout (canon lower (func $voices "shout") (memory $memory) (realloc $realloc)))"#.to_owned();
    skill.host = r#"(export "shout" (func $shout))"#.to_owned();
    skill.main.insert_str(0, r#"(import "host" "shout" (func $shout (param i32 i32 i32)))"#);
    skill.build()
}

/// The skill with its import given by the other component, as `wac plug` does it.
///
/// # Panics
/// When the other does not give it.
pub fn composed(skill: Vec<u8>, given: Vec<u8>) -> Vec<u8> {
    let mut graph = CompositionGraph::new();
    let mut register = |name: &str, bytes: Vec<u8>| {
        let package = Package::from_bytes(name, None, bytes, graph.types_mut()).expect("a component");
        graph.register_package(package).expect("names are told apart")
    };
    let (skill, given) = (register("acme:skill", skill), register("acme:voices", given));
    plug(&mut graph, vec![given], skill).expect("it gives what the skill imports");
    graph.encode(EncodeOptions::default()).expect("the composition is valid")
}
