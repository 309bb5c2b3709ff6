//! Converts core modules to components, and reads what a component imports and exports.

use std::collections::BTreeSet;

use wit_component::{ComponentEncoder, DecodedWasm};

use super::BuildError;

/// The names of what a component imports and exports, for example `clawos:skill/log@0.1.0` and `run`, sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The interfaces it calls: its permissions. Those that only share types are left out.
    pub imports: Vec<String>,
    /// The functions and interfaces it exports.
    pub exports: Vec<String>,
}

/// Makes a core module that wit-bindgen prepared a component; a component stays as it is.
///
/// # Errors
/// [`BuildError::Component`] with the encoder's reason.
pub fn from_wasm(wasm: &[u8]) -> Result<Vec<u8>, BuildError> {
    if wasmparser::Parser::is_component(wasm) {
        return Ok(wasm.to_vec());
    }
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true).module(wasm).map_err(reason)?;
    encoder.encode().map_err(reason)
}

/// Reads a component's imports and exports.
///
/// # Errors
/// [`BuildError::Component`] if it is not a valid component.
pub fn interface(component: &[u8]) -> Result<Interface, BuildError> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component).map_err(reason)? else {
        return Err(BuildError::Component("it is a WIT package, not a component".to_owned()));
    };
    let called: BTreeSet<String> = resolve
        .interfaces
        .iter()
        .filter(|(_, interface)| !interface.functions.is_empty())
        .filter_map(|(id, _)| resolve.id_of(id))
        .collect();
    let world = &resolve.worlds[world];
    let mut imports: Vec<String> = world.imports.keys().map(|key| resolve.name_world_key(key)).collect();
    imports.retain(|name| called.contains(name));
    imports.sort_unstable();
    let mut exports: Vec<String> = world.exports.keys().map(|key| resolve.name_world_key(key)).collect();
    exports.sort_unstable();
    Ok(Interface { imports, exports })
}

fn reason(error: impl std::fmt::Display) -> BuildError {
    BuildError::Component(format!("{error:#}"))
}

#[cfg(test)]
mod tests {
    //! What is no module and what is no component is refused; real ones are built by the system tests.

    use super::*;

    #[test]
    fn what_is_no_module_is_refused() {
        for bytes in [&b""[..], b"\0asm", b"#!/bin/sh", b"\0asm\x01\0\0\0garbage"] {
            assert!(matches!(from_wasm(bytes), Err(BuildError::Component(_))), "{bytes:?}");
            assert!(matches!(interface(bytes), Err(BuildError::Component(_))), "{bytes:?}");
        }
    }

    #[test]
    fn an_empty_component_has_no_interface() {
        let empty = b"\0asm\x0d\0\x01\0";
        assert_eq!(from_wasm(empty).unwrap(), empty);
        assert_eq!(interface(empty).unwrap(), Interface { imports: vec![], exports: vec![] });
    }
}
