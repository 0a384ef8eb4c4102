//! What may be a name and what may be said, and which names look alike.

use protocol::text::{Line, Looks, PlayerName, Unfit, line, name};

fn name(text: &str) -> Result<String, Unfit> {
    PlayerName::new(text).map(|name| name.as_str().to_owned())
}

fn said(text: &str) -> Result<String, Unfit> {
    Line::new(text).map(Line::into_string)
}

fn alike(one: &str, other: &str) -> bool {
    Looks::of(one).alike(&Looks::of(other))
}

#[test]
fn people_write_their_names_in_any_script() {
    let names = [
        "Zoë",
        "Łukasz",
        "O'Neil",
        "Jean-Luc",
        "<b>",
        "J.R. \"Bob\"",
        "x_X_x",
        "$$$",
        "½",
        "Ⅷ",
        "Анна",
        "Ἀχιλλεύς",
        "Գարիկ",
        "გიორგი",
        "李雷",
        "山田太郎",
        "葛\u{e0100}城",
        "ｱﾅ",
        "김철수",
        "שָׁלוֹם",
        "محمد",
        "مُحَمَّد",
        "عائشة",
        // Persian: the non-joiner stands between letters that join, and after one that does not.
        "می\u{200c}خواهم",
        "کار\u{200c}خانه",
        "علی\u{200c}رضا",
        // India: a joiner or non-joiner after the virama, and in Bengali before it.
        "अनिता",
        "क्\u{200d}ष",
        "क्\u{200c}ष",
        "শ্রেয়া",
        "র\u{200d}্যাব",
        "ന്\u{200d}",
        "தமிழ்",
        "ශ්\u{200d}රී",
        "ಕನ್ನಡ",
        "นารีรัตน์",
        "ที่รัก",
        "ສະບາຍດີ",
        "ខ្មែរ",
        "မြွှေ",
        "བོད་ཡིག",
        "ཧཱུྃ",
        "Nguyễn Thị Huệ",
        "Việt",
        "ᠮᠣᠩᠭᠣᠯ\u{180b}",
        // Pictures: a family, a colour, a flag of a state and of a region, a heart with its form, a keycap.
        "👨\u{200d}👩\u{200d}👧\u{200d}👦",
        "👩🏽\u{200d}💻",
        "🏴\u{200d}☠\u{fe0f}",
        "🇻🇳",
        "🏳\u{fe0f}\u{200d}🌈 Ed",
        "❤\u{fe0f}\u{200d}🔥",
        "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f} Isla",
        "1\u{fe0f}\u{20e3}",
        "🂡 ace",
        "🐻\u{200d}❄\u{fe0f}",
    ];
    for written in names {
        assert_eq!(PlayerName::new(written).err(), None, "{written:?}");
        assert_eq!(Line::new(written).err(), None, "{written:?}");
    }
}

#[test]
fn a_name_that_nobody_can_see_is_refused() {
    // As reported of forums and games, where each of these made a blank name.
    let blank = [
        "\u{fe0f}",
        "\u{1d173}",
        "\u{1bca0}",
        "\u{3164}",
        "\u{ffa0}",
        "\u{115f}\u{1160}",
        "\u{2800}",
        "\u{2800}\u{2800}",
        "\u{180e}",
        "\u{200b}\u{200b}",
        "\u{200c}",
        "\u{200d}",
        "\u{200d}\u{200d}",
        "\u{2060}",
        "\u{2061}",
        "\u{2064}",
        "\u{206a}",
        "\u{feff}",
        "\u{ad}",
        "\u{34f}",
        "\u{17b4}",
        "\u{17b5}",
        "\u{180b}",
        "\u{e0001}",
        "\u{e0041}\u{e007f}",
        "\u{e0100}",
        "\u{1d159}",
        "\u{fffc}",
        "\u{fff9}\u{fffb}",
        "\u{13441}",
        "\u{16fe4}",
        "\u{2028}",
        "\u{85}",
        "\0",
    ];
    for text in blank {
        assert!(
            matches!(name(text), Err(Unfit::Invisible(_) | Unfit::Control(_) | Unfit::Empty)),
            "{text:?}"
        );
    }
    for text in ["", " ", " \t\u{3000}\u{a0} "] {
        assert_eq!((name(text), said(text)), (Err(Unfit::Empty), Err(Unfit::Empty)), "{text:?}");
    }
    for text in ["\u{301}", "\u{301}\u{302}", "\u{20dd}", "\u{93e}", "Ann \u{301}"] {
        assert!(matches!(name(text), Err(Unfit::LooseMark(_))), "{text:?}");
    }
    for text in ["\u{e000}", "\u{ffff}", "\u{ffef}", "\u{378}", "\u{10ffff}"] {
        assert!(matches!(name(text), Err(Unfit::Unknown(_))), "{text:?}");
    }
}

#[test]
fn an_invisible_character_inside_a_name_is_refused() {
    for text in [
        "An\u{200d}n",
        "An\u{200c}n",
        "A\u{fe0f}\u{fe0f}nn",
        "👩\u{200d}",
        "👩\u{200d}Ann",
        "م\u{200d}\u{200d}ح",
        "Ann\u{200b}",
        "A\u{ad}nn",
    ] {
        assert!(matches!(name(text), Err(Unfit::Invisible(_))), "{text:?}");
    }
    // Hidden text behind a flag.
    assert_eq!(name("🏴\u{e0068}\u{e0069}"), Err(Unfit::Invisible('\u{e0068}')));
    assert_eq!(name("🏴\u{e0048}\u{e0049}\u{e004a}\u{e007f}"), Err(Unfit::Invisible('\u{e0048}')));
}

#[test]
fn nothing_reorders_or_breaks_the_line_that_it_stands_in() {
    let reordering = [
        '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}',
        '\u{2069}',
    ];
    for c in reordering {
        let text = format!("A{c}nn");
        assert_eq!((name(&text), said(&text)), (Err(Unfit::Reorders(c)), Err(Unfit::Reorders(c))));
    }
    for c in ['\u{200e}', '\u{200f}', '\u{61c}'] {
        assert_eq!(name(&format!("Ann{c}")), Err(Unfit::Reorders(c)));
    }
    for c in ['\n', '\r', '\t', '\u{1b}', '\u{7f}', '\u{85}', '\u{2028}', '\u{2029}'] {
        let text = format!("A{c}nn");
        assert_eq!((name(&text), said(&text)), (Err(Unfit::Control(c)), Err(Unfit::Control(c))));
    }
}

#[test]
fn marks_do_not_pile_up() {
    let mark = "\u{30d}";
    for marks in [5, 19, 190] {
        let text = format!("Z{}", mark.repeat(marks));
        assert_eq!(
            (name(&text), said(&text)),
            (Err(Unfit::TooManyMarks), Err(Unfit::TooManyMarks)),
            "{marks}"
        );
    }
    assert_eq!(name("ก็็็็็"), Err(Unfit::TooManyMarks), "the Thai vowel that is said to crash telephones");
    assert_eq!(name("q̶̲̅̈̃"), Err(Unfit::TooManyMarks));
    // Composed letters count the marks that they are made of.
    assert_eq!(name("ệ\u{30d}\u{30d}\u{30d}"), Err(Unfit::TooManyMarks));
    assert!(name("ệ\u{30d}\u{30d}").is_ok());
}

#[test]
fn however_it_is_typed_a_text_has_one_form() {
    assert_eq!(name("\u{1112}\u{1161}\u{11ab}글").unwrap(), "한글");
    assert_eq!(name("Zoe\u{308}").unwrap(), "Zo\u{eb}");
    assert_eq!(name("Nguye\u{302}\u{303}n").unwrap(), "Nguy\u{1ec5}n");
    assert_eq!(name("  Ann \u{a0}\u{2003}\u{3000} Lee\u{2009}").unwrap(), "Ann Lee");
    assert_eq!(said(" nice \u{a0} hand\n").unwrap(), "nice hand");
    // Left out of talk, where keyboards put them in.
    assert_eq!(said("\u{feff}سلام\u{200f}!\u{200b}").unwrap(), "سلام!");
}

#[test]
fn length_is_counted_as_people_count() {
    let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
    for letter in ["é", "e\u{301}", "नि", "한"] {
        assert!(name(&letter.repeat(20)).is_ok(), "{letter}");
        assert_eq!(name(&letter.repeat(21)), Err(Unfit::TooLong(20)), "{letter}");
        assert!(said(&letter.repeat(170)).is_ok(), "{letter}");
    }
    assert!(name(&family.repeat(6)).is_ok());
    assert_eq!(name(&family.repeat(7)), Err(Unfit::TooManyBytes(name::NAME_TEXT_BYTES_MAX)));
    assert_eq!(said(&family.repeat(60)), Err(Unfit::TooManyBytes(line::LINE_BYTES_MAX)));
    assert!(said(&"x".repeat(200)).is_ok());
    assert_eq!(said(&"x".repeat(201)), Err(Unfit::TooLong(200)));
}

#[test]
fn a_name_does_not_wear_the_mark_of_a_bot() {
    for text in [
        "Cleo (bot)",
        "Cleo (BOT)",
        "(b0t)",
        "Cleo [bot]",
        "Cleo（ｂｏｔ）",
        "Cleo ( bot )",
        "Cleo (bоt)",
        "Cleo【bot】",
        "Cleo «bot»",
    ] {
        assert_eq!(name(text), Err(Unfit::SaysBot), "{text}");
    }
    for text in ["Cleo", "Abbot", "Bot 7", "(robot", "Sabotage (not)"] {
        assert!(name(text).is_ok(), "{text}");
    }
    assert!(said("is Cleo (bot) asleep?").is_ok());
}

#[test]
fn names_that_people_take_for_each_other_look_alike() {
    let pairs = [
        ("Ann", "ann"),
        ("Mark", "Mаrk"),
        ("thibaudcolas", "th\u{13a5}baudcolas"),
        ("limes11", "Iimes11"),
        ("Вова", "вова"),
        ("Strauß", "STRAUSS"),
        ("paypal", "pаypаl"),
        ("bern", "BERN"),
        ("modern", "modem"),
        ("Ann", "Ａｎｎ"),
        ("رضا", "رضا"),
        ("علی\u{200c}رضا", "علیرضا"),
        ("❤", "❤\u{fe0f}"),
        ("O0", "00"),
        // On a screen both are A1 and an aleph.
        ("A1\u{5d0}", "A\u{5d0}1"),
    ];
    for (one, other) in pairs {
        assert!(alike(one, other), "{one:?} {other:?}");
    }
    for (one, other) in [
        ("Ann", "Anne"),
        ("Ann", "Änn"),
        ("Ann", "Ann 2"),
        ("Ann 2", "Ann 3"),
        ("anna", "nana"),
        ("李", "雷"),
        ("👩", "👨"),
    ] {
        assert!(!alike(one, other), "{one:?} {other:?}");
    }
}

#[test]
fn a_number_fits_behind_every_name() {
    let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦".repeat(6);
    for (written, with_number) in [
        ("Ann", "Ann 2"),
        ("abcdefghijklmnopqrst", "abcdefghijklmnopqr 2"),
        ("Ann Lee 2345678 xyzw", "Ann Lee 2345678 xy 2"),
    ] {
        let numbered = PlayerName::new(written).unwrap().numbered(2);
        assert_eq!(numbered.as_str(), with_number);
    }
    let numbered = PlayerName::new(&family).unwrap().numbered(10);
    assert_eq!(PlayerName::new(numbered.as_str()), Ok(numbered));
}

#[test]
fn of_a_name_that_would_be_refused_today_what_can_be_shown_is_shown() {
    let cases = [
        ("Ann", "Ann"),
        ("Cleo (bot)", "Guest"),
        ("\u{fe0f}", "Guest"),
        ("\u{202e}nnA\u{202c}", "nnA"),
        ("Z\u{30d}\u{30d}\u{30d}\u{30d}\u{30d}\u{30d}o", "Zo"),
        ("Ann\u{e000}\u{200b}", "Ann"),
        // A vowel sign without its letter, of which only the parts are refused.
        ("\u{9cb}", "Guest"),
        ("Ri\u{9cb} \u{9cb}a", "Ri a"),
        ("Johann Sebastian Bach of Eisenach", "Johann Sebastian Bac"),
        ("", "Guest"),
    ];
    for (old, shown) in cases {
        assert_eq!(PlayerName::salvaged(old).as_str(), shown, "{old:?}");
    }
}

mod any_text {
    use proptest::{collection::vec, prelude::*};
    use protocol::text::{Line, PlayerName, name::NAME_CHARACTERS_MAX};

    /// Anything, and often what is made of several characters, or of none that can be seen: letters and vowel signs that
    /// are composed, marks alone and in heaps, joiners, spaces, directions, flags, brackets.
    fn text() -> impl Strategy<Value = String> {
        const AWKWARD: &str = "éǖ\u{344}\u{301}\u{308}\u{9c7}\u{9be}\u{9cb}\u{b94}\u{ddd}\u{1134b}\u{1025}\u{102e}क्\u{94d}\u{93e}\
                               \u{200d}\u{200c}\u{fe0f}\u{20e3} \u{a0}\u{2001}\u{3000}\u{202e}\u{e0067}\u{e007f}\u{600}\r\n👩🏽🏴🇻🇳각\u{1100}\u{1161}\u{11a8}(bot]ﷺ";
        let awkward: Vec<char> = AWKWARD.chars().collect();
        let character = prop_oneof![any::<char>(), proptest::sample::select(awkward)];
        vec(character, 0..4 * NAME_CHARACTERS_MAX).prop_map(|characters| characters.into_iter().collect())
    }

    proptest! {
        #[test]
        fn what_is_salvaged_or_accepted_is_accepted_again_unchanged(text in text(), number in 1usize..12) {
            let name = PlayerName::salvaged(&text);
            prop_assert_eq!(PlayerName::new(name.as_str()), Ok(name.clone()));
            let numbered = name.numbered(number);
            prop_assert_eq!(PlayerName::new(numbered.as_str()), Ok(numbered));
        }

        #[test]
        fn a_line_that_is_accepted_is_accepted_again_unchanged(text in text()) {
            if let Ok(line) = Line::new(&text) {
                let line = line.into_string();
                prop_assert_eq!(Line::new(&line).map(Line::into_string), Ok(line));
            }
        }
    }
}
