//! Server-sent events out of bytes, as they come: <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>.
//!
//! Only what is in `data` matters here. Bytes become text by the line and never by the chunk, since a chunk may end within a character, within a line
//! break or within the name of a field.

/// The longest line, bytes.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// The most that the lines of one event hold, bytes.
pub const EVENT_BYTES_MAX: usize = 128 * 1024;

/// Not a stream of events, or not one that is taken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadEvents {
    /// A line does not end.
    #[error("a line of more than {LINE_BYTES_MAX} bytes")]
    LongLine,
    /// An event does not.
    #[error("an event of more than {EVENT_BYTES_MAX} bytes")]
    LongEvent,
    /// A line is no text.
    #[error("a line that is not UTF-8")]
    NotText,
}

/// What has come of a stream and is no whole event yet.
#[derive(Debug, Default)]
pub struct Events {
    line: Vec<u8>,
    data: Option<String>,
    /// A line feed that comes next belongs to the line break before.
    after_return: bool,
    /// A byte order mark may stand before the first line alone.
    has_begun: bool,
}

impl Events {
    /// Takes what came, and gives the `data` of each event that is whole now.
    ///
    /// # Errors
    /// [`BadEvents`]; nothing that comes later is to be trusted then.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<String>, BadEvents> {
        let mut whole = Vec::new();
        for &byte in bytes {
            if std::mem::take(&mut self.after_return) && byte == b'\n' {
                continue;
            }
            match byte {
                b'\n' | b'\r' => {
                    self.after_return = byte == b'\r';
                    whole.extend(self.line()?);
                }
                _ if self.line.len() == LINE_BYTES_MAX => return Err(BadEvents::LongLine),
                _ => self.line.push(byte),
            }
        }
        Ok(whole)
    }

    /// The stream has ended. Some servers leave out the line breaks behind their last event, which is taken so, too.
    ///
    /// # Errors
    /// [`BadEvents`].
    pub fn end(mut self) -> Result<Option<String>, BadEvents> {
        if !self.line.is_empty() {
            self.line()?;
        }
        Ok(self.data)
    }

    /// A line is whole. An empty one ends the event.
    fn line(&mut self) -> Result<Option<String>, BadEvents> {
        let line = std::mem::take(&mut self.line);
        let line = str::from_utf8(&line).map_err(|_| BadEvents::NotText)?;
        let line = if self.has_begun { line } else { line.strip_prefix('\u{feff}').unwrap_or(line) };
        self.has_begun = true;
        if line.is_empty() {
            return Ok(self.data.take());
        }
        // Without a colon the whole line is the field's name. One that begins with it is a comment.
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        if field == "data" {
            let value = value.strip_prefix(' ').unwrap_or(value);
            let data = match self.data.take() {
                None => value.to_owned(),
                Some(before) => format!("{before}\n{value}"),
            };
            if data.len() > EVENT_BYTES_MAX {
                return Err(BadEvents::LongEvent);
            }
            self.data = Some(data);
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Vec<String> {
        let mut events = Events::default();
        let mut all = events.feed(bytes).unwrap();
        all.extend(events.end().unwrap());
        all
    }

    #[test]
    fn lines_end_as_the_standard_says_and_comments_and_other_fields_say_nothing() {
        for (text, told) in [
            ("data: a\n\ndata: b\n\n", vec!["a", "b"]),
            ("data: a\r\n\r\ndata: b\r\n\r\n", vec!["a", "b"]),
            ("data: a\r\rdata: b\r\r", vec!["a", "b"]),
            // Without a space, or with one that belongs to the value.
            ("data:a\n\ndata:  b\n\n", vec!["a", " b"]),
            (": OPENROUTER PROCESSING\n\n:\n\ndata: a\n\n: ping\n\n", vec!["a"]),
            ("event: message\nid: 1\nretry: 5\ndata: a\n\n", vec!["a"]),
            ("data: {\ndata: }\n\n", vec!["{\n}"]),
            ("data\n\n", vec![""]),
            ("\u{feff}data: a\n\n", vec!["a"]),
            ("database: a\n\n", vec![]),
            ("\n\n\n", vec![]),
            // The last one without its line breaks.
            ("data: a\n\ndata: [DONE]", vec!["a", "[DONE]"]),
        ] {
            assert_eq!(read(text.as_bytes()), told, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_chunks_end(
            words in prop::collection::vec("[a-z 那个🌍é:]{0,6}", 1..6),
            breaks in prop::sample::select(vec!["\n", "\r\n", "\r"]),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let text: String = words.iter().map(|word| format!("data: {word}{breaks}{breaks}")).collect();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let mut events = Events::default();
            let mut told = Vec::new();
            for cut in cuts.windows(2) {
                told.extend(events.feed(&text.as_bytes()[cut[0]..cut[1]]).unwrap());
            }
            prop_assert_eq!(told, words);
        }

        #[test]
        fn garbage_is_an_error_or_nothing_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut events = Events::default();
            if events.feed(&bytes).is_ok() {
                let _ = events.end();
            }
        }
    }

    #[test]
    fn what_does_not_end_is_not_kept() {
        let mut events = Events::default();
        assert_eq!(events.feed(&vec![b'a'; LINE_BYTES_MAX + 1]), Err(BadEvents::LongLine));
        let mut events = Events::default();
        let line = [b"data: ".as_slice(), &vec![b'a'; LINE_BYTES_MAX - 10], b"\n"].concat();
        let last = (0..3).map(|_| events.feed(&line)).last();
        assert_eq!(last, Some(Err(BadEvents::LongEvent)));
        assert_eq!(Events::default().feed(b"data: \xff\n\n"), Err(BadEvents::NotText));
    }
}
