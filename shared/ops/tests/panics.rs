//! What a process says when it panics, to readers and to nobody.

use std::{
    env,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use ops::{
    telemetry::{LogFormat, init_logs},
    testing::full_pipe::full_pipe,
};

/// Set where this program is started once more, to panic.
const TO_PANIC: &str = "CARDHOUSE_TEST_PANICS";

/// Far longer than a process takes that waits for nobody.
const SOON: Duration = Duration::from_secs(30);

/// This test again, as a process that logs so much and panics.
fn panicking(test: &str, filter: &str, stderr: Stdio) -> Child {
    let mut again = Command::new(env::current_exe().unwrap());
    again.args(["--exact", test, "--nocapture"]).env(TO_PANIC, filter);
    again.stdout(Stdio::null()).stderr(stderr).spawn().unwrap()
}

/// In that process: a thread panics, as a task does. Whether it was that process.
fn panicked() -> bool {
    let Ok(filter) = env::var(TO_PANIC) else { return false };
    init_logs(&filter, LogFormat::Json).unwrap();
    let task = thread::Builder::new().name("a task".into());
    let ended = task.spawn(|| panic!("a hole\nin the floor")).unwrap().join();
    assert!(ended.is_err());
    true
}

#[test]
fn a_panic_is_one_line_of_the_log() {
    if panicked() {
        return;
    }
    let ended =
        panicking("a_panic_is_one_line_of_the_log", "warn", Stdio::piped()).wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success() && said.lines().count() == 1, "{said}");
    let line: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((line["level"].as_str(), line["thread"].as_str()), (Some("ERROR"), Some("a task")));
    let message = line["message"].as_str().unwrap();
    assert!(message.starts_with("panicked at ") && message.ends_with("a hole\nin the floor"), "{message}");
}

#[test]
fn a_panic_is_told_where_logs_are_off() {
    if panicked() {
        return;
    }
    let ended =
        panicking("a_panic_is_told_where_logs_are_off", "off", Stdio::piped()).wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success() && said.starts_with("thread 'a task' panicked at "), "{said}");
}

#[test]
fn a_panic_that_nobody_reads_is_not_waited_for() {
    if panicked() {
        return;
    }
    let (_reader, stderr) = full_pipe().unwrap();
    let mut child = panicking("a_panic_that_nobody_reads_is_not_waited_for", "warn", stderr);
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > SOON {
            child.kill().unwrap();
            panic!("it waits");
        }
        thread::sleep(Duration::from_millis(10));
    }
    assert!(child.wait().unwrap().success());
}
