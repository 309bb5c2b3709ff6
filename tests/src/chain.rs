//! One chain for all tests of a process that do not change it: a real localnet with the real program, on a thread of its
//! own, since a test's runtime ends with the test.

use std::sync::{LazyLock, mpsc};

use clawos_localnet::{Handle, Localnet, LocalnetConfig};

use crate::scratch;

/// The shared chain.
pub fn shared() -> &'static Handle {
    static CHAIN: LazyLock<Handle> = LazyLock::new(start);
    &CHAIN
}

fn start() -> Handle {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let config = LocalnetConfig { port: 0, slot_ms: 50, ..LocalnetConfig::new(scratch::folder("localnet")) };
        let localnet = Localnet::open(config).expect("an empty folder becomes a chain");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.expect("a runtime can be made").block_on(async move {
            let handle = localnet.start().await.expect("loopback has free ports");
            tell.send(handle).expect("the other side waits");
            std::future::pending::<()>().await;
        });
    });
    told.recv().expect("the chain starts")
}
