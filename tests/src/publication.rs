//! What is sent to be published: a small real skill, changed by a test where it wants something wrong.

use std::io;

use clawos_manifest::{Manifest, ResolvedManifest};
use clawos_receipts::statement::VersionStatement;
use ed25519_dalek::SigningKey;
use reqwest::multipart::{Form, Part};

use crate::wat_skill::WatSkill;

/// The parts of a publish.
#[derive(Clone, Debug)]
pub struct Publication {
    /// `skill.toml`
    pub manifest: String,
    /// The module.
    pub artifact: Vec<u8>,
    /// Schemas and examples by path.
    pub files: Vec<(String, String)>,
    /// Markdown.
    pub readme: Option<String>,
    /// Base58, once signed.
    pub signature: Option<String>,
}

/// Priced per call: 0.001 USDC.
pub const USAGE_PRICING: &str = "[pricing]\ncurrency = \"USDC\"\nusage = { amount = \"1\", per = \"1000-calls\" }\n";
/// The same in SOL: 0.000001 SOL a call, 1,000 lamports.
pub const SOL_USAGE_PRICING: &str =
    "[pricing]\ncurrency = \"SOL\"\nusage = { amount = \"0.001\", per = \"1000-calls\" }\n";
/// Priced once: 0.5 SOL.
pub const ONE_TIME_PRICING: &str = "[pricing]\ncurrency = \"SOL\"\nonce = \"0.5\"\n";

impl Publication {
    /// A skill that answers with its payload, free of charge.
    pub fn echo(handle: &str, name: &str, version: &str) -> Publication {
        Self::priced(handle, name, version, "")
    }

    /// The same with a `[pricing]` section.
    pub fn priced(handle: &str, name: &str, version: &str, pricing: &str) -> Publication {
        let manifest = format!(
            r#"[skill]
id = "{handle}.{name}"
version = "{version}"
summary = "Answers with what it is sent"
description = "For tests: the payload comes back as it was."
category = "utility"
tags = ["echo", "test"]
license = "Apache-2.0"

[runtime]
kind = "wasm"
artifact = "skill.wasm"

{pricing}
[[endpoints]]
name = "echo"
summary = "The payload, unchanged"
input = "schemas/in.json"
output = "schemas/out.json"

[[endpoints.examples]]
input = "examples/in.json"
output = "examples/out.json"
"#
        );
        let schema = r#"{"type":"object","properties":{"text":{"type":"string","maxLength":1000}},"required":["text"],"additionalProperties":false}"#;
        let files = [
            ("schemas/in.json", schema),
            ("schemas/out.json", schema),
            ("examples/in.json", r#"{"text":"hello"}"#),
            ("examples/out.json", r#"{"text":"hello"}"#),
        ];
        Publication {
            manifest,
            artifact: WatSkill::echo().build(),
            files: files.map(|(path, text)| (path.to_owned(), text.to_owned())).to_vec(),
            readme: None,
            signature: None,
        }
    }

    /// Replaces text in the manifest.
    ///
    /// # Panics
    /// When it is not there.
    #[must_use]
    pub fn edit(mut self, from: &str, to: &str) -> Publication {
        assert!(self.manifest.contains(from), "{from} is not in the manifest");
        self.manifest = self.manifest.replace(from, to);
        self
    }

    /// Replaces a file.
    #[must_use]
    pub fn file(mut self, path: &str, text: &str) -> Publication {
        self.files.retain(|(held, _)| held != path);
        self.files.push((path.to_owned(), text.to_owned()));
        self
    }

    /// The manifest as the server will resolve it.
    ///
    /// # Panics
    /// When it is wrong.
    pub fn resolved(&self) -> ResolvedManifest {
        let parsed = Manifest::parse(&self.manifest).unwrap_or_else(|errors| panic!("{errors:?}"));
        let mut read = |path: &str| {
            let found = self.files.iter().find(|(held, _)| held == path);
            found.map(|(_, text)| text.clone().into_bytes()).ok_or_else(|| io::ErrorKind::NotFound.into())
        };
        parsed.resolve(&mut read).unwrap_or_else(|errors| panic!("{errors:?}"))
    }

    /// Signs the version as its publisher.
    #[must_use]
    pub fn signed(mut self, key: &SigningKey) -> Publication {
        let manifest = self.resolved();
        let statement = VersionStatement {
            skill: manifest.skill.id.clone(),
            version: manifest.skill.version.clone(),
            module_sha256: clawos_receipts::sha256(&self.artifact),
            manifest_sha256: manifest.sha256().expect("a resolved manifest has a canonical form"),
        };
        let signature = statement.sign(key).expect("a manifest's id and version are plain");
        self.signature = Some(bs58::encode(signature).into_string());
        self
    }

    /// The multipart body.
    pub fn form(&self) -> Form {
        let mut form = Form::new()
            .text("manifest", self.manifest.clone())
            .part("artifact", Part::bytes(self.artifact.clone()).file_name("skill.wasm"));
        for (path, text) in &self.files {
            form = form.part("file", Part::text(text.clone()).file_name(path.clone()));
        }
        for (name, text) in [("readme", &self.readme), ("signature", &self.signature)] {
            if let Some(text) = text {
                form = form.text(name, text.clone());
            }
        }
        form
    }
}
