//! Several back ends behind one [`Sandbox`]: each module goes to the one for its kind.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{Engine, Invocation, ModuleInfo, ModuleRef, Outcome, Sandbox, Unavailable};

/// Runs each module on the back end for its kind. Of two back ends for one kind the first runs it.
#[derive(Clone)]
pub struct Dispatcher(Vec<(Engine, Arc<dyn Sandbox>)>);

impl Dispatcher {
    /// A sandbox made of `back_ends`.
    #[must_use]
    pub fn new(back_ends: Vec<Arc<dyn Sandbox>>) -> Self {
        let engines = |back_end: Arc<dyn Sandbox>| {
            back_end.engines().into_iter().map(move |engine| (engine, Arc::clone(&back_end)))
        };
        Self(back_ends.into_iter().flat_map(engines).collect())
    }

    fn back_end(&self, module: &ModuleRef) -> Result<&dyn Sandbox, Unavailable> {
        let found = self.0.iter().find(|(engine, _)| engine.kind == module.kind);
        found.map(|(_, back_end)| &**back_end).ok_or_else(|| Unavailable::unsupported(module.kind, &self.engines()))
    }
}

#[async_trait]
impl Sandbox for Dispatcher {
    async fn run(&self, module: &ModuleRef, invocation: Invocation) -> Result<Outcome, Unavailable> {
        self.back_end(module)?.run(module, invocation).await
    }

    async fn prepare(&self, module: &ModuleRef) -> Result<ModuleInfo, Unavailable> {
        self.back_end(module)?.prepare(module).await
    }

    fn engines(&self) -> Vec<Engine> {
        self.0.iter().map(|(engine, _)| engine.clone()).collect()
    }
}
