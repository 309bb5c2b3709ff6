//! `clawos:skill/kv`, for calls that were granted a store.

use bytes::Bytes;
use wasmtime::{
    StoreContextMut,
    component::{ComponentType, Linker, Lower, WasmStr},
};

use super::{
    bindings::{charge, denied, granted, pay},
    engine::HOST_BYTE_FUEL,
    instance::Guest,
};
use crate::{
    Permission,
    capability::kv::{KeyValueCall, KeyValueError},
};

/// `enum kv-error` of `clawos:skill/kv`.
#[derive(Clone, Copy, Debug, ComponentType, Lower)]
#[component(enum)]
#[repr(u8)]
enum GuestError {
    #[component(name = "invalid-key")]
    InvalidKey,
    #[component(name = "value-too-large")]
    ValueTooLarge,
    #[component(name = "quota-exceeded")]
    QuotaExceeded,
    #[component(name = "unavailable")]
    Unavailable,
}

type Store<'a> = StoreContextMut<'a, Guest>;

pub(super) fn link(linker: &mut Linker<Guest>, name: &str) -> wasmtime::Result<()> {
    let mut instance = linker.instance(name)?;
    instance.func_wrap_async("get", |mut store: Store<'_>, (key,): (String,)| {
        Box::new(async move {
            charge(&mut store, key.len() as u64)?;
            let value = told(granted_store(&mut store)?.get(&key).await)?.map(|value| value.map(Vec::from));
            let bytes = value.as_ref().ok().and_then(Option::as_ref).map_or(0, Vec::len);
            pay(&mut store, (bytes as u64).saturating_mul(HOST_BYTE_FUEL))?;
            Ok((value,))
        })
    })?;
    instance.func_wrap("set", |mut store: Store<'_>, (key, value): (WasmStr, Vec<u8>)| {
        let key = key.to_str(&store)?.into_owned();
        charge(&mut store, (key.len() + value.len()) as u64)?;
        Ok((told(granted_store(&mut store)?.set(key, Bytes::from(value)))?,))
    })
}

fn granted_store<'a>(store: &'a mut Store<'_>) -> wasmtime::Result<&'a mut KeyValueCall> {
    granted(store, Permission::Kv)
}

/// What the guest is told of an operation.
///
/// # Errors
/// [`denied`] when the port refuses the call.
fn told<T>(answer: Result<T, KeyValueError>) -> wasmtime::Result<Result<T, GuestError>> {
    Ok(Err(match answer {
        Ok(value) => return Ok(Ok(value)),
        Err(KeyValueError::Denied) => return Err(denied(Permission::Kv)),
        Err(KeyValueError::InvalidKey) => GuestError::InvalidKey,
        Err(KeyValueError::ValueTooLarge) => GuestError::ValueTooLarge,
        Err(KeyValueError::QuotaExceeded) => GuestError::QuotaExceeded,
        Err(KeyValueError::Unavailable(reason)) => {
            tracing::warn!(reason, "a guest's store does not answer");
            GuestError::Unavailable
        }
    }))
}
