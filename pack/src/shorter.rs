//! A script that does the same with fewer characters: without comments and spaces that mean nothing, its private names short.
//!
//! It reads tokens, not grammar. Where a line ends it stays one, unless what stands there cannot end a statement or must, and a `/` whose
//! meaning only the grammar knows is refused.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::PackError;

/// `script`, shorter.
///
/// # Errors
/// [`PackError::Unknown`] where a token has no end, or could be a division or a regular expression.
pub fn shorten(script: &str) -> Result<String, PackError> {
    let mut shorter = Shorter {
        rest: script,
        whole: script,
        out: String::new(),
        names: BTreeMap::new(),
        space: Space::None,
    };
    shorter.tokens(None)?;
    shorter.out.push('\n');
    Ok(shorter.out)
}

/// What stood between the last token and the next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Space {
    None,
    Some,
    Line,
}

struct Shorter<'s> {
    rest: &'s str,
    whole: &'s str,
    out: String,
    names: BTreeMap<&'s str, String>,
    space: Space,
}

/// A `/` behind these words begins a regular expression.
const BEFORE_VALUES: [&str; 11] =
    ["return", "typeof", "case", "in", "of", "delete", "void", "throw", "else", "await", "yield"];

impl<'s> Shorter<'s> {
    /// Up to the end, or in a template's `${` up to the brace that closes it.
    fn tokens(&mut self, inside: Option<()>) -> Result<(), PackError> {
        let mut depth = 0_u32;
        while let Some(first) = self.rest.chars().next() {
            match first {
                _ if first.is_whitespace() => {
                    let space = if first == '\n' { Space::Line } else { Space::Some };
                    self.space = self.space.max(space);
                    self.rest = &self.rest[first.len_utf8()..];
                }
                '/' if self.rest.starts_with("//") => {
                    self.rest = &self.rest[self.rest.find('\n').unwrap_or(self.rest.len())..];
                }
                '/' if self.rest.starts_with("/*") => {
                    let end =
                        self.rest.find("*/").ok_or_else(|| self.refuse("a comment that does not end"))? + 2;
                    let space = if self.rest[..end].contains('\n') { Space::Line } else { Space::Some };
                    self.space = self.space.max(space);
                    self.rest = &self.rest[end..];
                }
                '/' if self.begins_pattern()? => {
                    let end = end_of_pattern(self.rest)
                        .ok_or_else(|| self.refuse("a pattern that does not end"))?;
                    self.take(end);
                }
                '"' | '\'' => {
                    let end =
                        end_of_string(self.rest).ok_or_else(|| self.refuse("a string that does not end"))?;
                    self.take(end);
                }
                '`' => self.template()?,
                _ if is_word(first) => {
                    let end = self.rest.find(|character| !is_word(character)).unwrap_or(self.rest.len());
                    self.word(end);
                }
                _ => {
                    match first {
                        '{' => depth += 1,
                        '}' if depth == 0 && inside.is_some() => return Ok(()),
                        '}' => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    self.take(first.len_utf8());
                }
            }
        }
        if inside.is_some() { Err(self.refuse("a template that does not end")) } else { Ok(()) }
    }

    fn template(&mut self) -> Result<(), PackError> {
        self.take(1);
        loop {
            let Some(at) = self.rest.find(['`', '$', '\\']) else {
                return Err(self.refuse("a template that does not end"));
            };
            self.copy(at);
            if self.rest.starts_with("${") {
                self.copy(2);
                self.tokens(Some(()))?;
                self.space = Space::None;
                self.copy(1);
            } else if self.rest.starts_with('`') {
                self.copy(1);
                return Ok(());
            } else {
                let width = if self.rest.starts_with('\\') {
                    1 + self.rest[1..].chars().next().map_or(0, char::len_utf8)
                } else {
                    1
                };
                self.copy(width);
            }
        }
    }

    /// Private names are a class's own business.
    fn word(&mut self, end: usize) {
        let word = &self.rest[..end];
        if !word.starts_with('#') {
            return self.take(end);
        }
        let next = self.names.len();
        let short = self.names.entry(word).or_insert_with(|| short_name(next)).clone();
        self.separate(&short);
        self.out.push_str(&short);
        self.rest = &self.rest[end..];
    }

    /// Writes the next token, behind what must separate it from the last.
    fn take(&mut self, end: usize) {
        let token = &self.rest[..end];
        self.separate(token);
        self.copy(end);
    }

    fn copy(&mut self, end: usize) {
        self.out.push_str(&self.rest[..end]);
        self.rest = &self.rest[end..];
    }

    fn separate(&mut self, token: &str) {
        let space = std::mem::replace(&mut self.space, Space::None);
        let (Some(last), Some(first)) = (self.out.chars().next_back(), token.chars().next()) else { return };
        let is_open =
            "{;,([".contains(last) || "}),].".contains(first) && !(first == '.' && last.is_ascii_digit());
        match space {
            Space::Line if !is_open => self.out.push('\n'),
            Space::Line | Space::Some if must_stay_apart(last, first) => self.out.push(' '),
            _ => {}
        }
    }

    fn begins_pattern(&self) -> Result<bool, PackError> {
        let Some(last) = self.out.chars().next_back() else { return Ok(true) };
        if last == '}' {
            return Err(self.refuse("a / behind a }: nobody can tell what it is"));
        }
        if is_word(last) {
            let word = self.out.rsplit(|character| !is_word(character)).next().unwrap_or_default();
            return Ok(BEFORE_VALUES.contains(&word));
        }
        Ok(!")]\"'`".contains(last))
    }

    fn refuse(&self, what: &str) -> PackError {
        let line = self.whole[..self.whole.len() - self.rest.len()].matches('\n').count() + 1;
        PackError::Unknown { path: "the script".into(), line, what: what.into() }
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$' | '#')
}

/// Whether without a space between them two tokens would be one, or another.
fn must_stay_apart(last: char, first: char) -> bool {
    is_word(last) && is_word(first)
        || last == first && "+-".contains(first)
        || last == '/'
        || first == '/'
        || last.is_ascii_digit() && first == '.'
}

/// `#a` to `#z`, then `#aa` and so on.
fn short_name(mut number: usize) -> String {
    let mut name = String::from("#");
    loop {
        let letter = char::from(b'a' + u8::try_from(number % 26).unwrap_or_default());
        let _ = name.write_char(letter);
        if number < 26 {
            return name;
        }
        number = number / 26 - 1;
    }
}

/// Behind the quote that ends the string which `text` begins with.
fn end_of_string(text: &str) -> Option<usize> {
    end(text, |character, _| character == text.chars().next().unwrap_or('"'))
}

/// Behind the `/` that ends the pattern which `text` begins with; its flags are a word of their own.
fn end_of_pattern(text: &str) -> Option<usize> {
    end(text, |character, in_class| character == '/' && !in_class)
}

fn end(text: &str, ends: impl Fn(char, bool) -> bool) -> Option<usize> {
    let (mut escaped, mut in_class) = (false, false);
    for (at, character) in text.char_indices().skip(1) {
        match character {
            '\n' => return None,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if ends(character, in_class) => return Some(at + 1),
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn becomes(script: &str, short: &str) {
        assert_eq!(shorten(script).unwrap().trim_end_matches('\n'), short, "{script}");
    }

    #[test]
    fn what_means_nothing_goes() {
        becomes(
            "const a = { b: 1, c };  // why\n\n  if (a) /* or not */ return  d;",
            "const a={b:1,c};if(a)return d;",
        );
        becomes("f(\n  a,\n  b,\n);\n", "f(a,b,);");
        becomes("a\n  .b()\n  .c();", "a.b().c();");
    }

    #[test]
    fn what_means_something_stays() {
        becomes("a = 1\nb = 2", "a=1\nb=2");
        becomes("const f = () => {}\n(g)()", "const f=()=>{}\n(g)()");
        becomes("return\na", "return\na");
        becomes("a + +b - -c + d++ - 1", "a+ +b- -c+d++-1");
        becomes("1 .toFixed(); x = a ? .5 : b", "1 .toFixed();x=a?.5:b");
        becomes("async function* f() { yield* g; }", "async function*f(){yield*g;}");
        becomes("typeof a in b of c", "typeof a in b of c");
    }

    #[test]
    fn texts_stay_as_they_are() {
        becomes(
            "\"a  // b\" + 'it\\'s  /* c */' + `d  ${ e  +  `f  ${ { g: 1 }.g }` }  // h\n  i`",
            "\"a  // b\"+'it\\'s  /* c */'+`d  ${e+`f  ${{g:1}.g}`}  // h\n  i`",
        );
        becomes("x = ` \\`  $  \\${ a  } $`", "x=` \\`  $  \\${ a  } $`");
    }

    #[test]
    fn patterns_are_told_from_divisions() {
        becomes("a = b / c / d; e = /[/\"]  \\/ '/g.test(f)", "a=b / c / d;e= /[/\"]  \\/ '/g.test(f)");
        becomes("return /  \"/.exec(x) && (a) / 2", "return /  \"/.exec(x)&&(a) / 2");
        assert!(shorten("if (a) {}\n/b/.test(c)").unwrap_err().to_string().contains(":2: a / behind a }"));
    }

    #[test]
    fn private_names_are_short_and_stay_apart() {
        becomes(
            "class A { #first = 1; static #second; get x() { return this.#first + `${this.#second} #first`; } }",
            "class A{#a=1;static #b;get x(){return this.#a+`${this.#b} #first`;}}",
        );
        let names: std::collections::BTreeSet<String> = (0..2_000).map(short_name).collect();
        assert_eq!(names.len(), 2_000);
        assert!(names.contains("#z") && names.contains("#aa") && names.contains("#zz"));
    }

    #[test]
    fn what_does_not_end_is_refused() {
        for script in ["\"a", "'a\n'", "`a", "`a ${b", "/* a", "x = /a"] {
            assert!(shorten(script).is_err(), "{script}");
        }
    }
}
