//! What a skill may be permitted beyond log, clock and random: the one table of manifest word, guest interface and
//! where a manifest asks for it.

use std::{collections::BTreeSet, fmt};

use clawos_manifest::source::Permissions;

/// A permission of the manifest's `[permissions]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Permission {
    /// Requests to named hosts.
    Http,
    /// A store of the skill's own.
    Kv,
    /// Calls to named skills.
    Skills,
}

/// One row of the table.
struct Row {
    /// The key in the manifest.
    word: &'static str,
    /// The interface that a guest imports, without version.
    interface: &'static str,
    is_declared: fn(&Permissions) -> bool,
}

impl Permission {
    /// All of them, by their words.
    pub const ALL: [Self; 3] = [Self::Http, Self::Kv, Self::Skills];

    const fn row(self) -> Row {
        match self {
            Self::Http => {
                Row { word: "http", interface: "clawos:skill/http", is_declared: |asked| !asked.http.is_empty() }
            }
            Self::Kv => Row { word: "kv", interface: "clawos:skill/kv", is_declared: |asked| asked.kv },
            Self::Skills => {
                Row { word: "skills", interface: "clawos:skill/skills", is_declared: |asked| !asked.skills.is_empty() }
            }
        }
    }

    /// Its key in the manifest: `http`, `kv` or `skills`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().word
    }

    /// The interface a component imports for it, without version: `clawos:skill/kv`.
    #[must_use]
    pub const fn interface(self) -> &'static str {
        self.row().interface
    }

    /// Whether a manifest asks for it.
    #[must_use]
    pub fn is_declared(self, declared: &Permissions) -> bool {
        (self.row().is_declared)(declared)
    }

    /// The permission behind an interface (named without version). None for one that needs no permission.
    #[must_use]
    pub fn of_interface(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.interface() == name)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A permission that a manifest declares and its module does not use, or the other way round. Shown, it says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PermissionMismatch {
    /// Which permission.
    pub permission: Permission,
    /// Whether the manifest declares it; the module does the opposite.
    pub declared: bool,
}

impl fmt::Display for PermissionMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let interface = self.permission.interface();
        if self.declared {
            write!(f, "is declared, but the module does not import {interface}; remove it")
        } else {
            write!(f, "is not declared, but the module imports {interface}; declare it, or build without it")
        }
    }
}

/// Where the manifest's permissions and those that the module uses differ; they must be equal. Sorted by permission.
#[must_use]
pub fn permission_mismatches(declared: &Permissions, used: &BTreeSet<Permission>) -> Vec<PermissionMismatch> {
    let compare = |permission: Permission| {
        let declared = permission.is_declared(declared);
        (declared != used.contains(&permission)).then_some(PermissionMismatch { permission, declared })
    };
    Permission::ALL.into_iter().filter_map(compare).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interface_that_needs_a_permission_is_found_and_no_other() {
        for permission in Permission::ALL {
            assert_eq!(Permission::of_interface(permission.interface()), Some(permission));
        }
        assert_eq!(Permission::of_interface("clawos:skill/log"), None);
        assert_eq!(Permission::of_interface("clawos:skill/kv@0.1.0"), None);
    }

    #[test]
    fn permissions_must_equal_imports_in_both_directions() {
        let declared = Permissions { kv: true, http: ["api.example.com".to_owned()].into(), ..Permissions::default() };
        let mismatches = |used: &[Permission]| -> Vec<String> {
            let found = permission_mismatches(&declared, &used.iter().copied().collect());
            found.into_iter().map(|mismatch| format!("{} {mismatch}", mismatch.permission)).collect()
        };
        assert!(mismatches(&[Permission::Http, Permission::Kv]).is_empty());
        assert_eq!(
            mismatches(&[Permission::Kv, Permission::Skills]),
            [
                "http is declared, but the module does not import clawos:skill/http; remove it",
                "skills is not declared, but the module imports clawos:skill/skills; declare it, or build without it",
            ]
        );
    }
}
