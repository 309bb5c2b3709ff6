//! Every background worker of the server: started, watched, stopped and drained here, all the same way.

use std::sync::Arc;
use std::time::Duration;

use clawos_base::worker::{Stop, Worker};
use clawos_server_api::AppState;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How often expired rows and idle rate-limit state are removed, and gauges set.
const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(60);

/// The running workers.
#[derive(Debug)]
pub struct Workers {
    running: Vec<Running>,
}

#[derive(Debug)]
struct Running {
    name: &'static str,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Workers {
    /// Starts them. A worker that ends before it is told to is logged, and shown by `clawos_worker_up`.
    pub fn start(workers: Vec<Worker>) -> Workers {
        let start = |worker: Worker| {
            let (stop, stopped) = Stop::channel();
            Running { name: worker.name, stop, task: tokio::spawn(watch(worker, stopped)) }
        };
        Workers { running: workers.into_iter().map(start).collect() }
    }

    /// Stops them one after another, in the order they were started; each drains what it has begun before the next is told
    /// to stop. The last may thus be needed by those before it, and by requests that outlived their deadline.
    pub async fn stop(self) {
        for Running { name, stop, task } in self.running {
            // Nobody listens when it has ended already.
            let _ = stop.send(true);
            if let Err(error) = task.await {
                tracing::error!(worker = name, %error, "a worker was not drained; the next start goes on from the database");
            }
        }
    }
}

/// Runs one worker and says how it ended.
async fn watch(worker: Worker, stop: Stop) {
    let name = worker.name;
    let up = metrics::gauge!("clawos_worker_up", "worker" => name);
    up.set(1.0);
    let ended = tokio::spawn((worker.run)(stop.clone())).await;
    up.set(0.0);
    match ended {
        Ok(()) if stop.is_requested() => tracing::debug!(worker = name, "drained"),
        Ok(()) => tracing::error!(worker = name, "a worker ended by itself; restart the server"),
        Err(error) => tracing::error!(worker = name, %error, "a worker failed; restart the server"),
    }
}

/// Removes what has expired, renews what will, and measures what no request shows, every minute.
pub(crate) fn housekeeping(app: &AppState) -> Worker {
    let app = Arc::clone(app);
    Worker::new("housekeeping", async move |mut stop: Stop| {
        let mut tick = tokio::time::interval(HOUSEKEEPING_EVERY);
        loop {
            tokio::select! {
                _ = tick.tick() => {
                    remove_expired(&app).await;
                    renew_certificate(&app).await;
                    measure(&app).await;
                }
                () = stop.requested() => return,
            }
        }
    })
}

/// What an operator has to see coming: a meter without money, and usage that is not settled.
async fn measure(app: &AppState) {
    match app.licensing.meter_balance().await {
        Ok(lamports) => metrics::gauge!("clawos_meter_lamports").set(lamports as f64),
        Err(error) => tracing::debug!(%error, "the meter's balance is not known now"),
    }
    match app.execution.backlog().await {
        Ok(backlog) => {
            metrics::gauge!("clawos_unsettled_receipts").set(backlog.receipts as f64);
            metrics::gauge!("clawos_unsettled_units").set(backlog.units as f64);
            for (currency, amount) in &backlog.amounts {
                metrics::gauge!("clawos_unsettled_amount", "currency" => currency.as_str()).set(*amount as f64);
            }
            metrics::gauge!("clawos_unsettled_oldest_seconds").set(backlog.oldest_ms as f64 / 1_000.0);
            metrics::gauge!("clawos_unknown_batch_licences").set(backlog.unknown_licences as f64);
        }
        Err(error) => tracing::warn!(%error, "unsettled usage could not be counted"),
    }
}

async fn renew_certificate(app: &AppState) {
    if let Err(error) = app.licensing.renew_certificate().await {
        tracing::warn!(%error, "the receipt key's certificate could not be looked after; once it has ended no skill can be called");
    }
}

async fn remove_expired(app: &AppState) {
    app.rate_limits.forget_idle();
    app.metrics.run_upkeep();
    for outcome in [app.idempotency.forget_expired().await, app.identity.forget_expired().await] {
        if let Err(error) = outcome {
            tracing::warn!(%error, "expired rows were not removed; the next round tries again");
        }
    }
    if let Err(error) = app.idempotency.return_claims().await {
        tracing::warn!(%error, "idempotency keys of failed requests were not given back; the next round tries again");
    }
}
