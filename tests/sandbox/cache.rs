//! The cache of compiled code: a second start is quick, and a file that anybody touched is never loaded.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::Duration,
};

use clawos_runtime::{Limits, Sandbox as _, Unavailable, wasm::CompilerCommand};
use clawos_tests::wat_skill::WatSkill;

use crate::host::{Host, call, text};

/// Writes over a read-only file, as an intruder with this user's rights would.
fn overwrite(path: &Path, contents: &[u8]) {
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("the file is ours");
    fs::write(path, contents).expect("the file is ours");
}

#[tokio::test]
async fn only_this_user_can_read_the_cache_and_nobody_writes_its_files() {
    let host = Host::new();
    host.run(WatSkill::echo().build()).await;
    let file = &host.compiled()[0];
    let mode = |path: &Path| fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
    assert_eq!(mode(file), 0o400);
    assert_eq!(mode(file.parent().expect("the cache folder")), 0o700);
}

#[tokio::test]
async fn after_a_restart_nothing_is_compiled_again_and_the_bill_is_the_same() {
    let host = Host::new();
    let artifact = WatSkill::echo().build();
    let cold = host.run(artifact.clone()).await;
    let warm = host.run(artifact.clone()).await;
    let written = fs::metadata(&host.compiled()[0]).and_then(|metadata| metadata.modified()).expect("the cache has it");
    let restarted = host.restarted();
    let mapped = restarted.run(artifact).await;
    for outcome in [&warm, &mapped] {
        assert_eq!(outcome.usage.fuel, cold.usage.fuel);
        assert_eq!(text(outcome), text(&cold));
    }
    let after = fs::metadata(&host.compiled()[0]).and_then(|metadata| metadata.modified()).expect("the cache has it");
    assert_eq!(written, after, "the file was used as it was");
}

#[tokio::test]
async fn a_changed_file_is_compiled_again_wherever_it_was_changed() {
    let host = Host::new();
    let artifact = WatSkill::echo().build();
    host.run(artifact.clone()).await;
    let file = host.compiled().remove(0);
    let good = fs::read(&file).expect("the cache has it");
    let places = [0, good.len() / 4, good.len() / 2, good.len() - 33, good.len() - 1];
    for place in places {
        let mut bad = good.clone();
        bad[place] ^= 1;
        overwrite(&file, &bad);
        assert_eq!(text(&host.restarted().run(artifact.clone()).await), r#"{"n":1}"#);
        assert_eq!(fs::read(&file).expect("it is there again"), good, "compiled again, byte for byte");
    }
    for bad in [&[][..], &good[..31], &good[..good.len() - 1], b"\x7fELF"] {
        overwrite(&file, bad);
        assert_eq!(text(&host.restarted().run(artifact.clone()).await), r#"{"n":1}"#);
        assert_eq!(fs::read(&file).expect("it is there again"), good);
    }
}

#[tokio::test]
async fn another_modules_code_under_this_modules_name_is_not_loaded() {
    let host = Host::new();
    let honest = WatSkill::echo().build();
    host.run(honest.clone()).await;
    let file = host.compiled().remove(0);
    host.run(WatSkill::running("(call $ok (i32.const 0) (i32.const 0))").build()).await;
    let other = host.compiled().into_iter().find(|path| *path != file).expect("both are cached");
    overwrite(&file, &fs::read(other).expect("the cache has it"));
    assert_eq!(text(&host.restarted().run(honest).await), r#"{"n":1}"#);
}

#[tokio::test]
async fn code_from_another_hosts_cache_is_not_loaded() {
    let (host, stranger) = (Host::new(), Host::new());
    let artifact = WatSkill::echo().build();
    host.run(artifact.clone()).await;
    stranger.run(artifact.clone()).await;
    let (ours, theirs) = (host.compiled().remove(0), stranger.compiled().remove(0));
    let own = fs::read(&ours).expect("the cache has it");
    let foreign = fs::read(theirs).expect("the cache has it");
    assert_ne!(own, foreign, "the keys differ");
    overwrite(&ours, &foreign);
    assert_eq!(text(&host.restarted().run(artifact).await), r#"{"n":1}"#);
    assert_eq!(fs::read(&ours).expect("it is there again"), own);
}

#[tokio::test]
async fn a_link_in_place_of_a_file_is_not_followed() {
    let host = Host::new();
    let artifact = WatSkill::echo().build();
    host.run(artifact.clone()).await;
    let file = host.compiled().remove(0);
    let elsewhere = file.with_extension("moved");
    fs::rename(&file, &elsewhere).expect("the folder is ours");
    std::os::unix::fs::symlink(&elsewhere, &file).expect("the folder is ours");
    assert_eq!(text(&host.restarted().run(artifact).await), r#"{"n":1}"#);
    assert!(fs::symlink_metadata(&file).expect("it is there").is_file(), "the link was replaced");
}

#[tokio::test]
async fn the_folder_has_a_largest_size_and_what_was_not_used_for_longest_makes_room() {
    let host = Host::new();
    let skill = |length: u32| WatSkill::running(&format!("(call $ok (i32.const 0) (i32.const {length}))")).build();
    let size = |host: &Host| -> u64 {
        host.compiled().iter().map(|path| fs::metadata(path).expect("the cache has it").len()).sum()
    };
    host.run(skill(1)).await;
    let first = host.compiled().remove(0);
    host.run(skill(2)).await;
    let second = host.compiled().into_iter().find(|path| *path != first).expect("both are cached");
    // Room for two modules and not for three.
    let most = size(&host) * 5 / 4;
    let host = host.restarted_with(|config| config.max_cached_bytes = most);
    host.run(skill(1)).await;
    host.run(skill(3)).await;
    assert!(size(&host) <= most, "{} bytes of {most}", size(&host));
    assert!(first.exists() && !second.exists(), "the second was not used since it was made");
    let again = host.restarted().run(skill(2)).await;
    assert!(again.result.is_ok(), "what made room is compiled again: {again:?}");
}

#[tokio::test]
async fn of_loaded_modules_the_last_one_used_stays_however_popular_the_others_were() {
    let host = Host::new();
    let popular = WatSkill::echo().build();
    let late = WatSkill::running("(call $ok (i32.const 0) (i32.const 1))").build();
    host.run(popular.clone()).await;
    let first = host.compiled().remove(0);
    host.run(late.clone()).await;
    let file = host.compiled().into_iter().find(|path| *path != first).expect("both are cached");
    let length = |path: &Path| fs::metadata(path).expect("the cache has it").len();
    // Room for either of them and not for both.
    let most = (length(&first) + length(&file)) * 3 / 4;
    let host = host.restarted_with(|config| config.max_loaded_bytes = most);
    for _ in 0..50 {
        host.run(popular.clone()).await;
    }
    let read = || fs::metadata(&file).and_then(|metadata| metadata.accessed()).expect("the cache has it");
    for _ in 0..3 {
        host.run(late.clone()).await;
        // The loaded modules are tidied up in passing, a few times a second.
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    let before = read();
    host.run(late).await;
    assert_eq!(read(), before, "it was in memory");
}

#[tokio::test]
async fn a_module_in_use_does_not_care_what_happens_to_its_file() {
    let host = Host::new();
    let artifact = WatSkill::echo().build();
    let before = host.run(artifact.clone()).await;
    overwrite(&host.compiled()[0], &[0xcc; 100_000]);
    let after = host.run(artifact).await;
    assert_eq!((text(&before), before.usage.fuel), (text(&after), after.usage.fuel));
}

#[tokio::test]
async fn an_artifact_that_is_missing_in_the_store_is_the_hosts_fault() {
    let host = Host::new();
    let missing = clawos_runtime::ModuleRef { kind: clawos_runtime::RuntimeKind::Wasm, sha256: [9; 32] };
    let answer = host.sandbox.run(&missing, call(Limits::default())).await;
    assert!(matches!(answer, Err(Unavailable::Host(_))), "{answer:?}");
}

#[tokio::test]
async fn a_compiler_that_does_not_start_is_the_hosts_fault_and_one_that_crashes_is_the_artifacts() {
    let sh = |script: &str| CompilerCommand { program: "/bin/sh".into(), args: vec!["-c".into(), script.into()] };
    for (compiler, at_fault) in [
        (CompilerCommand { program: "/nowhere/compiler".into(), args: vec![] }, "host"),
        (sh("exit 2"), "host"),
        (sh("kill -SEGV $$"), "artifact"),
        (sh("kill -XCPU $$"), "artifact"),
        (sh("exit 70"), "artifact"),
        (sh("echo 'it does not compile' >&2; exit 65"), "artifact"),
    ] {
        let host = Host::with(|config| config.compiler = compiler.clone());
        let answer = host.prepare(WatSkill::echo().build()).await;
        match answer {
            Err(Unavailable::Host(_)) => assert_eq!(at_fault, "host", "{compiler:?}"),
            Err(Unavailable::InvalidModule(_)) => assert_eq!(at_fault, "artifact", "{compiler:?}"),
            other => panic!("{compiler:?}: {other:?}"),
        }
        assert!(host.compiled().is_empty());
    }
}

#[tokio::test]
async fn a_compiler_that_the_host_killed_is_tried_again_and_what_did_not_fit_is_not() {
    // The first one is killed as the system does that is out of memory, or an operator; the next is the real one.
    let folder = tempfile::tempdir().expect("the system's folder for temporary files can be used");
    let (counted, real) = (folder.path().join("count").display().to_string(), crate::host::compiler().program);
    let script = |first: &str| {
        let script = format!(
            "echo >> {counted}.{first}; [ -e {counted}.{first}.once ] || {{ : > {counted}.{first}.once; kill -{first} $$; }}; \
             exec {}",
            real.display()
        );
        CompilerCommand { program: "/bin/sh".into(), args: vec!["-c".into(), script.into()] }
    };
    let starts =
        |first: &str| fs::read_to_string(format!("{counted}.{first}")).expect("it was started").lines().count();
    for signal in ["KILL", "TERM", "INT", "HUP"] {
        let host = Host::with(|config| config.compiler = script(signal));
        let killed = host.prepare(WatSkill::echo().build()).await;
        assert!(matches!(killed, Err(Unavailable::PoolFull { .. })), "{signal}: {killed:?}");
        assert_eq!(text(&host.run(WatSkill::echo().build()).await), r#"{"n":1}"#);
        assert_eq!(starts(signal), 2);
    }
    // Out of its own memory, out of its processor time, too large a result, a crash: the artifact's doing, and remembered.
    for signal in ["ABRT", "XCPU", "XFSZ", "SEGV"] {
        let host = Host::with(|config| config.compiler = script(signal));
        for _ in 0..2 {
            let refused = host.prepare(WatSkill::echo().build()).await;
            assert!(matches!(refused, Err(Unavailable::InvalidModule(_))), "{signal}: {refused:?}");
        }
        assert_eq!(starts(signal), 1);
    }
}
