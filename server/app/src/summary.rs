//! What a server says when it starts: the settings in effect, defaults and environment included, and never a secret.

use clawos_base::database::columns::key_text;
use clawos_config::{ChainConfig, Config, DataConfig, LimitsConfig, ListenConfig, SandboxConfig, SettleConfig};
use clawos_server_api::App;

/// Logs one line per concern.
pub(crate) fn log(config: &Config, app: &App) {
    let Config { listen, data, chain, settle, limits, sandbox, end_at: _ } = config;
    let ListenConfig { listen: public, operations_listen, trust_forwarded_for, shutdown_ms, .. } = listen;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"), origin = listen.origin(), listen = %public, operations = %operations_listen,
        trust_forwarded_for, shutdown_ms, "configuration: server"
    );
    let DataConfig { data: folder, database_connections, durability, server_key, .. } = data;
    tracing::info!(
        folder = %folder.display(), database = data.database_shown(), database_connections, ?durability,
        artifacts = %data.artifacts().display(), server_key = if server_key.is_some() { "given" } else { "from the folder" },
        "configuration: data"
    );
    let ChainConfig { licence_ttl_secs, grace_secs, .. } = chain;
    tracing::info!(
        rpc = chain.rpc_shown(), public_rpc = chain.public_rpc_url().unwrap_or("none"), licence_ttl_secs, grace_secs,
        meter = key_text(&app.licensing.meter()), meter_key = %chain.meter_key(&data.data).display(),
        receipt_key = %chain.receipt_key(&data.data).display(), "configuration: chain"
    );
    let SettleConfig { settle_max_age_ms, settle_max_count, settle_max_amount, anchor_max_age_ms } = settle;
    tracing::info!(
        settle_max_age_ms,
        settle_max_count,
        settle_max_amount,
        anchor_max_age_ms,
        "configuration: settlement"
    );
    log_limits(limits);
    let SandboxConfig {
        sandbox_slots,
        max_fuel,
        max_memory_mib,
        max_wall_ms,
        max_output_kib,
        loaded_code_mib,
        compiled_cache_mib,
        compile_wall_secs,
        ..
    } = sandbox;
    tracing::info!(
        engine = app.engine(),
        sandbox_slots,
        max_fuel,
        max_memory_mib,
        max_wall_ms,
        max_output_kib,
        loaded_code_mib,
        compiled_cache_mib,
        compile_wall_secs,
        "configuration: sandbox"
    );
}

fn log_limits(limits: &LimitsConfig) {
    let LimitsConfig {
        rate_per_minute,
        anonymous_rate_per_minute,
        default_daily_cap_sol,
        default_daily_cap_usdc,
        free_calls_per_day,
    } = limits;
    tracing::info!(
        rate_per_minute,
        anonymous_rate_per_minute,
        default_daily_cap_sol,
        default_daily_cap_usdc,
        free_calls_per_day,
        "configuration: limits"
    );
}
