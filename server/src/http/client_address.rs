//! The address a request comes from.

use crate::config::ListenConfig;
use axum::extract::{ConnectInfo, Request};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The client's address: the peer's, or what a trusted proxy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientAddress(
    /// IPv4-mapped addresses are shown as IPv4.
    pub(crate) IpAddr,
);

impl ClientAddress {
    /// Reads it off a request.
    pub(super) fn of(request: &Request, config: &ListenConfig) -> ClientAddress {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let forwarded = || {
            let value = request.headers().get_all("x-forwarded-for").iter().next_back()?;
            value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
        };
        let address = if config.trust_forwarded_for { forwarded().or(peer) } else { peer };
        ClientAddress(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).to_canonical())
    }

    /// What rate limits count by: one IPv6 client usually has a whole /64.
    pub(super) fn bucket(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(v6) => {
                let s = v6.segments();
                IpAddr::V6(Ipv6Addr::new(s[0], s[1], s[2], s[3], 0, 0, 0, 0))
            }
        }
    }
}
