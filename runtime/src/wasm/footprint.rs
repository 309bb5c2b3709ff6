//! What one instance of a component takes: core instances, memories and tables, with those of every component in it as
//! often as it is instantiated. Read off the definitions; nothing is instantiated.
//!
//! A few bytes can ask for any number: a component that instantiates another one twice, which instantiates a third one
//! twice, and so on. So the compiler, which follows every instantiation, must not see what was not counted first.

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind, ComponentTypeRef, Encoding,
    Instance, MemorySectionReader, Payload, TableSectionReader,
};

/// Bytes of a WASM page.
pub(super) const PAGE_BYTES: u64 = 65_536;

/// What one instance takes. Numbers too large to be told are [`u64::MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Footprint {
    /// Instances of core modules.
    pub(super) core_instances: u64,
    /// Instances of components inside it.
    pub(super) component_instances: u64,
    pub(super) memories: u64,
    /// Sum of what its memories start with.
    pub(super) memory_bytes: u64,
    pub(super) tables: u64,
}

impl Footprint {
    fn add(&mut self, more: &Self) {
        self.core_instances = self.core_instances.saturating_add(more.core_instances);
        self.component_instances = self.component_instances.saturating_add(more.component_instances);
        self.memories = self.memories.saturating_add(more.memories);
        self.memory_bytes = self.memory_bytes.saturating_add(more.memory_bytes);
        self.tables = self.tables.saturating_add(more.tables);
    }
}

/// A core module or component as something to instantiate. None when it is handed in, so that it is not known here.
type Part = Option<Footprint>;

/// The core module or component that is being read.
#[derive(Debug)]
struct Level {
    is_module: bool,
    /// What can be instantiated in it, by index.
    modules: Vec<Part>,
    components: Vec<Part>,
    /// What an instance of it takes, as far as it has been read.
    takes: Footprint,
}

/// Reads a component's payloads, in order.
#[derive(Debug, Default)]
pub(super) struct Surveyor {
    levels: Vec<Level>,
    whole: Footprint,
}

impl Surveyor {
    /// What an instance of all that was read takes.
    pub(super) fn footprint(&self) -> &Footprint {
        &self.whole
    }

    /// # Errors
    /// A sentence for the module's author: it is malformed, or instantiates what it does not define.
    pub(super) fn visit(&mut self, payload: &Payload<'_>) -> Result<(), String> {
        match payload {
            Payload::Version { encoding, .. } => {
                self.enter(*encoding);
                return Ok(());
            }
            Payload::End(_) => {
                self.leave();
                return Ok(());
            }
            _ => {}
        }
        let Some((level, around)) = self.levels.split_last_mut() else { return Ok(()) };
        match payload {
            Payload::MemorySection(section) => level.memories(section.clone()),
            Payload::TableSection(section) => level.tables(section.clone()),
            Payload::InstanceSection(section) => each(section.clone(), |instance| match instance {
                Instance::Instantiate { module_index, .. } => level.instantiate(Sort::Module, module_index),
                Instance::FromExports(_) => Ok(()),
            }),
            Payload::ComponentInstanceSection(section) => each(section.clone(), |instance| match instance {
                ComponentInstance::Instantiate { component_index, .. } => {
                    level.instantiate(Sort::Component, component_index)
                }
                ComponentInstance::FromExports(_) => Ok(()),
            }),
            Payload::ComponentImportSection(section) => each(section.clone(), |import| {
                match import.ty {
                    ComponentTypeRef::Module(_) => level.modules.push(None),
                    ComponentTypeRef::Component(_) => level.components.push(None),
                    _ => {}
                }
                Ok(())
            }),
            // What is exported has an index of its own from then on.
            Payload::ComponentExportSection(section) => each(section.clone(), |export| {
                if let Some(sort) = Sort::of(export.kind) {
                    let part = level.part(sort, export.index)?;
                    level.parts(sort).push(part);
                }
                Ok(())
            }),
            Payload::ComponentAliasSection(section) => each(section.clone(), |alias| level.alias(&alias, around)),
            _ => Ok(()),
        }
    }

    fn enter(&mut self, encoding: Encoding) {
        let is_module = encoding == Encoding::Module;
        let takes = Footprint {
            core_instances: u64::from(is_module),
            component_instances: u64::from(!is_module && !self.levels.is_empty()),
            ..Footprint::default()
        };
        self.levels.push(Level { is_module, modules: Vec::new(), components: Vec::new(), takes });
    }

    fn leave(&mut self) {
        let Some(Level { is_module, takes, .. }) = self.levels.pop() else { return };
        match self.levels.last_mut() {
            Some(around) if is_module => around.modules.push(Some(takes)),
            Some(around) => around.components.push(Some(takes)),
            None => self.whole = takes,
        }
    }
}

/// What kind of part.
#[derive(Clone, Copy)]
enum Sort {
    Module,
    Component,
}

impl Sort {
    fn of(kind: ComponentExternalKind) -> Option<Self> {
        match kind {
            ComponentExternalKind::Module => Some(Self::Module),
            ComponentExternalKind::Component => Some(Self::Component),
            _ => None,
        }
    }
}

impl Level {
    fn parts(&mut self, sort: Sort) -> &mut Vec<Part> {
        match sort {
            Sort::Module => &mut self.modules,
            Sort::Component => &mut self.components,
        }
    }

    fn part(&mut self, sort: Sort, index: u32) -> Result<Part, String> {
        self.parts(sort).get(index as usize).copied().ok_or_else(unknown_index)
    }

    fn instantiate(&mut self, sort: Sort, index: u32) -> Result<(), String> {
        let Some(part) = self.part(sort, index)? else {
            return Err(
                "it instantiates a module or component that is handed to it; put each where it is instantiated"
                    .to_owned(),
            );
        };
        self.takes.add(&part);
        Ok(())
    }

    /// `around` are the components that this one is in, the outermost first.
    fn alias(&mut self, alias: &ComponentAlias<'_>, around: &mut [Level]) -> Result<(), String> {
        match *alias {
            ComponentAlias::InstanceExport { kind, .. } => {
                if let Some(sort) = Sort::of(kind) {
                    self.parts(sort).push(None);
                }
            }
            ComponentAlias::Outer { kind, count, index } => {
                let sort = match kind {
                    ComponentOuterAliasKind::CoreModule => Sort::Module,
                    ComponentOuterAliasKind::Component => Sort::Component,
                    ComponentOuterAliasKind::CoreType | ComponentOuterAliasKind::Type => return Ok(()),
                };
                let part = match around.len().checked_sub(count as usize).ok_or_else(unknown_index)? {
                    own if own == around.len() => self.part(sort, index)?,
                    outer => around[outer].part(sort, index)?,
                };
                self.parts(sort).push(part);
            }
            ComponentAlias::CoreInstanceExport { .. } => {}
        }
        Ok(())
    }

    fn memories(&mut self, section: MemorySectionReader<'_>) -> Result<(), String> {
        each(section, |memory| {
            let memory_bytes = memory.initial.saturating_mul(PAGE_BYTES);
            self.takes.add(&Footprint { memories: 1, memory_bytes, ..Footprint::default() });
            Ok(())
        })
    }

    fn tables(&mut self, section: TableSectionReader<'_>) -> Result<(), String> {
        self.takes.add(&Footprint { tables: u64::from(section.count()), ..Footprint::default() });
        Ok(())
    }
}

fn unknown_index() -> String {
    "it is not a valid component: it names a module or component that it does not have".to_owned()
}

/// Does `work` for each item of a section.
fn each<'a, T: wasmparser::FromReader<'a>>(
    section: wasmparser::SectionLimited<'a, T>,
    mut work: impl FnMut(T) -> Result<(), String>,
) -> Result<(), String> {
    section
        .into_iter()
        .try_for_each(|item| work(item.map_err(|error| format!("it is not a valid component: {error}"))?))
}

#[cfg(test)]
mod tests {
    use wasmparser::Parser;

    use super::*;

    fn footprint(text: &str) -> Result<Footprint, String> {
        let artifact = wat::parse_str(text).expect("valid text");
        let mut surveyor = Surveyor::default();
        for payload in Parser::new(0).parse_all(&artifact) {
            surveyor.visit(&payload.expect("a component"))?;
        }
        Ok(*surveyor.footprint())
    }

    #[test]
    fn what_is_defined_counts_as_often_as_it_is_instantiated() {
        let found = footprint(
            "(component
               (core module $used (memory 2) (table 1 funcref) (table 1 funcref))
               (core module $unused (memory 60000))
               (component $pair (core module $m (memory 1)) (core instance (instantiate $m)) (core instance (instantiate $m)))
               (core instance (instantiate $used))
               (core instance (instantiate $used))
               (instance (instantiate $pair)))",
        );
        let right = Footprint {
            core_instances: 4,
            component_instances: 1,
            memories: 4,
            memory_bytes: 6 * PAGE_BYTES,
            tables: 4,
        };
        assert_eq!(found, Ok(right));
    }

    #[test]
    fn parts_are_followed_through_aliases_and_exports() {
        let found = footprint(
            r#"(component
               (core module $m (memory 1))
               (export $n "n" (core module $m))
               (component $inner (alias outer 1 $m (core module $here)) (core instance (instantiate $here)))
               (core instance (instantiate $n))
               (instance (instantiate $inner)))"#,
        );
        assert_eq!(found.map(|found| (found.core_instances, found.memories)), Ok((2, 2)));
    }

    #[test]
    fn doubling_over_and_over_is_counted_without_doing_it() {
        let mut text = "(component (component $c0 (core module $m) (core instance (instantiate $m)))".to_owned();
        for nth in 1..=60 {
            let inner = format!("(instance (instantiate $b{nth}))");
            let last = nth - 1;
            text += &format!("(component $c{nth} (alias outer 1 $c{last} (component $b{nth})) {inner} {inner})");
        }
        let found = footprint(&(text + "(instance (instantiate $c60)))")).expect("it can be counted");
        assert_eq!(found.core_instances, 1 << 60);
    }

    #[test]
    fn what_is_handed_in_cannot_be_counted_and_so_not_be_instantiated() {
        for text in [
            r#"(component (import "m" (core module $m)) (core instance (instantiate $m)))"#,
            r#"(component (import "c" (component $c)) (instance (instantiate $c)))"#,
            r#"(component
                 (component $giver (core module $m) (export "m" (core module $m)))
                 (instance $given (instantiate $giver))
                 (alias export $given "m" (core module $m))
                 (core instance (instantiate $m)))"#,
        ] {
            let refusal = footprint(text).expect_err("it is not known");
            assert!(refusal.contains("handed to it"), "{refusal}");
        }
    }
}
