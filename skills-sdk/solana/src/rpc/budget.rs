//! The compute budget of a transaction that is to be sent: as much as a simulation used, and some more.

use clawos_interface::Key;
use clawos_interface::instruction::Instruction;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::config::RpcSimulateTransactionConfig;
use solana_transaction::Transaction;

use crate::COMPUTE_UNITS;
use crate::assembly::{compute_budget, without_budget};
use crate::transaction::message;

/// The same instructions with a compute budget that fits: a tenth more units than a simulation used, and `unit_price`
/// micro-lamports for each. A validator prefers who asks for less, and the price counts for all that is asked for.
///
/// Where the simulation fails, the limit is [`COMPUTE_UNITS`]: sending then says why, in words of its own.
pub async fn with_fitting_budget(
    rpc: &RpcClient,
    payer: &Key,
    instructions: &[Instruction],
    unit_price: u64,
) -> Vec<Instruction> {
    let budgeted = |units| [compute_budget(units, unit_price), without_budget(instructions)].concat();
    let used = simulated_units(rpc, payer, &budgeted(COMPUTE_UNITS)).await;
    budgeted(used.map_or(COMPUTE_UNITS, with_reserve))
}

/// A tenth more, at most [`COMPUTE_UNITS`].
fn with_reserve(used: u64) -> u32 {
    let units = used.saturating_add(used.div_ceil(10));
    u32::try_from(units).unwrap_or(COMPUTE_UNITS).min(COMPUTE_UNITS)
}

/// The compute units that the transaction would use; none when it would fail, or the endpoint cannot tell.
async fn simulated_units(rpc: &RpcClient, payer: &Key, instructions: &[Instruction]) -> Option<u64> {
    let transaction = Transaction::new_unsigned(message(payer, instructions, &[0; 32]));
    let config = RpcSimulateTransactionConfig {
        replace_recent_blockhash: true,
        commitment: Some(rpc.commitment()),
        ..RpcSimulateTransactionConfig::default()
    };
    let result = rpc.simulate_transaction_with_config(&transaction, config).await.ok()?.value;
    result.units_consumed.filter(|_| result.err.is_none())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use axum::Json;
    use axum::routing::post;
    use clawos_interface::instruction::{
        create_associated_token_idempotent, set_compute_unit_limit, set_compute_unit_price,
    };
    use serde_json::{Value, json};

    use super::*;

    /// A node whose every answer to a simulation is `value`.
    async fn node(value: Value) -> RpcClient {
        let answer = move |Json(request): Json<Value>| async move {
            assert_eq!(request["method"], "simulateTransaction");
            let result = json!({ "context": { "slot": 1 }, "value": value });
            Json(json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }))
        };
        let router = axum::Router::new().route("/", post(answer));
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        crate::rpc::connect(&format!("http://{address}"), Duration::from_secs(20))
    }

    #[tokio::test]
    async fn the_limit_follows_what_a_simulation_used() {
        let work = create_associated_token_idempotent(&[1; 32], &[1; 32], &[2; 32]);
        let before = [set_compute_unit_limit(COMPUTE_UNITS), work.clone()];
        let result = |err: Value| json!({ "err": err, "logs": [], "unitsConsumed": 1_001 });

        let rpc = node(result(Value::Null)).await;
        let free = with_fitting_budget(&rpc, &[1; 32], &before, 0).await;
        assert_eq!(free, [set_compute_unit_limit(1_102), work.clone()]);
        let paid = with_fitting_budget(&rpc, &[1; 32], &before, 7).await;
        assert_eq!(paid, [set_compute_unit_limit(1_102), set_compute_unit_price(7), work.clone()]);

        let failing = node(result(json!("AccountNotFound"))).await;
        assert_eq!(with_fitting_budget(&failing, &[1; 32], &before, 0).await, before);
    }
}
