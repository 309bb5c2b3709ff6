//! A skill's prices in words.

use clawos_manifest::Prices;

use crate::amount;

/// `5 USDC once, 2 USDC per 30 days, 1 USDC per 1000-calls`, or `free`.
pub fn line(prices: Option<&Prices>) -> String {
    let parts = prices.map(parts).unwrap_or_default();
    if parts.is_empty() { "free".to_owned() } else { parts.join(", ") }
}

fn parts(prices: &Prices) -> Vec<String> {
    let money = |amount| amount::money(amount, prices.currency);
    let once = prices.once.map(|amount| format!("{} once", money(amount)));
    let period = prices.period.as_ref().map(|period| format!("{} per {}", money(period.amount), length(period.secs)));
    let unit = prices.unit.as_ref().map(|unit| format!("{} per {}", money(unit.amount), unit.kind));
    [once, period, unit].into_iter().flatten().collect()
}

/// A subscription's period: `hour`, `day`, `30 days`.
fn length(secs: u32) -> String {
    match secs {
        3_600 => "hour".to_owned(),
        86_400 => "day".to_owned(),
        _ => format!("{} days", f64::from(secs) / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_way_to_pay_is_named() {
        let prices: Prices = serde_json::from_value(json!({
            "currency": "USDC", "once": "5000000", "period": { "amount": "2000000", "secs": 2_592_000 },
            "unit": { "amount": "1000", "kind": "call", "shown": { "amount": "1", "per": "1000-calls" } },
            "tier_bps": [10000, 10000, 10000], "free_calls": 0, "refund_secs": 0,
        }))
        .expect("prices");
        assert_eq!(line(Some(&prices)), "5 USDC once, 2 USDC per 30 days, 0.001 USDC per call");
        assert_eq!(line(None), "free");
    }
}
