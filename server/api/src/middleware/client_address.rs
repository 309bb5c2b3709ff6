//! The address a request comes from: the peer's, or what a trusted proxy says.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use clawos_config::ListenConfig;
use clawos_identity::ClientAddress;

/// Reads it off a request.
pub(super) fn of(request: &Request, config: &ListenConfig) -> ClientAddress {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let forwarded = || {
        let value = request.headers().get_all("x-forwarded-for").iter().next_back()?;
        value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
    };
    let address = if config.trust_forwarded_for { forwarded().or(peer) } else { peer };
    ClientAddress::new(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
}
