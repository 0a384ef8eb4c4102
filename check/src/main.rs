//! `cardhouse-check http://127.0.0.1:9101/readyz`: succeeds if a process says at its operators' port that it is well. For health checks of
//! images in which there is no shell and no curl.

use std::{
    env,
    io::{self, Read as _, Write as _},
    net::{TcpStream, ToSocketAddrs as _},
    process::ExitCode,
    time::Duration,
};

/// Whoever asks every few seconds need not wait longer for an answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// The longest answer that is read, bytes.
const ANSWER_BYTES_MAX: u64 = 64 * 1_024;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let [url] = words.as_slice() else {
        eprintln!("usage: cardhouse-check http://HOST:PORT/PATH");
        return ExitCode::from(2);
    };
    match ask(url) {
        Ok(answer) if is_well(&answer) => ExitCode::SUCCESS,
        // What a container's history of health shows.
        Ok(answer) => {
            eprintln!("{}", answer.rsplit("\r\n\r\n").next().unwrap_or(&answer));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{url}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What is answered, with its head.
fn ask(url: &str) -> io::Result<String> {
    let wrong =
        || io::Error::new(io::ErrorKind::InvalidInput, "not an address such as http://127.0.0.1:9101/readyz");
    let (host, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).ok_or_else(wrong)?;
    let address = host.to_socket_addrs()?.next().ok_or_else(wrong)?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Whether the head says 200.
fn is_well(answer: &str) -> bool {
    answer.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)) == Some("200")
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    /// Asks one who answers so.
    fn asked(answer: &'static str) -> io::Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/readyz", listener.local_addr().unwrap());
        let answering = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(head).unwrap()
        });
        let answer = ask(&url);
        assert!(answering.join().unwrap().starts_with("GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:"));
        answer
    }

    #[test]
    fn only_200_is_well_and_silence_refusals_and_addresses_that_are_none_are_not() {
        assert!(is_well(&asked("HTTP/1.1 200 OK\r\n\r\n{}").unwrap()));
        for answer in ["HTTP/1.1 503 Service Unavailable\r\n\r\n{}", "HTTP/1.1 2000 x\r\n\r\n", "", "200"] {
            assert!(!is_well(&asked(answer).unwrap()), "{answer}");
        }
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(ask(&format!("http://{closed}/readyz")).is_err());
        for wrong in ["127.0.0.1:9101/readyz", "http://127.0.0.1:9101", "http:///", "https://x/"] {
            assert!(ask(wrong).is_err(), "{wrong}");
        }
    }
}
