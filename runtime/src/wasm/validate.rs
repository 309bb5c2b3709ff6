//! The static pass: looks at an artifact without running or compiling it, and refuses what would be dear to compile.
//!
//! It bounds the shape of a module; whether the module is valid at all is the compile child's business. The bounds
//! are several times what the largest real guests need (Python: 18 MiB, 38 core instances).

use std::collections::BTreeSet;

use wasmparser::{ComponentExternalKind, ComponentTypeRef, Encoding, FunctionBody, Operator, Parser, Payload, TypeRef};

use super::{
    bindings,
    engine::{MAX_CORE_INSTANCES, MAX_MEMORIES, MAX_TABLE_ELEMENTS, MAX_TABLES},
    footprint::{Footprint, PAGE_BYTES, Surveyor},
};
use crate::{
    ModuleInfo, Permission,
    limits::{MAX_ARTIFACT_BYTES, MAX_MEMORY_BYTES},
};

/// First bytes of a binary component.
const COMPONENT_MAGIC: &[u8] = b"\0asm\x0d\0\x01\0";
const WASM_MAGIC: &[u8] = b"\0asm";
const ELF_MAGIC: &[u8] = b"\x7fELF";

/// Functions of all core modules together.
const MAX_FUNCTIONS: u64 = 100_000;
/// One function's body, in bytes. Compile time grows faster than this does.
const MAX_BODY_BYTES: u64 = 512 * 1024;
/// Local variables of one function.
const MAX_LOCALS: u64 = 10_000;
/// Blocks inside blocks.
const MAX_BLOCK_DEPTH: u32 = 2_000;
/// Targets of one `br_table`.
const MAX_BR_TABLE: u32 = 8_192;
/// Core modules, and components, inside the component.
const MAX_MODULES: u64 = 64;
const MAX_COMPONENTS: u64 = 64;
/// Components inside components.
const MAX_COMPONENT_DEPTH: usize = 8;
/// Component-level instances, aliases, types and canonical functions together.
const MAX_COMPONENT_ITEMS: u64 = 50_000;
/// Types, globals, imports, exports and segments of all core modules together, each.
const MAX_SECTION_ITEMS: u64 = 50_000;
/// Instances of components that one instance is made of.
const MAX_COMPONENT_INSTANCES: u64 = 256;
/// Imports of the component itself.
const MAX_IMPORTS: u64 = 100;

/// Checks an artifact's form, size, shape and imports, for a host that offers these permissions.
///
/// # Errors
/// The reason for refusing it, as a sentence for its author.
pub fn check(artifact: &[u8], offers: &BTreeSet<Permission>) -> Result<ModuleInfo, String> {
    check_form(artifact)?;
    let mut survey = Survey { offers: offers.clone(), ..Survey::default() };
    let mut surveyor = Surveyor::default();
    for payload in Parser::new(0).parse_all(artifact) {
        let payload = payload.map_err(|error| format!("it is not a valid component: {error}"))?;
        survey.visit(&payload)?;
        surveyor.visit(&payload)?;
    }
    check_footprint(surveyor.footprint())?;
    if !survey.exports_run {
        return Err("it does not export the function `run`; build it for the world `clawos:skill/skill`".to_owned());
    }
    let permissions = survey.interfaces.iter().filter_map(|name| Permission::of_interface(name)).collect();
    Ok(ModuleInfo { size: artifact.len() as u64, permissions, imports: survey.interfaces })
}

/// Refuses what is too large to be read.
pub(super) fn check_size(bytes: u64) -> Result<(), String> {
    if bytes > MAX_ARTIFACT_BYTES {
        return Err(format!("it has {bytes} bytes; at most {MAX_ARTIFACT_BYTES} are allowed"));
    }
    Ok(())
}

/// Compares what an instance takes with what the pool has for one.
fn check_footprint(footprint: &Footprint) -> Result<(), String> {
    for (has, max, what) in [
        (footprint.core_instances, u64::from(MAX_CORE_INSTANCES), "core instances"),
        (footprint.component_instances, MAX_COMPONENT_INSTANCES, "component instances"),
        (footprint.memories, u64::from(MAX_MEMORIES), "memories"),
        (footprint.tables, u64::from(MAX_TABLES), "tables"),
    ] {
        if has > max {
            return Err(format!("an instance of it has {has} {what}; it may have no more than {max} {what}"));
        }
    }
    if footprint.memory_bytes > MAX_MEMORY_BYTES {
        return Err(format!("its memories start at more than {MAX_MEMORY_BYTES} bytes"));
    }
    Ok(())
}

/// Tells a component from everything else that gets uploaded by mistake or on purpose.
fn check_form(artifact: &[u8]) -> Result<(), String> {
    check_size(artifact.len() as u64)?;
    let what = if artifact.starts_with(COMPONENT_MAGIC) {
        return Ok(());
    } else if artifact.is_empty() {
        "it is empty"
    } else if artifact.starts_with(ELF_MAGIC) {
        "it is native code (an ELF file or a precompiled module)"
    } else if artifact.starts_with(WASM_MAGIC) {
        "it is a core module, not a component"
    } else if artifact.trim_ascii_start().starts_with(b"(") {
        "it is WebAssembly text"
    } else {
        "it is not WebAssembly"
    };
    Err(format!("{what}; upload a WebAssembly component, as `clawos build` makes it"))
}

/// What has been counted so far.
#[derive(Default)]
struct Survey {
    depth: usize,
    /// Memories of the core module that is being read, imported ones included.
    module_memories: u64,
    functions: u64,
    modules: u64,
    components: u64,
    component_items: u64,
    section_items: [u64; 6],
    imports: u64,
    /// What it imports that has behaviour.
    interfaces: BTreeSet<String>,
    offers: BTreeSet<Permission>,
    exports_run: bool,
}

/// Adds to a count and refuses what goes over its bound.
fn count(total: &mut u64, more: u32, max: u64, what: &str) -> Result<(), String> {
    *total += u64::from(more);
    if *total > max {
        return Err(format!("it has more than {max} {what}"));
    }
    Ok(())
}

impl Survey {
    fn visit(&mut self, payload: &Payload<'_>) -> Result<(), String> {
        match payload {
            Payload::Version { encoding, .. } => self.enter(*encoding),
            Payload::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                Ok(())
            }
            Payload::FunctionSection(section) => {
                count(&mut self.functions, section.count(), MAX_FUNCTIONS, "functions")
            }
            Payload::CodeSectionEntry(body) => check_body(body),
            Payload::MemorySection(section) => self.memory_section(section.clone()),
            Payload::TableSection(section) => table_section(section.clone()),
            Payload::TypeSection(section) => self.core_items(0, section.count(), "core types"),
            Payload::ImportSection(section) => self.core_imports(section.clone()),
            Payload::ExportSection(section) => self.core_items(2, section.count(), "core exports"),
            Payload::GlobalSection(section) => self.core_items(3, section.count(), "globals"),
            Payload::ElementSection(section) => self.core_items(4, section.count(), "element segments"),
            Payload::DataSection(section) => self.core_items(5, section.count(), "data segments"),
            Payload::TagSection(_) => Err("it uses exceptions, which are not supported".to_owned()),
            Payload::InstanceSection(section) => self.items(section.count()),
            Payload::ComponentImportSection(section) if self.depth == 1 => self.import_section(section.clone()),
            Payload::ComponentExportSection(section) if self.depth == 1 => self.export_section(section.clone()),
            Payload::ComponentImportSection(section) => self.items(section.count()),
            Payload::ComponentExportSection(section) => self.items(section.count()),
            Payload::ComponentTypeSection(section) => self.items(section.count()),
            Payload::CoreTypeSection(section) => self.items(section.count()),
            Payload::ComponentInstanceSection(section) => self.items(section.count()),
            Payload::ComponentAliasSection(section) => self.items(section.count()),
            Payload::ComponentCanonicalSection(section) => self.items(section.count()),
            _ => Ok(()),
        }
    }

    fn enter(&mut self, encoding: Encoding) -> Result<(), String> {
        self.depth += 1;
        if self.depth > MAX_COMPONENT_DEPTH {
            return Err(format!("it nests components more than {MAX_COMPONENT_DEPTH} deep"));
        }
        match encoding {
            Encoding::Module => {
                self.module_memories = 0;
                count(&mut self.modules, 1, MAX_MODULES, "core modules")
            }
            Encoding::Component => count(&mut self.components, 1, MAX_COMPONENTS, "components"),
        }
    }

    fn items(&mut self, more: u32) -> Result<(), String> {
        count(&mut self.component_items, more, MAX_COMPONENT_ITEMS, "component-level definitions")
    }

    fn core_items(&mut self, kind: usize, more: u32, what: &str) -> Result<(), String> {
        count(&mut self.section_items[kind], more, MAX_SECTION_ITEMS, what)
    }

    fn core_imports(&mut self, section: wasmparser::ImportSectionReader<'_>) -> Result<(), String> {
        for import in section.into_imports() {
            self.core_items(1, 1, "core imports")?;
            if let TypeRef::Memory(_) = import.map_err(|error| format!("it is not a valid component: {error}"))?.ty {
                self.module_memories(1)?;
            }
        }
        Ok(())
    }

    /// The engine itself uses several memories at once where parts of a component pass each other text; guests do not.
    fn module_memories(&mut self, more: u32) -> Result<(), String> {
        self.module_memories += u64::from(more);
        if self.module_memories > 1 {
            return Err("a core module has more than one memory; at most one is supported".to_owned());
        }
        Ok(())
    }

    fn memory_section(&mut self, section: wasmparser::MemorySectionReader<'_>) -> Result<(), String> {
        self.module_memories(section.count())?;
        for memory in section {
            let memory = memory.map_err(|error| format!("it is not a valid component: {error}"))?;
            if memory.memory64 || memory.shared || memory.page_size_log2.is_some() {
                return Err(
                    "it declares a 64-bit, shared or odd-paged memory; only plain ones are supported".to_owned()
                );
            }
            if memory.initial > MAX_MEMORY_BYTES / PAGE_BYTES {
                return Err(format!("a memory starts at more than {MAX_MEMORY_BYTES} bytes"));
            }
        }
        Ok(())
    }

    fn import_section(&mut self, section: wasmparser::ComponentImportSectionReader<'_>) -> Result<(), String> {
        count(&mut self.imports, section.count(), MAX_IMPORTS, "imports")?;
        for import in section {
            let import = import.map_err(|error| format!("it is not a valid component: {error}"))?;
            let name = import.name.name;
            match import.ty {
                ComponentTypeRef::Instance(_) => {
                    self.interfaces.extend(bindings::find(name, &self.offers)?.map(|found| found.name.to_owned()));
                }
                // A type has no behaviour.
                ComponentTypeRef::Type(_) => {}
                _ => return Err(format!("it imports `{name}`, which this server does not have")),
            }
        }
        Ok(())
    }

    fn export_section(&mut self, section: wasmparser::ComponentExportSectionReader<'_>) -> Result<(), String> {
        self.items(section.count())?;
        for export in section {
            let export = export.map_err(|error| format!("it is not a valid component: {error}"))?;
            self.exports_run |= export.name.name == "run" && export.kind == ComponentExternalKind::Func;
        }
        Ok(())
    }
}

fn table_section(section: wasmparser::TableSectionReader<'_>) -> Result<(), String> {
    for table in section {
        let table = table.map_err(|error| format!("it is not a valid component: {error}"))?;
        if table.ty.initial > MAX_TABLE_ELEMENTS as u64 {
            return Err(format!("a table starts with more than {MAX_TABLE_ELEMENTS} elements"));
        }
    }
    Ok(())
}

/// Bounds what one function can cost to compile.
fn check_body(body: &FunctionBody<'_>) -> Result<(), String> {
    let broken = |error| format!("it is not a valid component: {error}");
    let size = body.range().end - body.range().start;
    if size > MAX_BODY_BYTES {
        return Err(format!("a function has {size} bytes; at most {MAX_BODY_BYTES} are allowed; split it"));
    }
    let mut locals = 0;
    for group in body.get_locals_reader().map_err(broken)? {
        count(&mut locals, group.map_err(broken)?.0, MAX_LOCALS, "local variables in one function")?;
    }
    let mut depth = 0u32;
    for operator in body.get_operators_reader().map_err(broken)? {
        match operator.map_err(broken)? {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => depth += 1,
            Operator::End => depth = depth.saturating_sub(1),
            Operator::BrTable { targets } if targets.len() > MAX_BR_TABLE => {
                return Err(format!("a br_table has more than {MAX_BR_TABLE} targets"));
            }
            _ => {}
        }
        if depth > MAX_BLOCK_DEPTH {
            return Err(format!("a function nests blocks more than {MAX_BLOCK_DEPTH} deep"));
        }
    }
    Ok(())
}
