//! Resolves a manifest: reads the files it names (through the caller), checks them and inserts their content.

use std::collections::BTreeMap;
use std::io;

use clawos_receipts::{canonical_json, strict_json};
use serde_json::Value;

use crate::error::ManifestError;
use crate::json_schema::{EndpointSchemas, Schema, Violation};
use crate::manifest::{MAX_ERRORS, Manifest};
use crate::resolved::{Endpoint, Example, ResolvedManifest, Runtime};
use crate::source::EndpointSource;

/// A schema or example file may have this many bytes.
pub const MAX_FILE_BYTES: usize = 256 << 10;
/// All of them together may have this many, each counted wherever it is used: the resolved manifest is one database row.
pub const MAX_TOTAL_BYTES: usize = 2 << 20;
/// A path may have this many bytes.
pub const MAX_PATH_BYTES: usize = 200;

/// Reads a file of the project, given its path as the manifest writes it.
pub type Read<'a> = dyn FnMut(&str) -> io::Result<Vec<u8>> + 'a;

/// Whether `path` stays inside the project on every system: relative, forward slashes, no `.` or `..`. The error says why not.
///
/// Links inside the project are for whoever opens the file to refuse.
pub fn check_path(path: &str) -> Result<(), &'static str> {
    let unportable = |byte: u8| !(byte.is_ascii_graphic() || byte == b' ') || b"\\:*?\"<>|".contains(&byte);
    if path.is_empty() || path.len() > MAX_PATH_BYTES {
        return Err("a path has 1 to 200 characters");
    }
    if path.starts_with('/') {
        return Err("an absolute path leaves the project");
    }
    if path.bytes().any(unportable) {
        return Err("a path has only visible ASCII characters and none of \\ : * ? \" < > |");
    }
    if path.split('/').any(|part| part == "..") {
        return Err("`..` leaves the project");
    }
    if path.split('/').any(|part| part.is_empty() || part == ".") {
        return Err("a path has no empty part and no `.`");
    }
    Ok(())
}

impl Manifest {
    /// Reads every schema and example with `read` and checks them: JSON Schema 2020-12 within bounds, examples that fit.
    ///
    /// `read` is asked once for each path, and only for paths that pass [`check_path`]. Errors with all that is wrong.
    pub fn resolve(self, read: &mut Read<'_>) -> Result<ResolvedManifest, Vec<ManifestError>> {
        let mut files = Files { read, cache: BTreeMap::new(), total: 0, errors: Vec::new() };
        let endpoints: Vec<_> = self
            .endpoints
            .iter()
            .enumerate()
            .map(|(index, endpoint)| resolve_endpoint(&format!("endpoints[{index}]"), endpoint, &mut files))
            .collect();
        let mut errors = files.errors;
        if !errors.is_empty() {
            errors.truncate(MAX_ERRORS);
            return Err(errors);
        }
        let resolved = ResolvedManifest {
            skill: self.skill,
            runtime: Runtime { kind: self.runtime.kind },
            limits: self.limits,
            permissions: self.permissions,
            prices: self.prices,
            endpoints: endpoints.into_iter().flatten().collect(),
        };
        Ok(resolved)
    }
}

/// `None` when something is wrong; what, is in the errors.
fn resolve_endpoint(key: &str, source: &EndpointSource, files: &mut Files<'_, '_>) -> Option<Endpoint> {
    let input = files.schema(&format!("{key}.input"), &source.input);
    let output = files.schema(&format!("{key}.output"), &source.output);
    let examples: Vec<_> = source
        .examples
        .iter()
        .enumerate()
        .map(|(number, example)| {
            let key = format!("{key}.examples[{number}]");
            let input = files.json(&format!("{key}.input"), &example.input);
            let output = files.json(&format!("{key}.output"), &example.output);
            Some((key, Example { input: input?, output: output? }))
        })
        .collect();
    let (input, input_schema) = input?;
    let (output, output_schema) = output?;
    let schemas = EndpointSchemas { input: input_schema, output: output_schema };
    let examples: Vec<_> = examples.into_iter().collect::<Option<_>>()?;
    for (key, example) in &examples {
        files.check_example(&format!("{key}.input"), schemas.input.validate(&example.input));
        files.check_example(&format!("{key}.output"), schemas.output.validate(&example.output));
    }
    let examples = examples.into_iter().map(|(_, example)| example).collect();
    Some(Endpoint { name: source.name.clone(), summary: source.summary.clone(), input, output, examples })
}

/// The project's files read so far, and the errors found in them.
struct Files<'a, 'b> {
    read: &'a mut Read<'b>,
    /// `None`: it was invalid, and the error is recorded.
    cache: BTreeMap<String, Option<(Value, usize)>>,
    total: usize,
    errors: Vec<ManifestError>,
}

impl Files<'_, '_> {
    /// A JSON file; an error is reported at the first key that names the file.
    fn json(&mut self, key: &str, path: &str) -> Option<Value> {
        if !self.cache.contains_key(path) {
            let loaded = self.load(path);
            let loaded =
                loaded.map_err(|(problem, hint)| self.errors.push(ManifestError::new(key, problem, hint))).ok();
            self.cache.insert(path.to_owned(), loaded);
        }
        let (value, size) = self.cache.get(path)?.clone()?;
        self.total = self.total.saturating_add(size);
        if self.total > MAX_TOTAL_BYTES {
            let problem = format!("schemas and examples together have more than {MAX_TOTAL_BYTES} bytes");
            if !self.errors.iter().any(|error| error.problem == problem) {
                self.errors.push(ManifestError::new(key, problem, "use smaller examples"));
            }
            return None;
        }
        Some(value)
    }

    fn load(&mut self, path: &str) -> Result<(Value, usize), (String, &'static str)> {
        check_path(path).map_err(|problem| (problem.to_owned(), "write a path inside the project"))?;
        let bytes = (self.read)(path).map_err(|error| {
            (format!("\"{path}\" cannot be read: {error}"), "check the path, it starts at the manifest's folder")
        })?;
        if bytes.len() > MAX_FILE_BYTES {
            let problem = format!("\"{path}\" has {} bytes, {MAX_FILE_BYTES} are allowed", bytes.len());
            return Err((problem, "use a smaller file"));
        }
        strict_json::check(&bytes).map_err(|error| (format!("\"{path}\" is {error}"), "fix the JSON"))?;
        let value: Value = serde_json::from_slice(&bytes)
            .map_err(|error| (format!("\"{path}\" is not JSON: {error}"), "fix the JSON"))?;
        canonical_json(&value).map_err(|error| (format!("\"{path}\": {error}"), "use strings for large numbers"))?;
        Ok((value, bytes.len()))
    }

    fn schema(&mut self, key: &str, path: &str) -> Option<(Value, Schema)> {
        let value = self.json(key, path)?;
        match Schema::compile(&value) {
            Ok(schema) => Some((value, schema)),
            Err(error) => {
                let problem = format!("\"{path}\": {error}");
                self.errors.push(ManifestError::new(key, problem, "write a JSON Schema of draft 2020-12"));
                None
            }
        }
    }

    fn check_example(&mut self, key: &str, result: Result<(), Vec<Violation>>) {
        for violation in result.err().into_iter().flatten() {
            let place = if violation.pointer.is_empty() { "/" } else { &violation.pointer };
            let problem = format!("the example does not match its schema at {place}: {}", violation.detail);
            self.errors.push(ManifestError::new(key, problem, "fix the example or the schema"));
        }
    }
}
