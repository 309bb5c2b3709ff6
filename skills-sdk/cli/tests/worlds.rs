//! The guest interface: one world for each set of capabilities, so that guests of languages that import all of their world
//! need ask for no more than they use.

use std::collections::BTreeSet;
use std::path::Path;

use wit_parser::{Resolve, World};

const ALWAYS: [&str; 5] = ["clock", "log", "progress", "random", "types"];
const CAPABILITIES: [&str; 3] = ["kv", "http", "skills"];

fn imports(resolve: &Resolve, world: &World) -> BTreeSet<String> {
    let short = |name: String| name["clawos:skill/".len()..name.len() - "@0.1.0".len()].to_owned();
    // A type that the world itself uses is imported by its name alone.
    let interfaces = world.imports.keys().map(|key| resolve.name_world_key(key)).filter(|name| name.contains('/'));
    interfaces.map(short).collect()
}

#[test]
fn there_is_a_world_for_each_set_of_capabilities() {
    let mut resolve = Resolve::default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let (package, _) = resolve.push_dir(&folder).expect("the package is well-formed");
    let worlds = &resolve.packages[package].worlds;
    assert_eq!(worlds.len(), 8);
    for chosen in 0..8 {
        let granted =
            || CAPABILITIES.into_iter().enumerate().filter(|(bit, _)| chosen >> bit & 1 == 1).map(|(_, name)| name);
        let name = std::iter::once("skill").chain(granted()).collect::<Vec<_>>().join("-");
        let world = &resolve.worlds[*worlds.get(&name).unwrap_or_else(|| panic!("there is no world {name}"))];
        let expected = ALWAYS.into_iter().chain(granted()).map(str::to_owned).collect();
        assert_eq!(imports(&resolve, world), expected, "{name}");
        let exports: Vec<_> = world.exports.keys().map(|key| resolve.name_world_key(key)).collect();
        assert_eq!(exports, ["run"], "{name}");
    }
}
