//! The program as an image's health check and the edge run it.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    process::{Command, Output},
    thread,
};

fn run(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cardhouse-check")).args(words).output().unwrap()
}

/// Asks a process that answers so.
fn of_one_that_answers(answer: &'static str) -> Output {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/readyz", listener.local_addr().unwrap());
    let answering = thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let mut head = [0; 1_024];
        let _ = stream.read(&mut head).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let output = run(&[&url]);
    answering.join().unwrap();
    output
}

#[test]
fn its_status_says_how_the_process_is_and_its_words_why() {
    assert_eq!(of_one_that_answers("HTTP/1.1 200 OK\r\n\r\n{}").status.code(), Some(0));
    let ill = of_one_that_answers("HTTP/1.1 503 Service Unavailable\r\n\r\nstore: late");
    assert_eq!((ill.status.code(), ill.stderr.as_slice()), (Some(1), b"store: late\n".as_slice()));
    for words in [&[][..], &["--silent", "0", "http://127.0.0.1:1/"], &["a", "b"]] {
        let output = run(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("usage: "), "{words:?}");
    }
}

#[test]
fn it_names_those_that_say_nothing() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refusing = format!("http://{closed}/");
    let listening = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}/", listening.local_addr().unwrap());
    let output = run(&["--silent", "200", &refusing, &silent]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{silent}\n"), "a refusal is a word");
    assert_eq!(output.status.code(), Some(0));
}
