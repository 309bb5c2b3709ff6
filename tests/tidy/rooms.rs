//! The rooms of each crate of the server, that is the modules directly under its `src/`, and who uses whom.
//!
//! Rooms must not use each other in a circle. Circles inside a room, as between parent and child, are its own affair.

use std::collections::{BTreeMap, BTreeSet};

use crate::fail_with;
use crate::repository::{PACKAGES, Package, SOURCES, Source, is_in};

/// Circles that stay: crate, its rooms in alphabetical order, reason.
const CIRCLES: &[(&str, &[&str], &str)] = &[];

/// Room, then each room it uses with the first place that says so.
type Graph = BTreeMap<String, BTreeMap<String, String>>;

#[test]
fn the_graph_of_rooms_is_shown_and_has_no_circle() {
    let (mut bad, mut shown, mut excused) = (Vec::new(), String::new(), 0);
    for package in PACKAGES.iter().filter(|package| package.folder == "server" || is_in(&package.folder, "server")) {
        let graph = graph(package, &SOURCES);
        shown += &format!("{}:\n", package.name);
        for (room, uses) in &graph {
            let uses: Vec<&str> = uses.keys().map(String::as_str).collect();
            shown += &format!("  {room} -> {}\n", if uses.is_empty() { "nothing".to_owned() } else { uses.join(", ") });
        }
        for circle in circles(&graph) {
            if CIRCLES.iter().any(|(name, rooms, _)| *name == package.name && circle.iter().eq(*rooms)) {
                excused += 1;
            } else {
                bad.push(format!("{}: {} use each other:", package.name, circle.join(", ")));
                bad.extend(edges(&graph, &circle));
            }
        }
    }
    println!("rooms of the server and what they use:\n{shown}");
    fail_with(bad);
    assert_eq!(excused, CIRCLES.len(), "`CIRCLES` lists a circle that is not there");
}

#[test]
fn rooms_that_use_each_other_are_a_circle() {
    let of = |edges: &[(&str, &str)]| {
        let mut graph = Graph::new();
        for (room, used) in edges {
            graph.entry((*used).to_owned()).or_default();
            graph.entry((*room).to_owned()).or_default().insert((*used).to_owned(), String::new());
        }
        circles(&graph)
    };
    assert!(of(&[("a", "b"), ("b", "c"), ("a", "c")]).is_empty());
    assert_eq!(of(&[("a", "b"), ("b", "a"), ("b", "c")]), [["a", "b"]]);
    assert_eq!(of(&[("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"), ("d", "e"), ("e", "d")]).len(), 2);
}

/// Who uses whom in `package`, in shipped code. What `lib.rs` passes on counts as the room it comes from.
fn graph(package: &Package, sources: &[Source]) -> Graph {
    let library = package.library();
    let all = || sources.iter().filter(|source| source.module.first() == Some(&library) && !source.test);
    let exports = all().find(|source| source.path.ends_with("src/lib.rs")).map(|source| &source.facts.exports);
    let mut graph: Graph =
        all().filter_map(|source| source.module.get(1)).map(|room| (room.clone(), BTreeMap::new())).collect();
    let rooms: BTreeSet<String> = graph.keys().cloned().collect();
    for source in all() {
        let Some(uses) = source.module.get(1).and_then(|room| graph.get_mut(room)) else { continue };
        for name in source.facts.names.iter().filter(|name| !name.test) {
            let mut segments = name.path.split("::");
            let (Some(first), Some(second)) = (segments.next(), segments.next()) else { continue };
            let passed_on = || exports?.get(second).filter(|path| path[0] == library)?.get(1);
            let used = if rooms.contains(second) { second } else { passed_on().map_or("", String::as_str) };
            if first == library && rooms.contains(used) && source.module[1] != used {
                let place = || format!("{}:{} names {}", source.path, name.line, name.path);
                uses.entry(used.to_owned()).or_insert_with(place);
            }
        }
    }
    graph
}

/// Groups of rooms each of which leads to all others of its group.
fn circles(graph: &Graph) -> Vec<Vec<String>> {
    let reach: BTreeMap<&String, BTreeSet<&String>> = graph.keys().map(|room| (room, reachable(graph, room))).collect();
    let groups = graph.keys().map(|room| {
        let mutual = graph.keys().filter(|other| reach[room].contains(other) && reach[other].contains(room));
        mutual.cloned().collect::<Vec<_>>()
    });
    let groups: BTreeSet<Vec<String>> = groups.filter(|group| !group.is_empty()).collect();
    groups.into_iter().collect()
}

/// All rooms that `room` leads to; itself only by a circle.
fn reachable<'a>(graph: &'a Graph, room: &'a String) -> BTreeSet<&'a String> {
    let mut found = BTreeSet::new();
    let mut open = vec![room];
    while let Some(room) = open.pop() {
        open.extend(graph[room].keys().filter(|used| found.insert(*used)));
    }
    found
}

/// The places that make `circle` one.
fn edges(graph: &Graph, circle: &[String]) -> Vec<String> {
    let from = circle.iter().flat_map(|room| graph[room].iter().map(move |(used, place)| (room, used, place)));
    let inside = from.filter(|(_, used, _)| circle.contains(used));
    inside.map(|(room, used, place)| format!("    {room} -> {used}: {place}")).collect()
}
