//! Solana's two JavaScript libraries against the local chain, as it is and as a cluster.

use clawos_tests::guests::repository;
use clawos_tests::processes::{ChainMode, ChainProcess};

use crate::node;

/// Runs a project's tests against a new chain. These libraries leave it to the node to send a transaction again, so a chain
/// that loses them is not for them.
fn against_a_chain(project: &str) {
    if !node::available() {
        return;
    }
    let idl = repository().join("programs/idl/skill_marketplace.json").display().to_string();
    for mode in [ChainMode::Final, ChainMode::Cluster { lost: 0, seed: 0 }] {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let chain = ChainProcess::start_as(&folder.path().join("chain"), mode);
        let (rpc, websocket) = (chain.rpc_url(), chain.websocket_url());
        let environment =
            [("CLAWOS_TEST_RPC", &*rpc), ("CLAWOS_TEST_WEBSOCKET", &*websocket), ("CLAWOS_TEST_IDL", &*idl)];
        node::test(project, &environment);
    }
}

#[test]
fn whole_flows_with_web3_js() {
    against_a_chain("web3js");
}

#[test]
fn whole_flows_with_kit() {
    against_a_chain("kit");
}
