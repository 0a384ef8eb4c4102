//! `cardhouse-check http://127.0.0.1:9101/readyz`: succeeds if a process says at its operators' port that it is well. For health checks of
//! images in which there is no shell and no curl.
//!
//! `cardhouse-check --silent 1500 http://10.0.0.21:8081/ http://10.0.0.22:8081/` prints those of the addresses that say nothing within so many
//! milliseconds. It says that an edge looks, by which a relay learns where that edge reaches it. Any word is one, and so is a refusal: what is looked for are processes that stand still, and machines that have vanished. All are asked at once.

use std::{
    env,
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream, ToSocketAddrs as _},
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

/// Whoever asks every few seconds need not wait longer for an answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// The longest answer that is read, bytes.
const ANSWER_BYTES_MAX: u64 = 64 * 1_024;
/// What the edge says of itself to relays when it only looks.
const EDGE_LOOKS: &str = "X-Cardhouse-Edge: looks\r\n";
const USAGE: &str = "usage: cardhouse-check http://HOST:PORT/PATH
       cardhouse-check --silent MS http://HOST:PORT/PATH...";

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    match words.as_slice() {
        [flag, within, urls @ ..] if flag == "--silent" => match within.parse().ok().filter(|ms| *ms > 0) {
            Some(ms) => tell_silent(urls, Duration::from_millis(ms)),
            None => wrong_use(),
        },
        [url] => tell_health(url),
        _ => wrong_use(),
    }
}

fn wrong_use() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

fn tell_silent(urls: &[String], within: Duration) -> ExitCode {
    // Of all before any is waited for.
    let asked: Vec<_> =
        urls.iter().cloned().map(|url| thread::spawn(move || is_silent(&url, within))).collect();
    let mut code = ExitCode::SUCCESS;
    for (url, asked) in urls.iter().zip(asked) {
        match asked.join().expect("asking does not panic") {
            Ok(true) => println!("{url}"),
            Ok(false) => {}
            Err(error) => {
                eprintln!("{url}: {error}");
                code = ExitCode::from(2);
            }
        }
    }
    code
}

fn tell_health(url: &str) -> ExitCode {
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
    let (address, request) = request(url, "")?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Whether nothing at all comes from there in time; an error if this is no address.
fn is_silent(url: &str, within: Duration) -> io::Result<bool> {
    let (address, request) = request(url, EDGE_LOOKS)?;
    let until = Instant::now() + within;
    let heard = || -> io::Result<usize> {
        let mut stream = TcpStream::connect_timeout(&address, within)?;
        // Zero would be for ever.
        let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        stream.set_read_timeout(Some(left))?;
        stream.write_all(request.as_bytes())?;
        stream.read(&mut [0])
    };
    Ok(heard()
        .is_err_and(|error| matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)))
}

/// Where to go, and what to say there, with these lines in its head.
fn request(url: &str, lines: &str) -> io::Result<(SocketAddr, String)> {
    let wrong =
        || io::Error::new(io::ErrorKind::InvalidInput, "not an address such as http://127.0.0.1:9101/readyz");
    let (host, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).ok_or_else(wrong)?;
    let address = host.to_socket_addrs()?.next().ok_or_else(wrong)?;
    Ok((address, format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{lines}\r\n")))
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
            assert!(is_silent(wrong, PATIENCE).is_err(), "{wrong}");
        }
    }

    #[test]
    fn silent_is_who_takes_a_connection_and_says_nothing_and_nobody_else() {
        let short = Duration::from_millis(50);
        let still = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = |listener: &TcpListener| format!("http://{}/", listener.local_addr().unwrap());
        assert!(is_silent(&url(&still), short).unwrap());

        let gone = url(&TcpListener::bind("127.0.0.1:0").unwrap());
        assert!(!is_silent(&gone, PATIENCE).unwrap(), "it refuses");
        for answer in ["HTTP/1.1 404 Not Found\r\n\r\n", "no HTTP", ""] {
            let busy = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = url(&busy);
            let answering = thread::spawn(move || {
                let (mut stream, _) = busy.accept().unwrap();
                let mut head = [0; 1_024];
                let read = stream.read(&mut head).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
                String::from_utf8(head[..read].to_vec()).unwrap()
            });
            assert!(!is_silent(&url, PATIENCE).unwrap(), "{answer}");
            let head = answering.join().unwrap();
            assert!(head.ends_with("\r\nX-Cardhouse-Edge: looks\r\n\r\n"), "{head}");
        }
    }
}
