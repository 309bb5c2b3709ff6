//! The committed IDL, parsed: the names of accounts and arguments, and the bytes of its types.

use std::sync::LazyLock;

use clawos_interface::instruction::Instruction;
use serde_json::Value;

/// The committed IDL.
pub static IDL: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../programs/idl/skill_marketplace.json")).expect("the IDL is JSON")
});

/// The entries of one of its lists.
pub fn list(name: &str) -> &'static [Value] {
    IDL[name].as_array().unwrap_or_else(|| panic!("the IDL has {name}"))
}

/// The entry called `name` of one of its lists.
pub fn entry(list_name: &str, name: &str) -> &'static Value {
    let found = list(list_name).iter().find(|entry| entry["name"] == name);
    found.unwrap_or_else(|| panic!("{list_name} of the IDL has {name}"))
}

/// A text member.
pub fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_else(|| panic!("{member} of {value} is text"))
}

/// The eight bytes of an entry's discriminator.
pub fn discriminator(entry: &Value) -> [u8; 8] {
    serde_json::from_value(entry["discriminator"].clone()).expect("a discriminator is eight bytes")
}

/// The entry of an instruction, found by its discriminator.
pub fn instruction(ix: &Instruction) -> &'static Value {
    let found = list("instructions").iter().find(|entry| ix.data.starts_with(&discriminator(entry)));
    found.expect("the instruction is in the IDL")
}

/// Fields of a struct among the IDL's types.
pub fn fields(type_name: &str) -> &'static [Value] {
    entry("types", type_name)["type"]["fields"].as_array().expect("the type is a struct")
}

/// Bytes that a type takes.
pub fn size(ty: &Value) -> usize {
    match ty.as_str() {
        Some("bool" | "u8") => 1,
        Some("u16") => 2,
        Some("u32") => 4,
        Some("u64" | "i64") => 8,
        Some("pubkey") => 32,
        Some(other) => panic!("unknown type {other}"),
        None if ty["array"].is_array() => {
            size(&ty["array"][0]) * usize::try_from(ty["array"][1].as_u64().expect("a length")).expect("a small length")
        }
        None => fields(text(&ty["defined"], "name")).iter().map(field_size).sum(),
    }
}

/// Bytes that a field takes; the one of a tuple struct has no name and is its type.
fn field_size(field: &Value) -> usize {
    size(if field["type"].is_null() { field } else { &field["type"] })
}
